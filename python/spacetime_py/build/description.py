"""What `__describe_module__` gives, as the host's tables need it, and BSATN by its types."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .._core import schema_json
from ..http.definition import Definition, name_of

_T = TypeVar("_T")

REF, SUM, PRODUCT, ARRAY, STRING, BOOL = range(6)
FIRST_INT, LAST_INT = 6, 17
F32, F64 = 18, 19
_INTS = tuple(f"{sign}{8 << power}" for power in range(6) for sign in "IU")
_PLAIN = ("String", "Bool", *_INTS, "F32", "F64")


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
    types: list[Type]
    tables: list[TableDef]
    reducers: list[str]
    procedures: list[str]
    views: list[str]


class Reader:
    """BSATN from its start to its end."""

    def __init__(self, data: bytes, types: list[Type] | None = None) -> None:
        self.data = data
        self.at = 0
        self.types = types if types is not None else []

    def take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise ValueError(f"{size} bytes are needed and {len(self.data) - self.at} left")
        self.at += size
        return self.data[self.at - size : self.at]

    def uint(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def text(self) -> str:
        return self.take(self.uint(4)).decode()

    def array(self, read: Callable[[], _T]) -> list[_T]:
        return [read() for _ in range(self.uint(4))]

    def value(self, of: Type) -> Any:
        """A value that sorts as the database sorts it: products are tuples, sums (tag, payload)."""
        if of.tag == REF:
            return self.value(self.types[of.ref])
        if of.tag == PRODUCT:
            return tuple([self.value(part) for part in of.parts])
        if of.tag == SUM:
            tag = self.uint(1)
            if tag >= len(of.parts):
                raise ValueError(f"a sum of {len(of.parts)} variants has no variant {tag}")
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
            raise ValueError(f"{len(self.data) - self.at} bytes too many")


def int_size(of: Type) -> int:
    """Bytes of an integer type."""
    return 1 << (of.tag - FIRST_INT) // 2


def parse(description: bytes) -> ModuleDef:
    """A description of version 9 or 10. Raises CodegenError."""
    ((version, schema),) = json.loads(schema_json(description)).items()
    definition = Definition(schema)
    types = [_type(one) for one in definition.types]
    functions = list(definition.functions())
    return ModuleDef(
        version=int(version.removeprefix("V")),
        types=types,
        tables=[_table(one, types) for one in definition.tables()],
        reducers=[one.name for one in functions if one.kind == "reducer"],
        procedures=[one.name for one in functions if one.kind == "procedure"],
        views=[name_of(one) for one in definition.views()],
    )


_Json = Mapping[str, Any]


def _type(kind: _Json) -> Type:
    ((name, body),) = kind.items()
    if name == "Ref":
        return Type(REF, ref=body)
    if name == "Array":
        return Type(ARRAY, 0, (None,), (_type(body),))
    if name in ("Sum", "Product"):
        elements = body["variants" if name == "Sum" else "elements"]
        return Type(
            SUM if name == "Sum" else PRODUCT,
            0,
            tuple(one["name"].get("some") for one in elements),
            tuple(_type(one["algebraic_type"]) for one in elements),
        )
    return Type(_PLAIN.index(name) + STRING)


def _table(table: _Json, types: list[Type]) -> TableDef:
    place: int = table["product_type_ref"]
    return TableDef(
        name_of(table),
        place,
        table["primary_key"],
        [_index(one, name_of(table), types[place]) for one in table["indexes"]],
        [tuple(one["data"]["Unique"]["columns"]) for one in table["constraints"]],
        [
            Sequence(one["column"], one["start"].get("some", 1), one["increment"])
            for one in table["sequences"]
        ],
    )


def _index(index: _Json, table: str, row: Type) -> Index:
    """One that has no name is called as a server calls it."""
    algorithm: dict[str, Any] = index["algorithm"]
    ((kind, found),) = algorithm.items()
    columns: tuple[int, ...] = (found,) if kind == "Direct" else tuple(found)
    given = index.get("name") or index["source_name"]
    named = "_".join(str(row.names[column]) for column in columns)
    return Index(given.get("some") or f"{table}_{named}_idx_{kind.lower()}", columns)
