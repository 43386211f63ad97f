"""Reads what `__describe_module__` gives, and BSATN by its types: for the host's tables."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

_T = TypeVar("_T")

REF, SUM, PRODUCT, ARRAY, STRING, BOOL = range(6)
FIRST_INT, LAST_INT = 6, 17
F32, F64 = 18, 19


class DescriptionError(ValueError):
    """Bytes that describe no module."""


@dataclass(frozen=True)
class Type:
    """An algebraic type: its tag, and the parts with their names."""

    tag: int
    ref: int = 0
    names: tuple[str | None, ...] = ()
    parts: tuple[Type, ...] = ()


@dataclass(frozen=True)
class Sequence:
    """An auto-increment column."""

    column: int
    start: int
    increment: int


@dataclass(frozen=True)
class Index:
    """An index over columns."""

    name: str
    columns: tuple[int, ...]


@dataclass
class TableDef:
    """A table."""

    name: str
    row: int
    primary_key: list[int]
    indexes: list[Index]
    unique: list[tuple[int, ...]]
    sequences: list[Sequence]


@dataclass
class ModuleDef:
    """A module's description, as far as a host needs it."""

    version: int
    types: list[Type] = field(default_factory=list[Type])
    tables: list[TableDef] = field(default_factory=list[TableDef])
    reducers: list[str] = field(default_factory=list[str])
    procedures: list[str] = field(default_factory=list[str])
    views: list[str] = field(default_factory=list[str])


class Reader:
    """BSATN from its start to its end."""

    def __init__(self, data: bytes, types: list[Type] | None = None) -> None:
        self.data = data
        self.at = 0
        self.types = types if types is not None else []

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise DescriptionError(f"{size} bytes are needed and {len(self.data) - self.at} left")
        self.at += size
        return self.data[self.at - size : self.at]

    def uint(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def text(self) -> str:
        return self.take(self.uint(4)).decode()

    def option(self, read: Callable[[], _T]) -> _T | None:
        return None if self.uint(1) else read()

    def array(self, read: Callable[[], _T]) -> list[_T]:
        return [read() for _ in range(self.uint(4))]

    def columns(self) -> tuple[int, ...]:
        return tuple(self.array(lambda: self.uint(2)))

    def i128(self) -> int:
        return int.from_bytes(self.take(16), "little", signed=True)

    def type(self) -> Type:
        tag = self.uint(1)
        if tag == REF:
            return Type(REF, ref=self.uint(4))
        if tag in (SUM, PRODUCT):
            elements = self.array(lambda: (self.option(self.text), self.type()))
            return Type(
                tag, 0, tuple(one[0] for one in elements), tuple(one[1] for one in elements)
            )
        if tag == ARRAY:
            return Type(ARRAY, 0, (None,), (self.type(),))
        if tag > F64:
            raise DescriptionError(f"there is no type {tag}")
        return Type(tag)

    def value(self, of: Type) -> Any:
        """A value that sorts as the database sorts it: products are tuples, sums (tag, payload)."""
        if of.tag == REF:
            return self.value(self.types[of.ref])
        if of.tag == PRODUCT:
            return tuple([self.value(part) for part in of.parts])
        if of.tag == SUM:
            tag = self.uint(1)
            if tag >= len(of.parts):
                raise DescriptionError(f"a sum of {len(of.parts)} variants has no variant {tag}")
            return tag, self.value(of.parts[tag])
        if of.tag == ARRAY:
            return self.array(lambda: self.value(of.parts[0]))
        if of.tag == STRING:
            return self.text()
        return self._scalar(of.tag)

    def _scalar(self, tag: int) -> Any:
        if tag == BOOL:
            return bool(self.uint(1))
        if tag in (F32, F64):
            (number,) = struct.unpack(
                "<f" if tag == F32 else "<d", self.take(4 if tag == F32 else 8)
            )
            return number
        size = 1 << (tag - FIRST_INT) // 2
        return int.from_bytes(self.take(size), "little", signed=tag % 2 == 0)

    def end(self) -> None:
        if self.at != len(self.data):
            raise DescriptionError(f"{len(self.data) - self.at} bytes too many")


def int_size(of: Type) -> int:
    """Bytes of an integer type."""
    return 1 << (of.tag - FIRST_INT) // 2


def parse(data: bytes) -> ModuleDef:
    """The description of a module, of version 9 or 10."""
    reader = Reader(data)
    kind = reader.uint(1)
    if kind == 1:
        module = _v9(reader)
    elif kind == 2:
        module = _v10(reader)
    else:
        raise DescriptionError(f"a description of kind {kind}: neither version 9 nor 10")
    reader.end()
    return _named(module)


def _index(reader: Reader, table: str) -> Index:
    """Its name may be made of its columns' names, which come with the types: see `_named`."""
    given = reader.option(reader.text)
    reader.option(reader.text)
    algorithm = reader.uint(1)
    columns = (reader.uint(2),) if algorithm == 2 else reader.columns()
    kind = ("btree", "hash", "direct")[algorithm]
    return Index(given or f"{table}_{{}}_idx_{kind}", columns)


def _named(module: ModuleDef) -> ModuleDef:
    """The same, with the names of indexes filled in."""
    for table in module.tables:
        row = module.types[table.row]
        for number, index in enumerate(table.indexes):
            columns = "_".join(str(row.names[column]) for column in index.columns)
            table.indexes[number] = Index(index.name.replace("{}", columns), index.columns)
    return module


def _sequence(reader: Reader) -> Sequence:
    reader.option(reader.text)
    column = reader.uint(2)
    start = reader.option(reader.i128)
    reader.option(reader.i128)
    reader.option(reader.i128)
    return Sequence(column, 1 if start is None else start, reader.i128())


def _unique(reader: Reader) -> tuple[int, ...]:
    reader.option(reader.text)
    reader.uint(1)
    return reader.columns()


def _table(reader: Reader) -> TableDef:
    """The part of a table that versions 9 and 10 share."""
    name = reader.text()
    row = reader.uint(4)
    primary_key = list(reader.columns())
    indexes = reader.array(lambda: _index(reader, name))
    unique = reader.array(lambda: _unique(reader))
    sequences = reader.array(lambda: _sequence(reader))
    return TableDef(name, row, primary_key, indexes, unique, sequences)


def _schedule_v9(reader: Reader) -> None:
    reader.option(reader.text)
    reader.text()
    reader.uint(2)


def _table_v9(reader: Reader) -> TableDef:
    table = _table(reader)
    reader.option(lambda: _schedule_v9(reader))
    reader.take(2)  # type and access
    return table


def _params(reader: Reader) -> None:
    reader.array(lambda: (reader.option(reader.text), reader.type()))


def _reducer_v9(reader: Reader) -> str:
    name = reader.text()
    _params(reader)
    reader.option(lambda: reader.uint(1))
    return name


def _type_name(reader: Reader) -> str:
    reader.array(reader.text)
    name = reader.text()
    reader.take(5)  # the type, and whether its order is its own
    return name


def _misc_v9(reader: Reader, module: ModuleDef) -> None:
    kind = reader.uint(1)
    if kind == 0:
        reader.text()
        reader.uint(2)
        reader.take(reader.uint(4))
    elif kind == 1:
        module.procedures.append(reader.text())
        _params(reader)
        reader.type()
    else:
        _view(reader, module)


def _view(reader: Reader, module: ModuleDef) -> None:
    module.views.append(reader.text())
    reader.take(6)  # index, public, anonymous
    _params(reader)
    reader.type()


def _v9(reader: Reader) -> ModuleDef:
    module = ModuleDef(9, types=reader.array(reader.type))
    module.tables = reader.array(lambda: _table_v9(reader))
    module.reducers = reader.array(lambda: _reducer_v9(reader))
    reader.array(lambda: _type_name(reader))
    reader.array(lambda: _misc_v9(reader, module))
    reader.array(reader.text)
    return module


def _table_v10(reader: Reader) -> TableDef:
    table = _table(reader)
    reader.take(2)  # type and access
    reader.array(lambda: (reader.uint(2), reader.take(reader.uint(4))))
    reader.take(1)  # whether its rows are events
    return table


def _reducer_v10(reader: Reader) -> str:
    name = reader.text()
    _params(reader)
    reader.take(1)
    reader.type()
    reader.type()
    return name


def _procedure_v10(reader: Reader) -> str:
    name = reader.text()
    _params(reader)
    reader.type()
    reader.take(1)
    return name


def _schedule_v10(reader: Reader) -> None:
    reader.option(reader.text)
    reader.text()
    reader.uint(2)
    reader.text()


def _explicit_name(reader: Reader) -> None:
    reader.take(1)
    reader.text()
    reader.text()


def _v10(reader: Reader) -> ModuleDef:
    """Sections in any order."""
    module = ModuleDef(10)
    for _ in range(reader.uint(4)):
        _section_v10(reader.uint(1), reader, module)
    return module


def _section_v10(tag: int, reader: Reader, module: ModuleDef) -> None:
    if tag == 0:
        module.types = reader.array(reader.type)
    elif tag == 2:
        module.tables = reader.array(lambda: _table_v10(reader))
    elif tag == 3:
        module.reducers = reader.array(lambda: _reducer_v10(reader))
    elif tag == 4:
        module.procedures = reader.array(lambda: _procedure_v10(reader))
    elif tag in _OTHERS:
        read = _OTHERS[tag]
        reader.array(lambda: read(reader, module))
    elif tag == 9:
        reader.take(1)
    else:
        raise DescriptionError(f"a section {tag} that this host does not know")


_OTHERS: dict[int, Callable[[Reader, ModuleDef], object]] = {
    1: lambda reader, _: _type_name(reader),
    5: _view,
    6: lambda reader, _: _schedule_v10(reader),
    7: lambda reader, _: (reader.take(1), reader.text()),
    8: lambda reader, _: reader.text(),
    10: lambda reader, _: _explicit_name(reader),
    11: lambda reader, _: reader.text(),
    13: lambda reader, _: (reader.text(), reader.array(reader.text)),
}
