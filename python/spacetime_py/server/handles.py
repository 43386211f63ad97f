"""Tables and indexes as reducers use them: `ctx.db[Item]`, `ctx.db[Item.id]`.

Nothing is kept here: every operation goes to the database, inside of the running transaction.
Iterators read on while they are used; a table must not be changed meanwhile: `list(...)` first.
"""

from __future__ import annotations

from . import _guest
from ._light import TYPE_CHECKING, Generic, Key, Row
from .errors import HostError, NoSuchRow, UniqueViolation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, overload

    from ._guest import Codec
    from .declare import IndexedColumns, UniqueColumn

_UNBOUNDED = b"\x02"
_INCLUDED = b"\x00"
_EXCLUDED = b"\x01"


class Table(Generic[Row]):
    """The rows of a table. Its indexes are attributes too, by name, for those who need no types."""

    if TYPE_CHECKING:

        def __getattr__(self, index: str) -> Any: ...

    def __init__(self, name: str, row: Codec, generated: Codec | None, names: tuple[str, ...]):
        self._name = name
        self._row = row
        self._generated = generated
        self._names = names
        self._id = 0

    def insert(self, row: Row) -> Row:
        """Insert a row and give it back, its auto-increment columns filled in.

        Raises UniqueViolation, AutoIncOverflow; TypeError or OverflowError for a wrong value.
        """
        try:
            inserted: Row = _guest.insert(
                self._id or self._ask(), self._row, row, self._generated, self._names
            )
        except HostError as error:
            raise _told(error, self._name) from None
        return inserted

    def insert_many(self, rows: Iterable[Row]) -> int:
        """Insert rows, several at a time, and give their number. Faster than a loop.

        Raises what `insert` raises.
        """
        table = self._id or self._ask()
        try:
            return _guest.insert_many(table, self._row, rows, self._generated, self._names)
        except HostError as error:
            raise _told(error, self._name) from None

    def delete(self, row: Row) -> bool:
        """Delete the row that is equal to this one in all columns. False: there was none."""
        return _guest.delete_rows(self._id or self._ask(), self._row, (row,)) > 0

    def delete_many(self, rows: Iterable[Row]) -> int:
        """Delete the rows that are equal to these, and give how many there were."""
        return _guest.delete_rows(self._id or self._ask(), self._row, rows)

    def clear(self) -> int:
        """Delete all rows, and give how many there were."""
        table = self._id or self._ask()
        if _guest.INSIDE and _guest.ABI >= (10, 5):
            return _guest.clear(table)
        return _guest.delete_rows(table, self._row, list(_guest.scan(table, self._row)))

    def count(self) -> int:
        """The number of rows; the same as `len(table)`. Takes no longer for more rows."""
        return _guest.row_count(self._id or self._ask())

    def iter(self) -> Iterator[Row]:
        """All rows in no order; the same as `iter(table)`."""
        return _guest.scan(self._id or self._ask(), self._row)

    def __len__(self) -> int:
        return _guest.row_count(self._id or self._ask())

    def __bool__(self) -> bool:
        """A table is there, with rows or without."""
        return True

    def __iter__(self) -> Iterator[Row]:
        return _guest.scan(self._id or self._ask(), self._row)

    def __repr__(self) -> str:
        return f"<table {self._name}>"

    def _ask(self) -> int:
        """The table's number. Never before the first use: databases number tables differently."""
        self._id = _guest.table_id(self._name)
        return self._id


class _OrderedIndex(Generic[Row, Key]):
    __slots__ = ("_columns", "_id", "_key", "_keys", "_label", "_name", "_row", "_table")

    def __init__(
        self, table: Table[Row], name: str, label: str, keys: list[Codec], columns: tuple[str, ...]
    ) -> None:
        self._table = table
        self._row = table._row
        self._name = name
        self._label = label
        self._keys = keys
        self._key = keys[0]
        self._columns = columns
        self._id = 0

    def range(
        self,
        start: Key | None = None,
        end: Key | None = None,
        *,
        include_start: bool = True,
        include_end: bool = False,
    ) -> Iterator[Row]:
        """The rows from `start` to `end` in the order of their keys.

        None is an open end. `start` belongs to the range and `end` does not, unless the flags say
        otherwise. Of several columns, all but the last that is given must be the same in both: an
        end that is shorter by one is open, `range((3, 10), (3,), include_end=True)`.

        Raises ValueError for a range that one scan cannot give, TypeError for a wrong value.
        """
        bounds = self._bounds(start, end, include_start, include_end)
        if bounds is None:
            return iter(())
        return _guest.index_scan(self._id or self._ask(), self._row, *bounds)

    def delete_range(
        self,
        start: Key | None = None,
        end: Key | None = None,
        *,
        include_start: bool = True,
        include_end: bool = False,
    ) -> int:
        """Delete the rows that `range` would give, and give how many there were."""
        bounds = self._bounds(start, end, include_start, include_end)
        return 0 if bounds is None else _guest.delete_where(self._id or self._ask(), *bounds)

    def __repr__(self) -> str:
        return f"<index {self._label}>"

    def _ask(self) -> int:
        self._id = _guest.index_id(self._name)
        return self._id

    def _bounds(
        self, start: object, end: object, include_start: bool, include_end: bool
    ) -> tuple[bytes, int, bytes, bytes] | None:
        """What the host takes for a range: equal columns, and two bounds of the next one."""
        first, last = self._parts(start), self._parts(end)
        shared = max(len(first), len(last), 1) - 1
        if min(len(first), len(last)) < shared or first[:shared] != last[:shared]:
            raise ValueError(
                f"{self._label}: all but the last value of start and end must be the same"
            )
        # An end that stops at the shared columns stands for all that begins with them.
        if (len(first) == shared and not (include_start or start is None)) or (
            len(last) == shared and not (include_end or end is None)
        ):
            return None
        low = self._bound(first[shared:], include_start, shared)
        high = self._bound(last[shared:], include_end, shared)
        return self._encoded(first[:shared]), shared, low, high

    def _bound(self, part: tuple[object, ...], include: bool, column: int) -> bytes:
        if not part:
            return _UNBOUNDED
        return (_INCLUDED if include else _EXCLUDED) + _guest.encode(self._keys[column], part[0])

    def _encoded(self, parts: tuple[object, ...]) -> bytes:
        return b"".join([_guest.encode(key, part) for key, part in zip(self._keys, parts)])  # noqa: B905

    def _parts(self, key: object) -> tuple[object, ...]:
        if key is None:
            return ()
        if len(self._keys) == 1:
            return (key,)
        if not isinstance(key, tuple):
            raise TypeError(f"{self._label}: the key of several columns is a tuple, not {key!r}")
        if not 0 < len(key) <= len(self._keys):  # pyright: ignore[reportUnknownArgumentType]
            raise ValueError(f"{self._label}: a key has 1 to {len(self._keys)} values, not {key!r}")
        return key  # pyright: ignore[reportUnknownVariableType]

    def _point(self, key: object) -> tuple[bytes, int, bytes, bytes]:
        """The bounds of all rows whose first columns are these."""
        *prefix, last = self._parts(key)
        bound = _INCLUDED + _guest.encode(self._keys[len(prefix)], last)
        return self._encoded(tuple(prefix)), len(prefix), bound, bound


class UniqueIndex(_OrderedIndex[Row, Key]):
    """A unique column of a table: at most one row for each value."""

    __slots__ = ()

    def find(self, key: Key) -> Row | None:
        """The row with this value. Raises TypeError or OverflowError for a wrong one."""
        row: Row | None = _guest.find(self._id or self._ask(), self._row, self._key, key)
        return row

    def update(self, row: Row) -> Row:
        """Put this row in the place of the one that has its value of this column.

        Raises NoSuchRow when there is none; UniqueViolation for another column.
        """
        table = self._table
        try:
            updated: Row = _guest.update(
                table._id or table._ask(),
                self._id or self._ask(),
                self._row,
                row,
                table._generated,
                table._names,
            )
        except HostError as error:
            raise _told(error, self._label) from None
        return updated

    def delete(self, key: Key) -> bool:
        """Delete the row with this value. False: there was none."""
        return _guest.delete_key(self._id or self._ask(), self._key, key) > 0


class Index(_OrderedIndex[Row, Key]):
    """An index of a table that is not unique: any number of rows for each value.

    A key is the value of the column; of an index over several columns a tuple of their values, or
    of the first ones: then it stands for all keys that begin with them.
    """

    __slots__ = ()

    def filter(self, key: Key) -> Iterator[Row]:
        """The rows of this key. Raises TypeError or OverflowError for a wrong value."""
        index = self._id or self._ask()
        if len(self._keys) == 1:
            return _guest.filter(index, self._row, self._key, key)
        return _guest.index_scan(index, self._row, *self._point(key))

    def count(self, key: Key) -> int:
        """How many rows `filter` gives; it has to read them."""
        return sum(1 for _ in self.filter(key))

    def delete(self, key: Key) -> int:
        """Delete the rows of this key, and give how many there were."""
        index = self._id or self._ask()
        if len(self._keys) == 1:
            return _guest.delete_key(index, self._key, key)
        return _guest.delete_where(index, *self._point(key))


if TYPE_CHECKING:

    class Database:
        """The tables of the module: `ctx.db[Item]`, its indexes: `ctx.db[Item.id]`.

        `ctx.db.item` and `ctx.db.item.id` are the same, without types.
        """

        @overload
        def __getitem__(self, key: UniqueColumn[Row, Key]) -> UniqueIndex[Row, Key]: ...
        @overload
        def __getitem__(self, key: IndexedColumns[Row, Key]) -> Index[Row, Key]: ...
        @overload
        def __getitem__(self, key: type[Row]) -> Table[Row]: ...
        def __getitem__(self, key: Any) -> Any: ...
        def __getattr__(self, table: str) -> Any: ...

else:

    class Database(dict):
        """A dict, because nothing in Python is looked up faster."""

        __hash__ = object.__hash__

        def __missing__(self, key):
            name = getattr(key, "__name__", repr(key))
            raise KeyError(f"{name} is no table of this module: put @table over the class")

        def __getattr__(self, name):
            raise AttributeError(
                f"there is no table {name!r}; there are {', '.join(sorted(vars(self)))}"
            )

        def __repr__(self):
            return f"<database with {', '.join(sorted(vars(self)))}>"


database = Database()


def _told(error: HostError, place: str) -> HostError:
    """The same error, saying where it happened."""
    error.table = place
    if isinstance(error, UniqueViolation):
        error.args = (f"{place}: a row with the same value of a unique column is there already",)
    elif isinstance(error, NoSuchRow):
        error.args = (f"{place}: there is no row with this key to update",)
    return error
