"""Who hears of one table's changes: callbacks, live rows and streams.

Before this file: `dispatch.py`. After it: the user's callbacks, `live.py` and `stream.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from ._core import TableDiff
from .callbacks import CallbackList, Guard
from .changes import Change, changes_of
from .context import EventContext
from .exceptions import SpacetimeDBError
from .queues import row_queue
from .stream import Feed, Hub


class _Live(Protocol):
    """Live rows of any kind."""

    def update(self, changes: Sequence[Change[Any]], is_event: bool) -> None: ...
    def tell(self, context: EventContext[Any]) -> None: ...
    def end(self, error: SpacetimeDBError | None) -> None: ...


class Listeners(dict[str, "RowCallbacks"]):
    """Those of the tables that somebody has asked for, by name. `make` adds the others."""

    def __init__(self, make: Callable[[str], RowCallbacks]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, table: str) -> RowCallbacks:
        return self._make(table)


class RowCallbacks:
    """The listeners of one table.

    For each message `update` comes before the first callback of any table, so that all callbacks
    find live rows as the message left them; then come `run` and `tell`.
    """

    __slots__ = (
        "_untold",
        "deletes",
        "feed",
        "guard",
        "hub",
        "inserts",
        "lives",
        "name",
        "updates",
    )

    def __init__(self, table: str, hub: Hub | None = None, guard: Guard | None = None) -> None:
        self.name = table
        self.hub = hub or Hub()
        self.guard = guard or Guard(None)
        self.inserts = CallbackList(f"on_insert of table `{table}`")
        self.deletes = CallbackList(f"on_delete of table `{table}`")
        self.updates = CallbackList(f"on_update of table `{table}`")
        self.lives: tuple[_Live, ...] = ()
        self.feed: Feed[Change[Any]] = Feed(self.hub, f"changes of table `{table}`", row_queue)
        self._untold: list[Change[Any]] = []

    def add_live(self, live: _Live) -> None:
        """Keep it current from now on."""
        self.lives = (*self.lives, live)
        self.hub.others.add(live)

    def remove_live(self, live: _Live) -> None:
        """Undo `add_live`; nothing happens if that was done before."""
        self.lives = tuple(one for one in self.lives if one is not live)
        self.hub.others.discard(live)

    def update(self, diff: TableDiff, context: EventContext[Any]) -> None:
        """Live rows become current. Nobody is told yet."""
        if self.lives or self.feed.is_heard:
            changes = list(changes_of(diff, context.event))
            for live in self.lives:
                live.update(changes, diff.is_event)
            self._untold += changes

    def run(self, diff: TableDiff, context: EventContext[Any]) -> None:
        """The callbacks of the table's rows."""
        if self.guard.queue is None:
            diff.tell(self.inserts, self.deletes, self.updates, context, self.guard.report)
            return
        # Rows are made when asked for, so a list without callbacks is not touched.
        if self.inserts.callbacks:
            self._queue(self.inserts, context, ((row,) for row in diff.inserts))
        if self.deletes.callbacks:
            self._queue(self.deletes, context, ((row,) for row in diff.deletes))
        if self.updates.callbacks:
            self._queue(self.updates, context, diff.updates)

    def _queue(
        self, which: CallbackList, context: EventContext[Any], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        for row in rows:
            for callback in which.callbacks:
                self.guard.call(which.place, callback, context, *row)

    def tell(self, context: EventContext[Any]) -> None:
        """The callbacks of live rows, and streams."""
        untold, self._untold = self._untold, []
        for live in self.lives:
            live.tell(context)
        for change in untold:
            self.feed.push(change)

    def end(self, error: SpacetimeDBError | None) -> None:
        """The connection has ended."""
        self.feed.end(error)
        for live in self.lives:
            live.end(error)
