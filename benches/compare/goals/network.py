"""Over sockets: rows that come, calls, many connections."""

from __future__ import annotations

from collections.abc import Iterator

from ..line import Goal, Line, at_least, at_most
from ..servers import Server
from .sizes import Sizes

LOOPS = ("asyncio", "uvloop")
CONNECTIONS = 1_000


def lines(sizes: Sizes) -> Iterator[Line]:
    yield from _end_to_end(sizes)
    yield from _calls(sizes)
    yield from _connections(sizes)


def _end_to_end(sizes: Sizes) -> Iterator[Line]:
    count = sizes.of(10_000)
    data = f"applied.{count}", f"changes.{count}.1", f"changes_back.{count}.1"
    for loop in LOOPS:
        options, name = (
            {"loop": loop, "rows": 2 * count},
            f"end to end, one row per message, {loop}",
        )
        yield Line(name, "end_to_end", options, "rows/s", at_least(6), data=data, server="stream")


def _calls(sizes: Sizes) -> Iterator[Line]:
    yield from one_call("asyncio", at_most(1))
    yield from one_call("uvloop", at_most(0.7))
    for in_flight in (64, 1024):
        for loop in LOOPS:
            options = {"loop": loop, "in_flight": sizes.of(in_flight)}
            name = f"reducer calls, {in_flight:,} in flight, {loop}"
            yield Line(name, "calls", options, "calls/s", at_least(1.5), server="peer")


def one_call(loop: str, goal: Goal | None = None) -> Iterator[Line]:
    """One in flight."""
    for metric in ("p50", "p99"):
        options, name = {"loop": loop, "in_flight": 1}, f"reducer call, {metric}, {loop}"
        yield Line(name, "calls", options, "us", goal, metric, server="peer")


def _connections(sizes: Sizes) -> Iterator[Line]:
    for loop in LOOPS:
        options, limit = {"loop": loop, "count": sizes.of(CONNECTIONS)}, Goal(100_000, False, False)
        name, unit = f"memory of an idle connection, {loop}", "bytes"
        yield Line(name, "connections", options, unit, limit, "memory", rounds=3, server="peer")
    yield from _crowd(sizes, "asyncio", "chat", "2.10.1")
    yield from _crowd(sizes, "uvloop", "chat", "2.10.1")
    yield from _crowd(sizes, "asyncio", "chat-1.2.0", "1.12.0")


def _crowd(sizes: Sizes, loop: str, server: Server, sdk: str) -> Iterator[Line]:
    options = {"loop": loop, "count": sizes.of(CONNECTIONS), "sdk": sdk}
    place = "server 1.2.0" if server == "chat-1.2.0" else "peer"

    def line(what: str, unit: str, goal: Goal | None = None, metric: str = "rate") -> Line:
        name = f"chat of {CONNECTIONS:,} connections, {place}, {loop}: {what}"
        return Line(name, "crowd", options, unit, goal, metric, rounds=3, server=server)

    yield line("opened", "connections/s", at_least(1))
    yield line("share that got every row", "of 1", Goal(1, is_ratio=False), "served")
    yield line("rows", "rows/s", metric="rows_per_second")
    for state, what in (("idle", "idle"), ("loaded", "10,000 rows/s")):
        for share in ("p50", "p99"):
            yield line(f"reducer call, {share}, {what}", "us", metric=f"{state}_{share}")
