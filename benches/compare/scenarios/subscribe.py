"""The answer to a first subscription, into the cache; with a callback that reads four fields."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from ..frames import read
from ..measure import Result, Run, Stopwatch
from ..memory_wire import connected, subscribe
from ..reading import CUTOFF, ME

# Subscriptions are held together to be measured together: short ones are below the clocks.
ROWS_AT_ONCE = 100_000


async def _subscribe(run: Run, body: bytes, times: int, watch: Stopwatch) -> float:
    total = 0

    def on_insert(context: object, row: Any) -> None:
        nonlocal total
        total += row.id + (row.sender == ME) + (row.sent.micros > CUTOFF) + len(row.text)

    fed: list[tuple[Any, bytes]] = []
    async with AsyncExitStack() as stack:
        tables = []
        for _ in range(times):
            connection, wire = await stack.enter_async_context(connected(run.bindings))
            if run.options["callback"]:
                connection.db.message.on_insert(on_insert)
            subscribe(connection, "SELECT * FROM message")
            fed.append((wire, wire.applied(body)))
            tables.append(connection.db.message)
        with watch.running(run.options["rows"] * times):
            for wire, frame in fed:
                wire.feed(frame)
        assert [len(table) for table in tables] == [run.options["rows"]] * times, "rows are missing"
    return total / times if run.options["callback"] else run.options["rows"]


def body_of(file: Path) -> bytes:
    (body,) = read(file)
    return body


def run(run: Run) -> Result:
    """Options: `rows`, `callback`, `data` with the answer. A million rows run cold."""
    body = body_of(run.folder / run.options["data"])
    times = max(1, ROWS_AT_ONCE // run.options["rows"]) if not run.is_quick else 1
    if run.options["rows"] <= ROWS_AT_ONCE and not run.is_quick:
        asyncio.run(_subscribe(run, body, times, Stopwatch()))
    watch = Stopwatch()
    checksum = asyncio.run(_subscribe(run, body, times, watch))
    while watch.cpu < run.seconds:
        assert asyncio.run(_subscribe(run, body, times, watch)) == checksum
    return Result(rates={"rate": watch.rate()}, checksum=checksum)
