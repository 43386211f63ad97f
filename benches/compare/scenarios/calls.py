"""Reducer calls that are awaited, against the live peer: one at a time, or many at once."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ..loops import run_in
from ..measure import Result, Run, Stopwatch, percentiles


async def _run(run: Run) -> Result:
    in_flight = run.options["in_flight"]
    share = 1 if run.is_quick else max(10, 2000 // in_flight)
    latencies: list[float] = []
    async with run.bindings.DbConnection(uri=run.options["uri"], database="bench") as connection:
        say = connection.reducers.say

        async def caller() -> None:
            for _ in range(share):
                start = time.perf_counter()
                await say("hello, everybody")
                latencies.append(time.perf_counter() - start)

        async def turn(watch: Stopwatch) -> None:
            with watch.running(share * in_flight):
                if in_flight == 1:
                    await caller()
                else:
                    await asyncio.gather(*(caller() for _ in range(in_flight)))

        return await _measure(run, turn, latencies)


async def _measure(run: Run, turn: Any, latencies: list[float]) -> Result:
    end = time.process_time() + run.warm_seconds
    await turn(Stopwatch())
    while time.process_time() < end:
        await turn(Stopwatch())
    latencies.clear()
    watch = Stopwatch()
    while watch.cpu < run.seconds * 2 or not watch.work:
        await turn(watch)
    return Result(rates={"rate": watch.rate()}, values=percentiles(latencies))


def run(run: Run) -> Result:
    """Options: `loop`, `uri` of the peer, `in_flight` calls."""
    return run_in(run.options["loop"], _run(run))
