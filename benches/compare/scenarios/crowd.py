"""A chat with many connections in one process: opening, and calls with and without traffic."""

from __future__ import annotations

import asyncio
import time

from examples.chat.module_bindings import DbConnection, EventContext, Message

from ..loops import run_in
from ..measure import Result, Run, Stopwatch, percentiles
from .connections import opened

ROWS_PER_SECOND = 10_000
"""Summed over the connections, which all see each message."""
PATIENCE = 30.0
"""Seconds for the last rows to arrive."""


async def _latencies(connections: list[DbConnection], until: float) -> list[float]:
    """Of calls one after the other, each on the next connection."""
    found: list[float] = []
    while time.perf_counter() < until or not found:
        start = time.perf_counter()
        await connections[len(found) % len(connections)].reducers.set_name("Ada")
        found.append(time.perf_counter() - start)
        await asyncio.sleep(0)
    return found


async def _write(connection: DbConnection, count: int, until: float) -> int:
    """Messages at the pace of `ROWS_PER_SECOND`; gives their number."""
    sent, due = 0, time.perf_counter()
    while time.perf_counter() < until or not sent:
        await connection.reducers.send_message("hello, everybody")
        sent += 1
        due += count / ROWS_PER_SECOND
        await asyncio.sleep(max(0, due - time.perf_counter()))
    return sent


async def _traffic(run: Run, connections: list[DbConnection]) -> dict[str, float]:
    count, seconds = len(connections), 0.1 if run.is_quick else 3.0
    seen = [0] * count

    async def subscribe(place: int) -> None:
        connection = connections[place]
        await connection.subscribe("SELECT * FROM message")

        def on_insert(context: EventContext, row: Message) -> None:
            seen[place] += 1

        connection.db.message.on_insert(on_insert)

    await asyncio.gather(*map(subscribe, range(count)))
    idle = percentiles(await _latencies(connections, time.perf_counter() + seconds))
    until = time.perf_counter() + seconds
    sent, found = await asyncio.gather(
        _write(connections[0], count, until), _latencies(connections, until)
    )
    patience = time.perf_counter() + PATIENCE
    while min(seen) < sent and time.perf_counter() < patience:
        await asyncio.sleep(0.01)
    loaded = percentiles(found)
    return {
        "served": seen.count(sent) / count,
        "rows_per_second": sum(seen) / (seconds + max(0, time.perf_counter() - until)),
        "idle_p50": idle["p50"],
        "idle_p99": idle["p99"],
        "loaded_p50": loaded["p50"],
        "loaded_p99": loaded["p99"],
    }


async def _run(run: Run) -> Result:
    count, watch = run.options["count"], Stopwatch()

    def connect() -> DbConnection:
        return DbConnection(uri=run.options["uri"], database="bench")

    async with opened(connect, count, watch) as connections:
        values = await _traffic(run, connections)
    return Result(rates={"rate": watch.rate()}, values=values, checksum=count)


def run(run: Run) -> Result:
    """Options: `loop`, `uri` of a server with the module chat, `count`."""
    return run_in(run.options["loop"], _run(run))
