"""Operations that stay in the process, each timed by itself: means and 99th percentiles."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from spacetime_py import Identity, from_bsatn, to_bsatn

from ..frames import read
from ..making import values_of
from ..measure import Result, Run
from ..memory_wire import Wire, connected, subscribe
from ..rows import identity
from .subscribe import body_of

Operation = Callable[[int], object]


def _mean(operation: Operation, times: int) -> float:
    """CPU seconds, without those of the loop around it."""
    numbers = range(times)
    start = time.process_time()
    for number in numbers:
        operation(number)
    middle = time.process_time()
    for number in numbers:
        _nothing(number)
    end = time.process_time()
    return ((middle - start) - (end - middle)) / times


def _nothing(number: int) -> None:
    return None


def _p99(operation: Operation, times: int) -> float:
    clock, found = time.perf_counter, []
    for number in range(times):
        start = clock()
        operation(number)
        found.append(clock() - start)
    return sorted(found)[int(times * 0.99)]


def _operations(run: Run, connection: Any, wire: Wire) -> dict[str, Operation]:
    db, rows, cls = connection.db, run.options["rows"], run.bindings.Message
    keys = [Identity.from_bytes(identity(number)[::-1]) for number in range(rows)]
    owners = keys[: rows // 2]
    by_id, by_identity, by_owner = db.message.id, db.user.identity, db.complex.owner
    data = read(run.folder / run.options["messages"])
    values = [values_of(run.bindings, "message", from_bsatn(cls, row)) for row in data]
    there, back = (
        [wire.update(body) for body in read(run.folder / run.options[name])]
        for name in ("there", "back")
    )
    frames = there + back
    insert = connection.reducers.insert_message

    def encode(number: int) -> object:
        id, sender, sent, text = values[number % len(values)]
        return to_bsatn(cls(id=id, sender=sender, sent=sent, text=text))

    def decode(number: int) -> object:
        row = from_bsatn(cls, data[number % len(data)])
        return row.id, row.sender, row.sent, row.text

    def call(number: int) -> object:
        id, sender, sent, text = values[number % len(values)]
        return insert(cls(id=id, sender=sender, sent=sent, text=text))

    return {
        "find_u64": lambda number: by_id.find(number * 7919 % rows),
        "find_identity": lambda number: by_identity.find(keys[number * 7919 % rows]),
        "filter": lambda number: by_owner.filter(owners[number * 7919 % len(owners)]),
        "encode": encode,
        "decode": decode,
        "call": call,
        "transaction": lambda number: wire.feed(frames[number % len(frames)]),
    }


async def _run(run: Run) -> Result:
    times = 100 if run.is_quick else 20_000
    seen = 0

    def on_update(context: object, old: Any, new: Any) -> None:
        nonlocal seen
        seen += len(new.text) > 0

    async with connected(run.bindings) as (connection, wire):
        tables = ("message", "user", "complex")
        connection.db.message.on_update(on_update)
        subscribe(connection, *(f"SELECT * FROM {table}" for table in tables))
        wire.feed(wire.applied(body_of(run.folder / run.options["data"])))
        assert [len(getattr(connection.db, name)) for name in tables] == [run.options["rows"]] * 3
        values: dict[str, float] = {}
        for name, operation in _operations(run, connection, wire).items():
            for number in range(times // 10):
                operation(number)
            values[f"{name}_mean"] = _mean(operation, times) * 1e6
            values[f"{name}_p99"] = _p99(operation, times) * 1e6
            await asyncio.sleep(0)
        assert seen, "no callback was called"
    return Result(values=values)


def run(run: Run) -> Result:
    """Options: `rows` of each table, `data` with the answer, `messages`, `there`, `back`."""
    return asyncio.run(_run(run))
