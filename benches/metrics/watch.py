"""Counts what a program asks of its tables, by standing in for the SDK's methods meanwhile.

That costs time: measure in one round and watch in another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias
from unittest.mock import patch

from spacetime_py import StreamOverflow
from spacetime_py.queues import BoundedQueue, ConflatingQueue
from spacetime_py.table import Index, Table, UniqueIndex


class Watch:
    """What was asked since it began. Tables by their names in the module."""

    def __init__(self) -> None:
        self.scans: Counter[str] = Counter()
        self.scanned: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.not_found: Counter[str] = Counter()
        self.longest_queue = 0
        self.overflows = 0

    def scans_by_table(self) -> dict[str, tuple[int, int]]:
        return {table: (times, self.scanned[table]) for table, times in self.scans.items()}

    def lookups_by_table(self) -> dict[str, tuple[int, int]]:
        tables = sorted(self.found.keys() | self.not_found.keys())
        return {table: (self.found[table], self.not_found[table]) for table in tables}

    @property
    def hits(self) -> float | None:
        """The part of the keys that were found; None without look-ups."""
        all_keys = self.found.total() + self.not_found.total()
        return self.found.total() / all_keys if all_keys else None


@contextmanager
def watching() -> Generator[Watch, None, None]:
    """Of all connections of the process, until the block ends."""
    watch = Watch()
    stand_ins: list[tuple[type[Any], str, _StandIn]] = [
        (Table, "__iter__", _iterating),
        (UniqueIndex, "find", _looking_up),
        (UniqueIndex, "range", _looking_up),
        (Index, "filter", _looking_up),
        (Index, "range", _looking_up),
        (Index, "count", _looking_up),
        (BoundedQueue, "put", _putting),
        (ConflatingQueue, "put", _putting),
    ]
    with ExitStack() as stack:
        for cls, name, stand_in in stand_ins:
            stack.enter_context(patch.object(cls, name, stand_in(watch, getattr(cls, name))))
        yield watch


_Method: TypeAlias = Callable[..., Any]
_StandIn: TypeAlias = Callable[[Watch, _Method], _Method]


def _iterating(watch: Watch, original: _Method) -> _Method:
    def iterate(table: Any) -> Iterator[Any]:
        watch.scans[table._name] += 1
        for row in original(table):
            watch.scanned[table._name] += 1
            yield row

    return iterate


def _looking_up(watch: Watch, original: _Method) -> _Method:
    def look_up(index: Any, *args: Any, **kwargs: Any) -> Any:
        answer = original(index, *args, **kwargs)
        # No row, no rows, or a count of none.
        is_found = answer is not None and answer != [] and answer != 0
        (watch.found if is_found else watch.not_found)[index._listeners.name] += 1
        return answer

    return look_up


def _putting(watch: Watch, original: _Method) -> _Method:
    def put(queue: Any, item: Any) -> None:
        try:
            original(queue, item)
        except StreamOverflow:
            watch.overflows += 1
            raise
        watch.longest_queue = max(watch.longest_queue, len(queue))

    return put
