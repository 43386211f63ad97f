"""Lists of callbacks that may change while they run, and what happens when a callback raises."""

from __future__ import annotations

import inspect
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from ._core import Callbacks, TableDiff
from .logs import callbacks_log

Callback = Callable[..., object]
_Call: TypeAlias = tuple[str, Callback, tuple[object, ...]]

# For the lists of all connections: they change rarely, and seldom from two threads.
_changing = threading.Lock()


def check_callback(callback: object, place: str) -> None:
    """Raises TypeError for what cannot be called, and for what somebody would have to await."""
    if not callable(callback):
        raise TypeError(f"{place} takes a function, not {type(callback).__name__}")
    if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(
        type(callback).__call__
    ):
        raise TypeError(
            f"{place} takes a plain function, not the async function {name_of(callback)}: "
            "start a task in it (`lambda context, row: task_group.start_soon(handle, row)`) "
            "or put the row into a queue"
        )


def name_of(callback: object) -> str:
    name = getattr(callback, "__qualname__", None)
    return name if isinstance(name, str) else repr(callback)


class Guard:
    """Calls callbacks. What one raises is logged, and told to `on_callback_error`; no more.

    With a `queue`, all calls are put there instead, for another thread to make them: those of one
    message together, so that it never finds a part of them.
    """

    __slots__ = ("_of_message", "_on_callback_error", "failures", "queue")

    def __init__(self, on_callback_error: Callable[[Exception], object] | None) -> None:
        if on_callback_error is not None:
            check_callback(on_callback_error, "on_callback_error")
        self._on_callback_error = on_callback_error
        self.queue: deque[_Call] | None = None
        self._of_message: list[_Call] | None = None
        self.failures = 0

    def call(self, place: str, callback: Callback, *args: object) -> None:
        if self.queue is None:
            self.call_now(place, callback, *args)
        elif self._of_message is None:
            self.queue.append((place, callback, args))
        else:
            self._of_message.append((place, callback, args))

    def begin_message(self) -> None:
        """What is called until `end_message` belongs together."""
        self._of_message = []

    def end_message(self) -> None:
        calls, self._of_message = self._of_message, None
        if self.queue is not None and calls is not None:
            self.queue.extend(calls)

    def call_now(self, place: str, callback: Callback, *args: object) -> None:
        try:
            callback(*args)
        except Exception as error:
            self.report(place, callback, error)

    def report(self, place: str, callback: Callback, error: Exception) -> None:
        self.failures += 1
        callbacks_log.error("callback %s, %s, raised", name_of(callback), place, exc_info=error)
        if self._on_callback_error is None:
            return
        try:
            self._on_callback_error(error)
        except Exception:
            name = name_of(self._on_callback_error)
            callbacks_log.exception("callback %s, on_callback_error, raised", name)


class CallbackList(Callbacks):
    """Callbacks of one kind. A change replaces the tuple, so it counts from the next row on.

    While there are any, the list is in `others`.
    """

    __slots__ = ("_others",)

    def __init__(self, place: str, others: set[object] | None = None) -> None:
        self._others = others

    def add(self, callback: Callback) -> None:
        check_callback(callback, self.place)
        with _changing:
            self.callbacks = (*self.callbacks, callback)
            if self._others is not None:
                self._others.add(self)

    def remove(self, callback: Callback) -> None:
        """Raises ValueError when it is not there."""
        with _changing:
            remaining = list(self.callbacks)
            if callback not in remaining:
                raise ValueError(f"{name_of(callback)} is not registered as {self.place}")
            remaining.remove(callback)
            self.callbacks = tuple(remaining)
            if self._others is not None and not remaining:
                self._others.discard(self)


class TableChanges:
    """What one message changed in one table. Rows are made when they are asked for."""

    __slots__ = ("_diff", "_table")

    def __init__(self, table: str, diff: TableDiff | None) -> None:
        self._table = table
        self._diff = diff

    @property
    def table(self) -> str:
        """The table's name in the module."""
        return self._table

    @property
    def inserts(self) -> list[Any]:
        return [] if self._diff is None else self._diff.inserts

    @property
    def deletes(self) -> list[Any]:
        return [] if self._diff is None else self._diff.deletes

    @property
    def updates(self) -> list[tuple[Any, Any]]:
        """Pairs (old, new) of one primary key."""
        return [] if self._diff is None else self._diff.updates

    def __repr__(self) -> str:
        counts = f"{len(self.inserts)} inserts, {len(self.deletes)} deletes"
        return f"<changes of {self._table}: {counts}, {len(self.updates)} updates>"


class Changes(Mapping[str, TableChanges]):
    """What one message changed, by table name; a table of which nothing changed has no entries.

    `changes["person"]` works for every table name and may be empty.
    """

    __slots__ = ("_tables",)

    def __init__(self, tables: dict[str, TableChanges]) -> None:
        self._tables = tables

    def __getitem__(self, table: str) -> TableChanges:
        return self._tables.get(table) or TableChanges(table, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __contains__(self, table: object) -> bool:
        return table in self._tables
