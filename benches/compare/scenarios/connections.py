"""Many connections in one process: opening, memory of each, and traffic to all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ..loops import run_in
from ..measure import Result, Run, Stopwatch, percentiles
from ..memory import resident

AT_ONCE = 64
"""So many are being opened at a time."""
GROUPS = 10
"""Each row is watched by a tenth of the connections."""
UPDATES_PER_SECOND = 10_000
"""Of rows, summed over the connections."""


@asynccontextmanager
async def opened(run: Run, count: int, watch: Stopwatch) -> AsyncIterator[list[Any]]:
    """Connections, each entered by a task of its own. The watch measures the opening."""
    connections: list[Any] = []
    all_open, end, gate = asyncio.Event(), asyncio.Event(), asyncio.Semaphore(AT_ONCE)

    async def client() -> None:
        await gate.acquire()
        async with run.bindings.DbConnection(
            uri=run.options["uri"], database="bench"
        ) as connection:
            gate.release()
            connections.append(connection)
            if len(connections) == count:
                all_open.set()
            await end.wait()

    with watch.running(count):
        tasks = [asyncio.create_task(client()) for _ in range(count)]
        waiting = asyncio.create_task(all_open.wait())
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    assert all_open.is_set(), "a connection was not made"
    try:
        yield connections
    finally:
        end.set()
        await asyncio.gather(*tasks)


async def _latencies(connections: list[Any], until: float) -> list[float]:
    """Of calls one after the other, each on the next connection."""
    found: list[float] = []
    while time.perf_counter() < until or not found:
        start = time.perf_counter()
        await connections[len(found) % len(connections)].reducers.say("hello")
        found.append(time.perf_counter() - start)
        await asyncio.sleep(0)
    return found


async def _write(connection: Any, count: int, until: float) -> list[int]:
    """Change one row after the other, for `UPDATES_PER_SECOND`; gives the changes of each row."""
    changes = [0] * GROUPS
    pause = count / GROUPS / UPDATES_PER_SECOND
    turn, due = 0, time.perf_counter()
    while time.perf_counter() < until or turn < GROUPS:
        await connection.reducers.rewrite_message(turn % GROUPS + 1, 1, time.time_ns())
        changes[turn % GROUPS] += 1
        turn += 1
        due += pause
        await asyncio.sleep(max(0, due - time.perf_counter()))
    return changes


async def _traffic(run: Run, connections: list[Any]) -> dict[str, float]:
    count, seconds = len(connections), 0.1 if run.is_quick else 3.0
    writer = connections[0]
    if len(await writer.query("SELECT * FROM message")) == 0:
        await writer.reducers.fill_message(GROUPS)
    seen = [0] * count

    async def subscribe(place: int) -> None:
        def on_update(context: object, old: object, new: object) -> None:
            seen[place] += 1

        connection = connections[place]
        connection.db.message.on_update(on_update)
        await connection.subscribe(f"SELECT * FROM message WHERE id = {place % GROUPS + 1}")

    await asyncio.gather(*map(subscribe, range(count)))
    idle = percentiles(await _latencies(connections, time.perf_counter() + seconds))
    until = time.perf_counter() + seconds
    changes, loaded = await asyncio.gather(
        _write(writer, count, until), _latencies(connections, until)
    )
    wanted = [changes[place % GROUPS] for place in range(count)]
    patience = time.perf_counter() + 30
    while seen != wanted and time.perf_counter() < patience:
        await asyncio.sleep(0.01)
    busy = percentiles(loaded)
    return {
        "served": sum(map(int.__eq__, seen, wanted)) / count,
        "updates_per_second": sum(seen) / seconds,
        "idle_p50": idle["p50"],
        "idle_p99": idle["p99"],
        "loaded_p50": busy["p50"],
        "loaded_p99": busy["p99"],
    }


async def _run(run: Run) -> Result:
    count, watch = run.options["count"], Stopwatch()
    async with opened(run, 1, Stopwatch()):
        before = resident()
        async with opened(run, count, watch) as connections:
            memory = (resident() - before) / count
            values = await _traffic(run, connections) if run.options["traffic"] else {}
    return Result(rates={"rate": watch.rate()}, values={**values, "memory": memory}, checksum=count)


def run(run: Run) -> Result:
    """Options: `loop`, `uri` of the peer, `count`, `traffic` or none."""
    return run_in(run.options["loop"], _run(run))
