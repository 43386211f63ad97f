"""Many idle connections in one process: opening them, and the memory of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from ..loops import run_in
from ..measure import Result, Run, Stopwatch
from ..memory import resident

Connection = TypeVar("Connection")

AT_ONCE = 64
"""So many are being opened at a time."""


@asynccontextmanager
async def opened(
    connect: Callable[[], AbstractAsyncContextManager[Connection]], count: int, watch: Stopwatch
) -> AsyncIterator[list[Connection]]:
    """Connections, each entered by a task of its own. The watch measures the opening."""
    connections: list[Connection] = []
    all_open, end, gate = asyncio.Event(), asyncio.Event(), asyncio.Semaphore(AT_ONCE)

    async def client() -> None:
        await gate.acquire()
        async with connect() as connection:
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


def connecting(run: Run) -> Callable[[], AbstractAsyncContextManager[Any]]:
    """New connections to the server of a run."""
    return lambda: run.bindings.DbConnection(uri=run.options["uri"], database="bench")


async def _run(run: Run) -> Result:
    connect, count, watch = connecting(run), run.options["count"], Stopwatch()
    async with opened(connect, 1, Stopwatch()):
        before = resident()
        async with opened(connect, count, watch):
            memory = (resident() - before) / count
    return Result(rates={"rate": watch.rate()}, values={"memory": memory}, checksum=count)


def run(run: Run) -> Result:
    """Options: `loop`, `uri` of the peer, `count`."""
    return run_in(run.options["loop"], _run(run))
