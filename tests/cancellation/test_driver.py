"""The driver itself: that it cancels where it says."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest

from spacetime_py._core import Waiters
from spacetime_py.event_loop import on_asyncio

from .driver import Steps, cancel_at

pytestmark = pytest.mark.anyio


class Walk:
    """A coroutine of three steps that notes how far it came."""

    def __init__(self) -> None:
        self.places: list[str] = []

    async def go(self) -> str:
        try:
            self.places.append("start")
            for place in "abc":
                await anyio.sleep(0)
                self.places.append(place)
        except anyio.get_cancelled_exc_class():
            self.places.append("cancelled")
            raise
        return "end"

    async def __call__(self, steps: Steps) -> str:
        return await steps.count(self.go())


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("step", range(4))
async def test_it_is_cancelled_at_each_step(step: int, late: bool) -> None:
    walk = Walk()
    outcome = await cancel_at(step, walk, late)
    passed = ["start", *"abc"[: max(step - 1, 0)], "cancelled"]
    assert outcome.is_cancelled
    assert (walk.places, outcome.value) == (passed, None)


async def test_late_where_the_core_wakes_the_task() -> None:
    if not on_asyncio():
        return
    loop = asyncio.get_running_loop()
    waiter = Waiters(loop, together=True).waiter()

    async def body(steps: Steps) -> None:
        loop.call_later(0.01, waiter.set_result, 5)
        await steps.count(waiter)

    assert (await cancel_at(1, body, late=True)).is_cancelled
    assert waiter.result() == 5


async def test_it_ends_by_itself() -> None:
    walk = Walk()
    steps = (await cancel_at(100, walk)).steps
    assert walk.places == ["start", "a", "b", "c"]
    outcome = await cancel_at(steps + 1, Walk())
    assert (outcome.is_cancelled, outcome.value, outcome.error) == (False, "end", None)
    assert (await cancel_at(steps, Walk())).is_cancelled


async def test_an_error_is_an_outcome() -> None:
    async def fails() -> None:
        await anyio.sleep(0)
        raise ValueError("x")

    async def body(steps: Steps) -> None:
        await steps.count(fails())

    outcome = await cancel_at(100, body)
    assert isinstance(outcome.error, ValueError)
    assert not outcome.is_cancelled


async def test_what_comes_back_reaches_the_coroutine() -> None:
    send, receive = anyio.create_memory_object_stream[int](1)

    async def sends(steps: Steps) -> Any:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send.send, 5)
            return await steps.count(receive.receive())

    with send, receive:
        assert (await cancel_at(100, sends)).value == 5


async def test_an_event_that_came_too_late() -> None:
    """asyncio throws the outcome away; on trio what has come is taken."""
    event = anyio.Event()
    came: list[bool] = []

    async def body(steps: Steps) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_set, event)
            await steps.count(event.wait())
            came.append(True)

    outcome = await cancel_at(1, body, late=True)
    assert event.is_set()
    assert outcome.is_cancelled
    if on_asyncio():
        assert came == []


async def _set(event: anyio.Event) -> None:
    event.set()
