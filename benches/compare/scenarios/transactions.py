"""Transactions of some rows each, beside 10,000 cached rows, with a callback that reads fields."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ..frames import read
from ..measure import Result, Run, Stopwatch
from ..memory_wire import connected, subscribe
from ..reading import CUTOFF, ME
from .subscribe import body_of


async def _run(run: Run) -> Result:
    options = run.options
    total = 0

    def on_insert(context: object, row: Any) -> None:
        nonlocal total
        total += row.id + (row.sender == ME) + (row.sent.micros > CUTOFF) + len(row.text)

    def on_update(context: object, old: Any, new: Any) -> None:
        nonlocal total
        total += new.id + (new.sender == ME) + (new.sent.micros > CUTOFF)
        total += len(new.text) - len(old.text)

    async with connected(run.bindings) as (connection, wire):
        table = connection.db.message
        table.on_insert(on_insert)
        table.on_update(on_update)
        subscribe(connection, "SELECT * FROM message")
        wire.feed(wire.applied(body_of(run.folder / options["data"])))
        first = len(table)
        there, back = (
            [wire.update(body) for body in read(run.folder / options[name])]
            for name in ("there", "back")
        )
        rows = options["size"] * len(there)

        def turn(watch: Stopwatch) -> float:
            nonlocal total
            total = 0
            with watch.running(rows):
                wire.feed_all(there)
            # Away again, which is not measured for inserts.
            for frame in back:
                wire.feed(frame)
            assert len(table) == first, "rows are missing"
            return total

        checksum = turn(Stopwatch())
        end = time.process_time() + run.warm_seconds
        while time.process_time() < end:
            turn(Stopwatch())
        watch = Stopwatch()
        while watch.cpu < run.seconds or not watch.work:
            assert turn(watch) == checksum
        return Result(rates={"rate": watch.rate()}, checksum=checksum)


def run(run: Run) -> Result:
    """Options: `size` of transactions, `data` cached first, `there` measured, `back` undoes it."""
    return asyncio.run(_run(run))
