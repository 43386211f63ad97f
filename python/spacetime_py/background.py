"""A task beside the user's, on asyncio and on trio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import anyio

from .event_loop import Event, on_asyncio


class Background:
    """Runs one async function until it returns or is cancelled.

    asyncio's own task is used there, so that a connection may be entered in one task and left in
    another, as test fixtures do. trio has no tasks without a nursery: this holds one open.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._group: anyio.abc.TaskGroup | None = None
        self._ended: Event | None = None
        self._others: list[tuple[anyio.CancelScope, asyncio.Task[None] | None]] = []

    async def start(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._ended = Event()
        if on_asyncio():
            self._task = asyncio.get_running_loop().create_task(self._run(run))
            # One that is cancelled before its first step runs nothing, not even `finally`.
            self._task.add_done_callback(lambda _: self._end())
        else:
            self._group = anyio.create_task_group()
            await self._group.__aenter__()
            self._group.start_soon(self._run, run)

    def add(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run another one meanwhile, which is cancelled when the first one ends."""
        # A scope of its own: that of the group encloses the user's block as well.
        scope, task = anyio.CancelScope(), None
        if self._group is not None:
            self._group.start_soon(_within, scope, run)
        else:
            task = asyncio.get_running_loop().create_task(_within(scope, run))
        # asyncio holds its tasks weakly.
        self._others.append((scope, task))

    async def _run(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await run()
        finally:
            self._end()

    def _end(self) -> None:
        for scope, _ in self._others:
            scope.cancel()
        assert self._ended is not None
        self._ended.set()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._group is not None:
            self._group.cancel_scope.cancel()

    async def wait(self) -> None:
        """Return when it has ended."""
        if self._ended is not None:
            await self._ended.wait()

    async def release(self) -> None:
        """After `wait`, in the task that started it on trio."""
        group, self._group = self._group, None
        if group is not None:
            # Without an exception, so that the group has nothing to wrap.
            try:
                await group.__aexit__(None, None, None)
            except BaseException as error:
                raise _without_groups(error) from None


def _without_groups(error: BaseException) -> BaseException:
    """Ctrl-C meets a task of the connection too, on trio. Nobody asked for that task's groups."""
    inner = error
    while True:
        inside: tuple[BaseException, ...] = getattr(inner, "exceptions", ())
        if len(inside) != 1:
            break
        (inner,) = inside
    return inner if isinstance(inner, KeyboardInterrupt) else error


async def _within(scope: anyio.CancelScope, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with scope:
        await run()


async def quietly(wait: Callable[[], Awaitable[object]], seconds: float) -> bool:
    """Wait, but no longer than so many seconds and whoever is cancelled; tell whether it ended."""
    with anyio.move_on_after(seconds, shield=True):
        await wait()
        return True
    return False
