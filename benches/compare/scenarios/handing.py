"""Reducer calls that nobody awaits, handed to a socket: a typed row made for each call.

A server that reads and ignores them; it answers the last call, which ends the measurement.
"""

from __future__ import annotations

import asyncio

from spacetime_py import from_bsatn

from ..frames import read
from ..loops import run_in
from ..making import values_of
from ..measure import Result, Run, Stopwatch


async def _run(run: Run) -> Result:
    cls = run.bindings.Message
    rows = [from_bsatn(cls, row) for row in read(run.folder / run.options["data"])]
    values = [values_of(run.bindings, "message", row) for row in rows]
    bursts = 2 if run.is_quick else 50

    async def turn(watch: Stopwatch) -> None:
        """On a connection of its own: calls without an answer stay in memory."""
        uri = run.options["uri"]
        async with run.bindings.DbConnection(uri=uri, database="bench") as connection:
            insert = connection.reducers.insert_message
            with watch.running(bursts * len(values)):
                for _ in range(bursts):
                    for id, sender, sent, text in values:
                        insert(cls(id=id, sender=sender, sent=sent, text=text))
                    await asyncio.sleep(0)
                await connection.reducers.say("end")

    await turn(Stopwatch())
    watch = Stopwatch()
    while watch.cpu < run.seconds or not watch.work:
        await turn(watch)
    return Result(rates={"rate": watch.rate()}, checksum=len(values))


def run(run: Run) -> Result:
    """Options: `loop`, `uri` of the stream server, `data` with rows."""
    return run_in(run.options["loop"], _run(run))
