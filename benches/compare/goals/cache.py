"""What the server sends, into the cache and to callbacks; and what the cache takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..line import Goal, Line, at_least, at_most
from .sizes import Sizes

CACHED = 10_000
UPDATED = 1_000_000


def lines(sizes: Sizes) -> Iterator[Line]:
    yield from _subscribing(sizes)
    yield from _transactions(sizes)
    yield from _memory(sizes)


def _subscribing(sizes: Sizes) -> Iterator[Line]:
    for callback, goal in ((False, 15), (True, 5)):
        for count in (1_000, 100_000, 1_000_000):
            data = f"applied.{sizes.of(count)}"
            options = {"rows": sizes.of(count), "callback": callback, "data": data}
            told = "on_insert reads 4 fields" if callback else "no callback"
            name = f"first subscription of {count:,} rows, {told}"
            yield Line(name, "subscribe", options, "rows/s", at_least(goal), data=(data,))


def transaction_options(sizes: Sizes, size: int, is_update: bool = False) -> dict[str, Any]:
    """Transactions of so many rows beside `CACHED` ones."""
    cached, size = sizes.of(CACHED), min(size, sizes.changed // 2)
    if is_update:
        count = cached // size
        there, back = f"changes.{count}.{size}", f"changes_back.{count}.{size}"
    else:
        count = sizes.changed // size
        there, back = f"inserts.{cached}.{count}.{size}", f"delete.{cached}.{count * size}"
    return {"size": size, "data": f"applied.{cached}", "there": there, "back": back}


def _transactions(sizes: Sizes) -> Iterator[Line]:
    for size, goal in ((1, 8), (10, 4), (1000, 4)):
        for is_update in (False, True):
            options = transaction_options(sizes, size, is_update)
            files = (options["data"], options["there"], options["back"])
            what = "updates, on_update reads 5" if is_update else "inserts, on_insert reads 4"
            name = f"transactions of {size:,} {what} fields"
            yield Line(name, "transactions", options, "rows/s", at_least(goal), data=files)


def _memory(sizes: Sizes) -> Iterator[Line]:
    for count in (100_000, 1_000_000):
        rows = sizes.of(count)
        size = min(1000, rows)
        data = f"applied.{rows}", f"updates.{rows}.{sizes.of(UPDATED) // size}.{size}"
        options = {"rows": rows, "data": data[0], "updates": data[1]}

        def line(what: str, metric: str, goal: Goal, unit: str = "bytes") -> Line:
            name = f"memory per cached row of {count:,}{what}"  # noqa: B023
            return Line(name, "memory_rows", options, unit, goal, metric, rounds=3, data=data)  # noqa: B023

        yield line("", "bytes_per_row", Goal(180, is_ratio=False, is_least=False))
        yield line(", to TypeScript's", "bytes_per_row", at_most(0.4))
        after = ", after 1 M random updates to before"
        yield line(after, "growth", Goal(1.3, is_ratio=False, is_least=False), "times")
