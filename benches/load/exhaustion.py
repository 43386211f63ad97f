"""What a program sees when something runs out, and that it goes on afterwards.

    python -m benches.load.exhaustion [descriptors memory queue consumer message] [--quick]

`descriptors`: no file descriptor is left for a connection. `memory`: the answer to a subscription
is larger than `max_message_size`, and, in a process of its own, than the memory that is left.
`queue`: a stream that nobody reads in time. `consumer`: a callback slower than the server.
`message`: a subscription of 64 MB in one message. Each ends with right rows, or the command fails.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread

from benches.metrics.collect import Collector
from benches.metrics.model import Run, environment, say
from benches.metrics.process import resident
from spacetime_py import ConnectError, ProtocolError, StreamOverflow

from . import command
from .places import Place, place
from .workloads import check, until

PATIENCE = 300.0
MEMORY = 200 << 20
"""Bytes of address space for a process that needs more."""


@dataclass(frozen=True)
class Size:
    rounds: int = 3
    rows: int = 2_000
    large_rows: int = 16
    large_row: int = 4 << 20
    """Bytes of text in each of the large rows: 64 MiB in all."""
    slow: float = 0.001
    """Seconds that a slow callback takes."""


QUICK = Size(rounds=1, rows=100, large_rows=4, large_row=1 << 20)


class Scene:
    def __init__(self, where: Place, size: Size, collector: Collector) -> None:
        self.where = where
        self.size = size
        self.collector = collector
        self.seen: list[str] = []

    def saw(self, error: BaseException) -> None:
        text = str(error)
        self.seen.append(
            f"{type(error).__name__}: {text if len(text) < 160 else text[:160] + '...'}"
        )

    def took(self, what: str, start: float) -> None:
        self.collector.put(what, (time.perf_counter() - start) * 1e9, "ns", "lower")


async def descriptors(scene: Scene) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/self/fd"))
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(scene.where.connection())
        await first.subscribe("SELECT * FROM reading")
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 8, hard))
        try:
            with_limit = AsyncExitStack()
            async with with_limit:
                for _ in range(20):
                    await with_limit.enter_async_context(scene.where.connection())
            raise SystemExit("20 connections with 8 descriptors")
        except ConnectError as error:
            scene.saw(error)
        # What is connected goes on, and so does who connects when others have left.
        start = time.perf_counter()
        key = len(first.db.reading) + 1
        await first.reducers.insert_reading(key, 1, 1.0)
        async with scene.where.connection() as another:
            await another.subscribe("SELECT * FROM reading")
            check("rows", len(another.db.reading), len(first.db.reading))
        scene.took("descriptors, a new connection once others have left", start)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def memory(scene: Scene) -> None:
    await large_rows(scene)
    async with scene.where.connection(max_message_size=1 << 20, reconnect=False) as small:
        try:
            await small.subscribe("SELECT * FROM job")
            raise SystemExit("a message larger than max_message_size was taken")
        except ProtocolError as error:
            scene.saw(error)
    start = time.perf_counter()
    async with scene.where.connection(max_message_size=1 << 20) as small:
        await small.subscribe("SELECT * FROM reading")
        await small.reducers.insert_reading(10_000 + len(small.db.reading), 1, 1.0)
    scene.took("memory, a connection that asks for less", start)
    arguments = [scene.where.server.url, scene.where.database, scene.where.name]
    child = [sys.executable, "-m", "benches.load.exhaustion_child", *arguments, str(MEMORY)]
    done = await anyio.to_thread.run_sync(
        lambda: subprocess.run(child, check=False, capture_output=True, text=True)
    )
    told = done.stderr if done.returncode else done.stdout
    last = told.strip().splitlines()[-1:]
    word = signal.Signals(-done.returncode).name if done.returncode < 0 else done.returncode
    scene.seen.append(f"with {MEMORY >> 20} MiB of address space: status {word}: {' '.join(last)}")


async def large_rows(scene: Scene) -> None:
    """Rows of a table that together are one large message."""
    async with scene.where.connection() as writer:
        await writer.subscribe("SELECT * FROM job WHERE id = 1")
        if len(writer.db.job):
            return
        for id in range(scene.size.large_rows):
            text = chr(ord("a") + id) * scene.size.large_row
            await writer.reducers.insert_job(id, 0, 0, text, "")


async def queue(scene: Scene) -> None:
    rows = scene.size.rows
    async with scene.where.connection() as writer, scene.where.connection() as reader:
        await reader.subscribe("SELECT * FROM reading")
        base = len(reader.db.reading) + 1_000_000
        hasty = reader.db.reading.changes(size=10)
        latest = reader.db.reading.changes(overflow="conflate")
        dropping = reader.db.reading.changes(size=10, overflow="drop_oldest")
        calls = [writer.reducers.insert_reading(base + n, 1, 0.0) for n in range(rows)]
        for call in calls:
            await call
        await until(lambda: reader.db.reading.id.find(base + rows - 1) is not None)
        try:
            for _ in range(11):
                await anext(hasty)
            raise SystemExit("a queue of 10 held more")
        except StreamOverflow as error:
            scene.saw(error)
        start = time.perf_counter()
        told = {(await anext(latest)).row.id for _ in range(rows)}
        check("rows of a conflating stream", told, set(range(base, base + rows)))
        kept = [(await anext(dropping)).row.id for _ in range(10)]
        check("what drop_oldest keeps", kept, list(range(base + rows - 10, base + rows)))
        check("what drop_oldest counts", dropping.dropped, rows - 10)
        scene.took("queue, reading all that a conflating stream has kept", start)
        again = reader.db.reading.changes(existing=True, size=len(reader.db.reading) + 10)
        check("a new stream", (await anext(again)) is not None, True)


async def consumer(scene: Scene) -> None:
    """The callback holds up its own connection; the writer is another one in this process."""
    rows, heard = scene.size.rows, 0

    def slow(context: object, row: Any) -> None:
        nonlocal heard
        heard += 1
        time.sleep(scene.size.slow)

    async with scene.where.connection() as writer, scene.where.connection() as reader:
        await reader.subscribe("SELECT * FROM reading")
        base = len(reader.db.reading) + 2_000_000
        reader.db.reading.on_insert(slow)
        start = time.perf_counter()
        calls = [writer.reducers.insert_reading(base + n, 1, 0.0) for n in range(rows)]
        for call in calls:
            await call
        scene.took("consumer, until the writer has all answers", start)
        await until(lambda: heard == rows)
        scene.took("consumer, until the slow callback has heard all", start)
        check("rows", sum(row.id >= base for row in reader.db.reading), rows)
        scene.seen.append("nothing: calls of the same program waited for the callbacks")


async def message(scene: Scene) -> None:
    await large_rows(scene)
    size = scene.size
    before = resident()
    async with scene.where.connection(compression="none") as reader:
        start = time.perf_counter()
        await reader.subscribe("SELECT * FROM job")
        scene.took("message, subscription of all large rows", start)
        held = (resident() - before) / (size.large_rows * size.large_row)
        scene.collector.put("message, memory held per byte", held, "bytes", "lower")
        found = {row.id: (len(row.prompt), row.prompt[:1]) for row in reader.db.job}
        expected = {n: (size.large_row, chr(ord("a") + n)) for n in range(size.large_rows)}
        check("large rows", found, expected)
    scene.seen.append("all rows, in one message")


SCENARIOS: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "descriptors": descriptors,
    "memory": memory,
    "queue": queue,
    "consumer": consumer,
    "message": message,
}


async def measure(where: Place, name: str, size: Size) -> tuple[Run, list[str]]:
    """All rounds. Raises SystemExit when what comes after is not right."""
    collector = Collector()
    seen: list[str] = []
    for number in range(size.rounds):
        say(f"{name} on {where.name}: round {number + 1} of {size.rounds}")
        scene = Scene(where, size, collector)
        with anyio.fail_after(PATIENCE):
            await SCENARIOS[name](scene)
        seen += scene.seen
        collector.next_round()
    return Run(f"{name} on {where.name}", collector.metrics(), environment=environment()), seen


def main() -> None:
    assert __doc__ is not None
    parser = command.parser(__doc__, tuple(SCENARIOS))
    options = parser.parse_args()
    size = QUICK if options.quick else Size()
    backend, backend_options = command.backend_of(options.loop)
    for name in options.names or SCENARIOS:
        if name not in SCENARIOS:
            parser.error(f"no scenario {name!r}; there are {', '.join(SCENARIOS)}")
        with place(options.place) as where:
            run, seen = anyio.run(
                measure, where, name, size, backend=backend, backend_options=backend_options
            )
        command.tell(run, name, options)
        for text in dict.fromkeys(seen):
            print(f"the program saw: {text}")


if __name__ == "__main__":
    main()
