"""Live rows: one row, or those of a table that a key or a condition chooses, kept current.

Before this file: `listeners.py`, where they hear of changes. After it: `stream.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from typing_extensions import Self

from ._core import TableCache
from .callbacks import CallbackList
from .changes import Added, Change, Removed, Updated
from .context import EventContext
from .exceptions import SpacetimeDBError
from .listeners import RowCallbacks
from .queues import RowOverflow, row_queue
from .stream import Feed, Stream

_Row = TypeVar("_Row")
_OnRow = Callable[[EventContext[Any], _Row], object]
_OnUpdate = Callable[[EventContext[Any], _Row, _Row], object]


class Live(Generic[_Row]):
    """What live rows of all kinds have in common."""

    def __init__(self, table: RowCallbacks, what: str) -> None:
        self._table = table
        self._what = what
        self._on_added = CallbackList(f"on_added of {what}")
        self._on_updated = CallbackList(f"on_updated of {what}")
        self._on_removed = CallbackList(f"on_removed of {what}")
        self._feed: Feed[Change[_Row]] = Feed(table.hub, f"changes of {what}", row_queue)
        self._untold: list[Change[_Row]] = []
        table.hub.call(self._open)

    def on_added(self, callback: _OnRow[_Row]) -> _OnRow[_Row]:
        """Call `callback(context, row)` for each row that comes to be among these.

        Returns the callback, so that it works as a decorator. Raises TypeError for an async one.
        """
        self._on_added.add(callback)
        return callback

    def on_updated(self, callback: _OnUpdate[_Row]) -> _OnUpdate[_Row]:
        """Call `callback(context, old, new)` for each row that changed and is among these still."""
        self._on_updated.add(callback)
        return callback

    def on_removed(self, callback: _OnRow[_Row]) -> _OnRow[_Row]:
        """Call `callback(context, row)` for each row that is not among these any more.

        It left the table, or was changed so that it does not belong to them: `row` is as it was.
        """
        self._on_removed.add(callback)
        return callback

    def remove_on_added(self, callback: Callable[..., object]) -> None:
        """Undo one `on_added`. Raises ValueError when the callback is not registered."""
        self._on_added.remove(callback)

    def remove_on_updated(self, callback: Callable[..., object]) -> None:
        """Undo one `on_updated`. Raises ValueError when the callback is not registered."""
        self._on_updated.remove(callback)

    def remove_on_removed(self, callback: Callable[..., object]) -> None:
        """Undo one `on_removed`. Raises ValueError when the callback is not registered."""
        self._on_removed.remove(callback)

    def changes(
        self, *, existing: bool = False, size: int = 1000, overflow: RowOverflow = "error"
    ) -> Stream[Change[_Row]]:
        """A stream of `Added`, `Updated` and `Removed`, as `Table.changes` gives."""
        there = self._existing if existing else None
        return self._feed.open(size, overflow, there)

    def close(self) -> None:
        """Stay as it is from now on; its streams end."""
        self._table.hub.call(self._close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _open(self) -> None:
        self._fill()
        self._since = self._table.hub.message
        self._table.add_live(self)
        self._feed.follow(self._table.feed)

    def end(self, error: SpacetimeDBError | None) -> None:
        """The connection has ended."""
        self._feed.end(error)

    def _close(self) -> None:
        self._table.remove_live(self)
        self._feed.end(None)

    def update(self, changes: Sequence[Change[_Row]], is_event: bool) -> None:
        """Become current. Nobody is told yet."""
        if self._since != self._table.hub.message:
            self._untold += self._follow(changes, is_event)

    def tell(self, context: EventContext[Any]) -> None:
        """Tell callbacks and streams what the last updates changed."""
        untold, self._untold = self._untold, []
        for change in untold:
            if isinstance(change, Updated):
                self._call(self._on_updated, context, change.old, change.new)
            elif isinstance(change, Added):
                self._call(self._on_added, context, change.row)
            else:
                self._call(self._on_removed, context, change.row)
            self._feed.push(change)

    def _call(self, which: CallbackList, *args: object) -> None:
        for callback in which.callbacks:
            self._table.guard.call(which.place, callback, *args)

    def _existing(self) -> list[Change[_Row]]:
        return [Added(row) for row in self._rows_now()]

    def _fill(self) -> None:
        """Take the rows that are there."""
        raise NotImplementedError

    def _rows_now(self) -> list[_Row]:
        raise NotImplementedError

    def _follow(self, changes: Sequence[Change[_Row]], is_event: bool) -> list[Change[_Row]]:
        """Become current, and give what that changed."""
        raise NotImplementedError


class LiveRow(Live[_Row]):
    """The row with one value of a unique column, or None while there is none.

    It is current in every callback, and as it was last when the connection has ended. Its `close()`
    and a `with` end it; otherwise it lives as long as the connection.
    """

    def __init__(self, table: RowCallbacks, cache: TableCache, column: int, key: object) -> None:
        self._unique = cache.unique(column)
        self._key = key
        self._row: _Row | None = None
        super().__init__(table, f"a live row of table `{table.name}`")

    @property
    def row(self) -> _Row | None:
        """The row as it is now."""
        return self._row

    def __repr__(self) -> str:
        return f"<{self._what}: {self._row!r}>"

    def _fill(self) -> None:
        self._row = self._unique.find(self._key)

    def _rows_now(self) -> list[_Row]:
        return [] if self._row is None else [self._row]

    def _follow(self, changes: Sequence[Change[_Row]], is_event: bool) -> list[Change[_Row]]:
        old = self._row
        self._fill()
        new = self._row
        if old == new:
            return []
        event = changes[0].event if changes else None
        if old is None:
            assert new is not None
            return [Added(new, event)]
        return [Removed(old, event)] if new is None else [Updated(old, new, event)]


class LiveRows(Live[_Row]):
    """The rows of a table that a key or a condition chooses, in the order in which they came.

    They are current in every callback, and as they were last when the connection has ended. Its
    `close()` and a `with` end it; otherwise it lives as long as the connection.
    """

    def __init__(
        self,
        table: RowCallbacks,
        first: Callable[[], Iterable[_Row]],
        where: Callable[[_Row], bool],
    ) -> None:
        self._first = first
        self._where = where
        self._rows: dict[_Row, None] = {}
        super().__init__(table, f"live rows of table `{table.name}`")

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[_Row]:
        """Over the rows of now: later changes do not touch the iterator."""
        return iter(list(self._rows))

    def __contains__(self, row: object) -> bool:
        return row in self._rows

    def __repr__(self) -> str:
        return f"<{len(self)} {self._what}>"

    def _fill(self) -> None:
        self._rows = {row: None for row in self._first() if self._is_chosen(row)}

    def _rows_now(self) -> list[_Row]:
        return list(self._rows)

    def _follow(self, changes: Sequence[Change[_Row]], is_event: bool) -> list[Change[_Row]]:
        found: list[Change[_Row]] = []
        for change in changes:
            old = change.old if isinstance(change, Updated) else change.row
            was_here = not isinstance(change, Added) and old in self._rows
            is_here = not isinstance(change, Removed) and self._is_chosen(change.row)
            if was_here:
                del self._rows[old]
            if is_here and not is_event:
                self._rows[change.row] = None
            if was_here and is_here:
                found.append(change)
            elif was_here:
                found.append(Removed(old, change.event))
            elif is_here:
                found.append(Added(change.row, change.event))
        return found

    def _is_chosen(self, row: _Row) -> bool:
        """A condition that raises is reported as a callback that does, and chooses nothing."""
        try:
            return bool(self._where(row))
        except Exception as error:
            self._table.guard.report(f"the condition of {self._what}", self._where, error)
            return False
