"""Tables as the user sees them: cached rows, indexes, row callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from ._core import Connection, TableCache
from .changes import Added, Change
from .context import EventContext
from .conversion import each_into
from .listeners import RowCallbacks
from .live import LiveRow, LiveRows
from .names import no_such
from .queues import RowOverflow
from .stream import Stream

_Row = TypeVar("_Row")
_Model = TypeVar("_Model")
_Key = TypeVar("_Key")


class _OrderedIndex(Generic[_Row, _Key]):
    __slots__ = ("_cache", "_columns", "_listeners", "_ordered")

    def __init__(
        self, cache: TableCache, columns: tuple[int, ...], listeners: RowCallbacks
    ) -> None:
        self._cache = cache
        self._columns = columns
        self._ordered = cache.ordered(columns)
        self._listeners = listeners

    def range(
        self,
        start: _Key | None = None,
        end: _Key | None = None,
        *,
        include_start: bool = True,
        include_end: bool = False,
        reverse: bool = False,
        limit: int | None = None,
    ) -> list[_Row]:
        """The cached rows from `start` to `end` in the order of their keys, at most `limit`.

        None is an open end. `start` belongs to the range and `end` does not, unless the flags say
        otherwise; with a shorter tuple that goes for all keys that begin with it. `reverse` gives
        the last ones first. Takes log n steps and one for each row that is given.

        Raises EncodeError for a value of a wrong type, ValueError for too many or no values.
        """
        return self._ordered.range(
            start,
            end,
            include_start=include_start,
            include_end=include_end,
            reverse=reverse,
            limit=limit,
        )


class UniqueIndex(_OrderedIndex[_Row, _Key]):
    """A unique column of a table: at most one row for each value."""

    __slots__ = ("_column", "_unique")

    def __init__(self, cache: TableCache, column: int, listeners: RowCallbacks) -> None:
        super().__init__(cache, (column,), listeners)
        self._column = column
        self._unique = cache.unique(column)

    def find(self, key: _Key) -> _Row | None:
        """The cached row with this value, in constant time. Raises EncodeError for a wrong type."""
        row: _Row | None = self._unique.find(key)
        return row

    def live(self, key: _Key) -> LiveRow[_Row]:
        """The row with this value, kept current, and told of when it comes, changes and leaves.

        Raises EncodeError for a wrong type.
        """
        return LiveRow(self._listeners, self._cache, self._column, key)


class Index(_OrderedIndex[_Row, _Key]):
    """An index of a table that is not unique: any number of rows for each value.

    A key is the value of the column. Of an index over several columns it is a tuple of their
    values, or of the first ones: then it stands for all keys that begin with them. Rows come in
    the order of their keys, rows of one key in no particular order.

    Sorting n rows is the price of the first use, log n steps that of each later change.
    """

    __slots__ = ()

    def filter(self, key: _Key) -> list[_Row]:
        """The cached rows of this key, in log n steps and one for each row that is found.

        Raises EncodeError for a value of a wrong type, ValueError for too many or no values.
        """
        return self._ordered.filter(key)

    def count(self, key: _Key) -> int:
        """The same as `len(index.filter(key))`, without making the rows."""
        return self._ordered.count(key)

    def live(self, key: _Key) -> LiveRows[_Row]:
        """The rows of this key, kept current, and told of when they come, change and leave.

        Raises EncodeError for a value of a wrong type, ValueError for too many or no values.
        """
        first = partial(self.filter, key)
        is_tuple = len(self._columns) > 1 and isinstance(key, tuple)
        wanted: tuple[object, ...] = key if is_tuple else (key,)  # type: ignore[assignment]
        columns = self._columns[: len(wanted)]

        def has_key(row: Any) -> bool:
            names: tuple[str, ...] = row.__match_args__
            return tuple(getattr(row, names[column]) for column in columns) == wanted

        return LiveRows(self._listeners, first, has_key)


class Table(Generic[_Row]):
    """The rows of a table that live subscriptions cover, and callbacks. Base of generated classes.

    Rows are immutable and made anew on each access: compare them by `==`. A callback is a plain
    function, called once for each time it was registered; docs/topics/callbacks.md says the rest.
    """

    _name: ClassVar[str]
    _unique: ClassVar[Mapping[str, int]] = {}
    _indexes: ClassVar[Mapping[str, tuple[int, ...]]] = {}

    def __init__(self, core: Connection, callbacks: Mapping[str, RowCallbacks]) -> None:
        self._cache: TableCache = core.table(self._name)
        self._callbacks = callbacks[self._name]
        for name, column in self._unique.items():
            unique: UniqueIndex[Any, Any] = UniqueIndex(self._cache, column, self._callbacks)
            setattr(self, name, unique)
        for name, columns in self._indexes.items():
            index: Index[Any, Any] = Index(self._cache, columns, self._callbacks)
            setattr(self, name, index)

    def count(self) -> int:
        """The number of cached rows; the same as `len(table)`."""
        return len(self._cache)

    @overload
    def iter(self) -> Iterator[_Row]: ...

    @overload
    def iter(self, *, into: type[_Model]) -> Iterator[_Model]: ...

    def iter(self, *, into: type[Any] | None = None) -> Iterator[Any]:
        """The cached rows in no order; the same as `iter(table)`.

        `into`: a class of your own to make of each row, as `spacetime_py.into` does.
        Raises RuntimeError when the table changes meanwhile: use `list(table)` around an await;
        ConversionError.
        """
        return iter(self) if into is None else each_into(self, into)

    def __len__(self) -> int:
        return len(self._cache)

    def __iter__(self) -> Iterator[_Row]:
        if self._callbacks.hub.elsewhere is None:
            return iter(self._cache)
        # The table may change at any time, seen from another thread.
        return iter(self._callbacks.hub.call(lambda: list(self._cache)))

    def __contains__(self, row: object) -> bool:
        return row in self._cache

    def changes(
        self, *, existing: bool = False, size: int = 1000, overflow: RowOverflow = "error"
    ) -> Stream[Change[_Row]]:
        """A stream of `Added`, `Updated` and `Removed`, from now on.

        `existing` gives the rows that are there first, as `Added`; between them and the changes
        nothing is missing or told twice. At most `size` changes wait to be read. One more ends the
        stream with StreamOverflow (`overflow="error"`) or costs the oldest (`"drop_oldest"`);
        `"conflate"` folds what happens to a row that waits into one change instead of counting.
        """
        return self._callbacks.feed.open(size, overflow, self._existing if existing else None)

    def live(self, where: Callable[[_Row], bool]) -> LiveRows[_Row]:
        """The rows that meet a condition, kept current, told of when they come, change and leave.

        `where` is asked once for each row that comes or changes, and should depend on the row only.
        """
        return LiveRows(self._callbacks, lambda: self._cache, where)

    def _existing(self) -> list[Change[_Row]]:
        return [Added(row) for row in self._cache]

    def on_insert(
        self, callback: Callable[[EventContext[Any], _Row], object]
    ) -> Callable[[EventContext[Any], _Row], object]:
        """Call `callback(context, row)` for each row that comes into the cache.

        Returns the callback, so that it works as a decorator. Raises TypeError for an async one.
        """
        self._callbacks.inserts.add(callback)
        return callback

    def on_delete(
        self, callback: Callable[[EventContext[Any], _Row], object]
    ) -> Callable[[EventContext[Any], _Row], object]:
        """Call `callback(context, row)` for each row that left the cache. See `on_insert`."""
        self._callbacks.deletes.add(callback)
        return callback

    def on_update(
        self, callback: Callable[[EventContext[Any], _Row, _Row], object]
    ) -> Callable[[EventContext[Any], _Row, _Row], object]:
        """Call `callback(context, old, new)` for each row that changed and kept its primary key.

        See `on_insert`. Tables without a primary key have deletes and inserts only.
        """
        self._callbacks.updates.add(callback)
        return callback

    def remove_on_insert(self, callback: Callable[..., object]) -> None:
        """Undo one `on_insert`. Raises ValueError when the callback is not registered."""
        self._callbacks.inserts.remove(callback)

    def remove_on_delete(self, callback: Callable[..., object]) -> None:
        """Undo one `on_delete`. Raises ValueError when the callback is not registered."""
        self._callbacks.deletes.remove(callback)

    def remove_on_update(self, callback: Callable[..., object]) -> None:
        """Undo one `on_update`. Raises ValueError when the callback is not registered."""
        self._callbacks.updates.remove(callback)

    def __repr__(self) -> str:
        return f"<table {self._name}, {len(self)} rows>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            indexes = [*self._unique, *self._indexes]
            raise no_such(self, f"index or method of table `{self._name}` called", name, indexes)


class Tables:
    """The tables and views of a module, one attribute each. Base of generated classes."""

    _tables: ClassVar[Mapping[str, type[Table[Any]]]] = {}

    def __init__(self, core: Connection, callbacks: Mapping[str, RowCallbacks]) -> None:
        # A module may have many tables, and a program many connections: handles are made when used.
        self.__core = core
        self.__callbacks = callbacks

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self._tables]

    def __repr__(self) -> str:
        tables: list[Table[Any]] = [getattr(self, attribute) for attribute in self._tables]
        counts = (
            f"{name} ({len(table)})" for name, table in zip(self._tables, tables, strict=True)
        )
        return f"<tables: {', '.join(counts)}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            table = self._tables.get(name)
            if table is None:
                raise no_such(self, "table", name, self._tables)
            # One for all threads.
            return self.__dict__.setdefault(name, table(self.__core, self.__callbacks))
