"""Lets a coroutine make k steps and cancels it then, on asyncio and on trio.

A step ends where the coroutine gives way to the event loop. Cancelled before the first step, it
still runs until it first gives way, as every task does that cancels itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import anyio

from spacetime_py._core import Waiter
from spacetime_py.event_loop import on_asyncio

_T = TypeVar("_T")

# Seconds: what takes longer hangs.
PATIENCE = 20.0
# No await of a client takes so many steps.
MOST_STEPS = 1000


class Steps:
    """Counts the steps of the coroutines that are given to it, and cancels at one of them.

    `late`: not when the step ends but when what it waited for has come, just before the coroutine
    would go on; asyncio then throws away the outcome. On trio it is the next step that ends.
    """

    def __init__(self, cancel_at: int, cancel: Callable[[], object], late: bool) -> None:
        self.made = 0
        self._cancel_at = cancel_at
        self._cancel = cancel
        self._late = late

    def count(self, coroutine: Awaitable[_T]) -> Awaitable[_T]:
        """The same, counted."""
        return _Counted(coroutine, self)

    def begin(self) -> None:
        if self._cancel_at == 0 and self.made == 0:
            self._cancel()

    def end_one(self, waits_for: object) -> object:
        """Gives what the task is to wait for."""
        self.made += 1
        if self.made != self._cancel_at:
            return waits_for
        if self._late and isinstance(waits_for, asyncio.Future):
            # Called before the task itself hears of it.
            waits_for.add_done_callback(lambda _: self._cancel())
        elif self._late and isinstance(waits_for, Waiter):
            return _CancelledLate(waits_for, self._cancel)
        else:
            self._cancel()
        return waits_for


class _CancelledLate:
    """The same future for a task, which is cancelled just before it hears of the outcome."""

    _asyncio_future_blocking = True

    def __init__(self, waiter: Waiter[Any], cancel: Callable[[], object]) -> None:
        self._waiter = waiter
        self._cancel = cancel
        self.get_loop, self.result, self.cancel = waiter.get_loop, waiter.result, waiter.cancel

    def add_done_callback(self, wake: Callable[[object], object], *, context: Context) -> None:
        def cancel_and_wake(_: object) -> None:
            self._cancel()
            wake(self)

        self._waiter.add_done_callback(cancel_and_wake, context=context)


class _Counted(Awaitable[_T], Generic[_T]):
    def __init__(self, coroutine: Awaitable[_T], steps: Steps) -> None:
        self._coroutine = coroutine
        self._steps = steps

    def __await__(self) -> Generator[Any, Any, _T]:
        inner = self._coroutine.__await__()
        self._steps.begin()
        resume: Callable[[], Any] = partial(next, inner)
        while True:
            try:
                waits_for = resume()
            except StopIteration as stop:
                result: _T = stop.value
                return result
            resume = yield from _wait(inner, self._steps.end_one(waits_for))


def _wait(inner: Any, waits_for: object) -> Generator[Any, Any, Callable[[], Any]]:
    """Hand on to the event loop, and tell how the coroutine goes on with what comes back."""
    try:
        answer = yield waits_for
    except BaseException as error:
        thrown = error
        return lambda: inner.throw(thrown)
    return lambda: inner.send(answer) if answer is not None else next(inner)


@dataclass(frozen=True)
class Outcome(Generic[_T]):
    """How it ended. Neither cancelled nor failed: it has a value."""

    steps: int
    is_cancelled: bool
    value: _T | None
    error: Exception | None


async def cancel_at(
    step: int, body: Callable[[Steps], Coroutine[Any, Any, _T]], late: bool = False
) -> Outcome[_T]:
    """Run the body, which is cancelled when what it gives to `Steps.count` has made a step."""
    with anyio.fail_after(PATIENCE):
        if on_asyncio():
            return await _on_asyncio(step, body, late)
        return await _on_trio(step, body, late)


async def _on_asyncio(
    step: int, body: Callable[[Steps], Coroutine[Any, Any, _T]], late: bool
) -> Outcome[_T]:
    tasks: list[asyncio.Task[_T]] = []
    steps = Steps(step, lambda: tasks[0].cancel(), late)
    task = asyncio.get_running_loop().create_task(body(steps))
    tasks.append(task)
    try:
        await asyncio.wait([task])
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
    if task.cancelled():
        return Outcome(steps.made, True, None, None)
    error = task.exception()
    if error is None:
        return Outcome(steps.made, False, task.result(), None)
    if not isinstance(error, Exception):
        raise error
    return Outcome(steps.made, False, None, error)


async def _on_trio(
    step: int, body: Callable[[Steps], Coroutine[Any, Any, _T]], late: bool
) -> Outcome[_T]:
    error: Exception | None = None
    value: _T | None = None
    with anyio.CancelScope() as scope:
        steps = Steps(step, scope.cancel, late)
        try:
            value = await body(steps)
        except Exception as raised:
            error = raised
    return Outcome(steps.made, scope.cancelled_caught, value, error)
