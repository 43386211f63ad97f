"""Transactions from a socket, one row each, to a callback that reads both rows.

The server is a process that sends prepared bytes; it ends each turn with a row of its own.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ..loops import run_in
from ..measure import Result, Run, Stopwatch
from ..reading import CUTOFF, ME


async def _run(run: Run) -> Result:
    total = seen = 0
    expected = run.options["rows"]
    done = asyncio.Event()

    def on_update(context: object, old: Any, new: Any) -> None:
        nonlocal total, seen
        total += new.id + (new.sender == ME) + (new.sent.micros > CUTOFF)
        total += len(new.text) - len(old.text) + (old.sent.micros > CUTOFF)
        seen += 1
        if seen == expected:
            done.set()

    async with run.bindings.DbConnection(uri=run.options["uri"], database="bench") as connection:
        await connection.subscribe("SELECT * FROM message")
        connection.db.message.on_update(on_update)

        async def turn(watch: Stopwatch) -> float:
            nonlocal total, seen
            total = seen = 0
            done.clear()
            with watch.running(expected):
                connection.reducers.say("go")
                await done.wait()
            return total

        checksum = await turn(Stopwatch())
        end = time.process_time() + run.warm_seconds
        while time.process_time() < end:
            await turn(Stopwatch())
        watch = Stopwatch()
        while watch.cpu < run.seconds or not watch.work:
            assert await turn(watch) == checksum
        return Result(rates={"rate": watch.rate()}, checksum=checksum)


def run(run: Run) -> Result:
    """Options: `loop`, `uri` of the stream server, `rows` that it sends in one turn."""
    return run_in(run.options["loop"], _run(run))
