"""A million inserts, updates and deletes, each a reducer call of its own, heard by a second client.

    python -m benches.load.million_operations [--rows N] [--place server] [--quick]

Calls are not awaited one by one: 1,024 are in flight. After each kind the second client's rows are
those of the model, or the command fails.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import anyio

from benches.metrics.collect import Collector
from benches.metrics.model import Run, environment, say

from . import command
from .places import Place, place
from .workloads import check, limit, until

ROWS = 1_000_000
QUICK_ROWS = 500
CHUNKS = 10
"""Each kind is measured in so many parts, so that its noise is known."""
IN_FLIGHT = 1_024


def first_value(id: int) -> float:
    return (id % 1_000) / 4


def second_value(id: int) -> float:
    """Never the same as before: what does not change is no update."""
    return 1_000 + (id % 777) / 8


class Ear:
    """A callback that counts."""

    def __init__(self) -> None:
        self.heard = 0

    def __call__(self, *_: object) -> None:
        self.heard += 1

    async def until(self, wanted: int) -> None:
        await until(lambda: self.heard >= wanted)


async def measure(where: Place, rows: int) -> Run:
    """Raises SystemExit when rows are not those of the model."""
    collector = Collector(where.server.pid)
    ear = Ear()
    async with where.connection() as writer, where.connection() as reader:
        await reader.subscribe("SELECT * FROM reading")
        table = reader.db.reading
        table.on_insert(ear)
        table.on_update(ear)
        table.on_delete(ear)
        reducers, make = writer.reducers, where.bindings.Reading
        kinds: dict[str, tuple[Callable[[int], Any], Callable[[int], float] | None]] = {
            "inserts": (
                lambda id: reducers.insert_reading(id, id % 100, first_value(id)),
                first_value,
            ),
            "updates": (
                lambda id: reducers.update_reading(
                    make(id=id, sensor=id % 100, value=second_value(id))
                ),
                second_value,
            ),
            "deletes": (reducers.delete_reading, None),
        }
        for kind, (call, value) in kinds.items():
            say(f"{rows:,} {kind} on {where.name}")
            ear.heard = 0
            for chunk in _chunks(rows):
                with collector.phase() as phase:
                    await _pipelined(call, chunk)
                    await ear.until(chunk.stop)
                collector.put_work(kind, phase, len(chunk), "calls")
            check(f"changes heard after {kind}", ear.heard, rows)
            if value is None:
                check("rows left", len(table), 0)
            else:
                found = {row.id: (row.sensor, row.value) for row in table}
                check(kind, found, {id: (id % 100, value(id)) for id in range(rows)})
    what = f"{rows:,} inserts, updates and deletes on {where.name}"
    return Run(what, collector.metrics(), environment=environment())


def _chunks(rows: int) -> Iterator[range]:
    size = max(rows // CHUNKS, 1)
    for first in range(0, rows, size):
        yield range(first, min(first + size, rows))


async def _pipelined(call: Callable[[int], Any], ids: range) -> None:
    """Many at once, and never more than so many without an answer."""
    waiting: deque[Any] = deque()
    for id in ids:
        waiting.append(call(id))
        if len(waiting) >= IN_FLIGHT:
            await waiting.popleft()
    for made in waiting:
        await made


def main() -> None:
    assert __doc__ is not None
    parser = command.parser(__doc__, ())
    parser.add_argument("--rows", type=int)
    options = parser.parse_args()
    rows: int = options.rows or (QUICK_ROWS if options.quick else ROWS)
    backend, backend_options = command.backend_of(options.loop)
    with place(options.place) as where:
        run = anyio.run(measure, where, rows, backend=backend, backend_options=backend_options)
    command.tell(run, "million-operations", options)
    print(limit(run))


if __name__ == "__main__":
    main()
