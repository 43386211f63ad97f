"""Tables in memory with what a database promises: uniqueness, sequences, indexes, transactions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from .description import FIRST_INT, ModuleDef, Reader, TableDef, Type, int_size

BSATN_DECODE_ERROR = 3
NO_SUCH_TABLE = 4
NO_SUCH_INDEX = 5
UNIQUE_ALREADY_EXISTS = 12
INDEX_NOT_UNIQUE = 14
NO_SUCH_ROW = 15
AUTO_INC_OVERFLOW = 16

FIRST_TABLE_ID = 4096
"""As on servers, whose own tables come before."""

INCLUDED, EXCLUDED, UNBOUNDED = range(3)


class HostRefusal(Exception):
    """A call that the host answers with an error number."""

    def __init__(self, errno: int) -> None:
        super().__init__(errno)
        self.errno = errno


@dataclass
class Table:
    """Rows by their bytes, with their values; by unique columns too."""

    definition: TableDef
    types: list[Type]
    rows: dict[bytes, tuple[Any, ...]] = field(default_factory=dict[bytes, "tuple[Any, ...]"])
    by_key: dict[tuple[int, ...], dict[Any, bytes]] = field(init=False)
    counters: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.by_key = {columns: {} for columns in self.definition.unique}
        self.counters = {one.column: one.start for one in self.definition.sequences}

    @property
    def type(self) -> Type:
        return self.types[self.definition.row]

    def read(self, data: bytes) -> tuple[Any, ...]:
        reader = Reader(data, self.types)
        try:
            row: tuple[Any, ...] = reader.value(self.type)
            reader.end()
        except ValueError:
            raise HostRefusal(BSATN_DECODE_ERROR) from None
        return row

    def add(self, data: bytes, row: tuple[Any, ...]) -> None:
        self.rows[data] = row
        for columns, keys in self.by_key.items():
            keys[_freeze(_pick(row, columns))] = data

    def remove(self, data: bytes) -> None:
        row = self.rows.pop(data)
        for columns, keys in self.by_key.items():
            del keys[_freeze(_pick(row, columns))]

    def clash(self, row: tuple[Any, ...]) -> bool:
        """Whether a unique column has the value already."""
        return any(_freeze(_pick(row, columns)) in keys for columns, keys in self.by_key.items())


class Database:
    """All tables of a module."""

    def __init__(self, module: ModuleDef) -> None:
        self.module = module
        self.tables = [Table(definition, module.types) for definition in module.tables]
        self.indexes = [
            (table, index) for table in self.tables for index in table.definition.indexes
        ]
        self._undo: list[tuple[Table, bool, bytes]] = []

    def begin(self) -> None:
        self._undo = []

    def end(self, *, commit: bool) -> None:
        """Keep what the transaction did, or take it back; numbers of sequences stay used."""
        undo, self._undo = self._undo, []
        if commit:
            return
        for table, was_added, data in reversed(undo):
            if was_added:
                table.remove(data)
            else:
                table.add(data, table.read(data))

    # ------------------------------------------------------------ names

    def table_id(self, name: str) -> int:
        for number, table in enumerate(self.tables):
            if table.definition.name == name:
                return FIRST_TABLE_ID + number
        raise HostRefusal(NO_SUCH_TABLE)

    def table(self, number: int) -> Table:
        if not 0 <= number - FIRST_TABLE_ID < len(self.tables):
            raise HostRefusal(NO_SUCH_TABLE)
        return self.tables[number - FIRST_TABLE_ID]

    def index_id(self, name: str) -> int:
        for number, (_, index) in enumerate(self.indexes):
            if index.name == name:
                return number + 1
        raise HostRefusal(NO_SUCH_INDEX)

    def _index(self, number: int) -> tuple[Table, tuple[int, ...]]:
        if not 0 < number <= len(self.indexes):
            raise HostRefusal(NO_SUCH_INDEX)
        table, index = self.indexes[number - 1]
        return table, index.columns

    # ------------------------------------------------------------ reading

    def range(
        self, index: int, prefix: bytes, elements: int, start: bytes, end: bytes
    ) -> list[bytes]:
        """Rows between two ends of the column behind the prefix, in the order of the index."""
        table, columns = self._index(index)
        types = [table.type.parts[column] for column in columns]
        reader = Reader(prefix, table.types)
        try:
            equal = tuple(reader.value(of) for of in types[:elements])
            low, high = (_bound(data, types[elements], table.types) for data in (start, end))
        except (ValueError, IndexError):
            raise HostRefusal(BSATN_DECODE_ERROR) from None
        found = [
            (_pick(row, columns), data)
            for data, row in table.rows.items()
            if _pick(row, columns[:elements]) == equal
            and _inside(row[columns[elements]], low, high)
        ]
        return [data for _, data in sorted(found, key=lambda one: one[0])]

    def point(self, index: int, key: bytes) -> list[bytes]:
        """Rows with exactly this value."""
        table, columns = self._index(index)
        reader = Reader(key, table.types)
        try:
            wanted = tuple(reader.value(table.type.parts[column]) for column in columns)
            reader.end()
        except ValueError:
            raise HostRefusal(BSATN_DECODE_ERROR) from None
        if columns in table.by_key:
            data = table.by_key[columns].get(_freeze(wanted))
            return [] if data is None else [data]
        return [data for data, row in table.rows.items() if _pick(row, columns) == wanted]

    # ------------------------------------------------------------ changing

    def insert(self, number: int, data: bytes) -> bytes:
        """Insert a row; gives the values of its sequences that were made."""
        table = self.table(number)
        data, generated = self._fill(table, data, table.read(data))
        row = table.read(data)
        if data not in table.rows:  # a table is a set of rows
            if table.clash(row):
                raise HostRefusal(UNIQUE_ALREADY_EXISTS)
            self._add(table, data, row)
        return generated

    def update(self, number: int, index: int, data: bytes) -> bytes:
        """Replace the row that has the same value in a unique column."""
        table = self.table(number)
        _, columns = self._index(index)
        if columns not in table.by_key:
            raise HostRefusal(INDEX_NOT_UNIQUE)
        old = table.by_key[columns].get(_freeze(_pick(table.read(data), columns)))
        if old is None:
            raise HostRefusal(NO_SUCH_ROW)
        self._remove(table, old)
        return self.insert(number, data)

    def delete(self, index: int, rows: list[bytes]) -> int:
        table, _ = self._index(index)
        for data in rows:
            self._remove(table, data)
        return len(rows)

    def delete_equal(self, number: int, relation: bytes) -> int:
        """Delete these rows, as many as there are."""
        table = self.table(number)
        reader = Reader(relation, table.types)
        count = 0
        for _ in range(reader.uint(4)):
            start = reader.at
            reader.value(table.type)
            data = relation[start : reader.at]
            if data in table.rows:
                self._remove(table, data)
                count += 1
        return count

    def clear(self, number: int) -> int:
        table = self.table(number)
        rows = list(table.rows)
        for data in rows:
            self._remove(table, data)
        return len(rows)

    def _add(self, table: Table, data: bytes, row: tuple[Any, ...]) -> None:
        table.add(data, row)
        self._undo.append((table, True, data))

    def _remove(self, table: Table, data: bytes) -> None:
        table.remove(data)
        self._undo.append((table, False, data))

    def _fill(self, table: Table, data: bytes, row: tuple[Any, ...]) -> tuple[bytes, bytes]:
        """The row with numbers in place of the zeros of its sequences, and these numbers."""
        generated = b""
        for one in sorted(table.definition.sequences, key=lambda one: one.column):
            of = table.type.parts[one.column]
            value = row[one.column]
            if value == 0:
                value = table.counters[one.column]
                if value.bit_length() > 8 * int_size(of) - (of.tag - FIRST_INT + 1) % 2:
                    raise HostRefusal(AUTO_INC_OVERFLOW)
                table.counters[one.column] += one.increment
                at = _offset(table, data, one.column)
                encoded = value.to_bytes(int_size(of), "little", signed=of.tag % 2 == 0)
                data = data[:at] + encoded + data[at + len(encoded) :]
                generated += encoded
        return data, generated


def _offset(table: Table, data: bytes, column: int) -> int:
    reader = Reader(data, table.types)
    for part in table.type.parts[:column]:
        reader.value(part)
    return reader.at


def _pick(row: tuple[Any, ...], columns: tuple[int, ...]) -> tuple[Any, ...]:
    return tuple([row[column] for column in columns])


def _freeze(value: Any) -> Any:
    """Hashable: lists become tuples."""
    if isinstance(value, (list, tuple)):
        return tuple([_freeze(one) for one in cast("Iterable[Any]", value)])
    return value


def _bound(data: bytes, of: Type, types: list[Type]) -> tuple[int, Any]:
    reader = Reader(data, types)
    kind = reader.uint(1)
    value = None if kind == UNBOUNDED else reader.value(of)
    reader.end()
    return kind, value


def _inside(value: Any, low: tuple[int, Any], high: tuple[int, Any]) -> bool:
    above = low[0] == UNBOUNDED or value > low[1] or (low[0] == INCLUDED and value == low[1])
    return above and (
        high[0] == UNBOUNDED or value < high[1] or (high[0] == INCLUDED and value == high[1])
    )
