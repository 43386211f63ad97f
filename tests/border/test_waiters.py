"""What tasks of asyncio wait on: a future as far as tasks can tell, for all kinds of them."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import closing
from contextvars import ContextVar
from importlib.util import find_spec
from typing import Any

import anyio
import pytest

from spacetime_py._core import Waiter, Waiters

Program = Callable[[], Coroutine[Any, Any, object]]
Runner = Callable[[Program], object]
WHO: ContextVar[str] = ContextVar("WHO", default="nobody")
PYTHON_TASK: Any = vars(asyncio.tasks)["_PyTask"]


def _new_loop(name: str) -> asyncio.AbstractEventLoop:
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    loop = asyncio.new_event_loop()
    if name == "python-tasks":
        loop.set_task_factory(lambda loop, program: PYTHON_TASK(program, loop=loop))
    return loop


LOOPS = ["asyncio", "uvloop"]
if sys.version_info < (3, 14):
    # Later ones are not known to `current_task`, and neither asyncio nor anyio works in them.
    LOOPS.append("python-tasks")


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    if request.param == "uvloop" and not find_spec("uvloop"):
        pytest.skip("uvloop is not installed")
    with closing(_new_loop(request.param)) as loop:
        yield loop


@pytest.fixture
def run(loop: asyncio.AbstractEventLoop) -> Runner:
    return lambda program: loop.run_until_complete(asyncio.wait_for(program(), 10))


@pytest.fixture(params=[True, False], ids=["together", "apart"])
def waiters(request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop) -> Waiters:
    return Waiters(loop, request.param)


async def _asleep(awaited: Awaitable[Any]) -> asyncio.Task[Any]:
    """A task that waits for it by now."""

    async def wait() -> Any:
        return await awaited

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    return task


def test_outcomes(run: Runner, waiters: Waiters) -> None:
    async def program() -> None:
        for value in (None, 7, (1, 2), StopIteration("a value like others")):
            waiter = waiters.waiter()
            task = await _asleep(waiter)
            assert not waiter.done()
            assert waiter.set_result(value)
            assert await task is value
            assert waiter.done()
            assert waiter.result() is value
        error = ValueError("no")
        waiter = waiters.waiter()
        task = await _asleep(waiter)
        assert waiter.set_exception(error)
        with pytest.raises(ValueError, match="no") as caught:
            await task
        assert caught.value is error

    run(program)


@pytest.mark.parametrize("value", [None, 5])
def test_it_iterates_as_futures_do(value: object, waiters: Waiters) -> None:
    """For coroutines that pass on by hand what others wait for."""
    waiter = waiters.waiter()
    inner: Any = waiter.__await__()
    assert inner.send(None) is waiter
    for thrown in ((LookupError("x"),), (LookupError,), (LookupError, LookupError("x"), None)):
        with pytest.raises(LookupError):
            inner.throw(*thrown)
    inner.close()
    waiter.set_result(value)
    with pytest.raises(StopIteration) as sent:
        inner.send(None)
    with pytest.raises(StopIteration) as iterated:
        next(inner)
    assert sent.value.value == iterated.value.value == value


def test_the_first_outcome_counts(run: Runner, waiters: Waiters) -> None:
    async def program() -> None:
        waiter = waiters.waiter()
        task = await _asleep(waiter)
        assert waiter.set_result(1)
        assert not waiter.set_result(2)
        assert not waiter.set_exception(ValueError())
        assert not waiter.cancel()
        assert await task == 1

    run(program)


def test_an_outcome_before_anybody_waits(run: Runner, waiters: Waiters) -> None:
    async def program() -> None:
        waiter = waiters.waiter()
        with pytest.raises(asyncio.InvalidStateError):
            waiter.result()
        waiter.set_result("there")
        assert await waiter == "there"

    run(program)


def test_cancelling(run: Runner, waiters: Waiters) -> None:
    """With the message where a future's would be, which is not the same place in each Python."""

    async def cancelled(awaited: Awaitable[Any]) -> tuple[str, str]:
        task = await _asleep(awaited)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert task.cancelled()
        return str(caught.value), str(caught.value.__context__)

    async def program() -> None:
        waiter = waiters.waiter()
        messages = await cancelled(waiter)
        assert "enough" in messages
        assert messages == await cancelled(asyncio.get_running_loop().create_future())
        assert not waiter.set_result("late")

    run(program)


def test_cancelled_with_the_outcome_there(run: Runner, waiters: Waiters) -> None:
    """As with futures: the task is cancelled, and the outcome stays."""

    async def program() -> None:
        waiter = waiters.waiter()
        task = await _asleep(waiter)
        waiter.set_result("there")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert waiter.result() == "there"

    run(program)


def test_a_task_may_go_on_after_it_was_cancelled(run: Runner, waiters: Waiters) -> None:
    async def program() -> None:
        first, second = waiters.waiter(), waiters.waiter()

        async def stubborn() -> object:
            try:
                return await first
            except asyncio.CancelledError:
                return await second

        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second.set_result("second")
        assert await task == "second"

    run(program)


def test_timeouts_of_others(run: Runner, waiters: Waiters) -> None:
    async def program() -> None:

        async def wait() -> object:
            return await waiters.waiter()

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(wait(), 0.01)
        with anyio.move_on_after(0.01) as scope:
            await wait()
        assert scope.cancelled_caught

    run(program)


def test_tasks_keep_their_context(run: Runner, waiters: Waiters) -> None:
    async def program() -> None:
        waiting = [waiters.waiter() for _ in range(3)]

        async def who(waiter: Waiter[Any], name: str) -> tuple[str, asyncio.Task[Any] | None]:
            WHO.set(name)
            await waiter
            return WHO.get(), asyncio.current_task()

        tasks = [
            asyncio.create_task(who(one, name)) for one, name in zip(waiting, "abc", strict=True)
        ]
        await asyncio.sleep(0)
        for waiter in waiting:
            waiter.set_result(None)
        assert await asyncio.gather(*tasks) == list(zip("abc", tasks, strict=True))
        assert WHO.get() == "nobody"

    run(program)


def test_tasks_that_are_due_go_on_in_one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        waiters = Waiters(loop, together=True)
        waiting = [waiters.waiter() for _ in range(10)]
        order: list[int] = []

        async def wait(number: int) -> None:
            await waiting[number]
            order.append(number)

        tasks = [asyncio.create_task(wait(number)) for number in range(10)]
        await asyncio.sleep(0)
        asked = 0
        call_soon = loop.call_soon

        def counting(*args: Any, **options: Any) -> asyncio.Handle:
            nonlocal asked
            asked += 1
            return call_soon(*args, **options)

        monkeypatch.setattr(loop, "call_soon", counting)
        for number in (3, 1, 2, 0, *range(4, 10)):
            waiting[number].set_result(None)
        assert (asked, order) == (1, [])
        await asyncio.sleep(0)
        assert order == [3, 1, 2, 0, *range(4, 10)]
        await asyncio.gather(*tasks)

    asyncio.run(program())


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_loop(
    error: type[BaseException], loop: asyncio.AbstractEventLoop, run: Runner, waiters: Waiters
) -> None:
    """Other tasks that are due go on when the loop does."""
    waiting = [waiters.waiter() for _ in range(4)]
    went_on: list[int] = []

    async def wait(number: int) -> None:
        await waiting[number]
        if number == 1:
            raise error
        went_on.append(number)

    tasks = [loop.create_task(wait(number)) for number in range(4)]
    run(lambda: asyncio.sleep(0))
    for waiter in waiting:
        waiter.set_result(None)
    with pytest.raises(error):
        run(lambda: asyncio.sleep(5))
    run(lambda: asyncio.wait(tasks))
    assert went_on == [0, 2, 3]
    assert isinstance(tasks[1].exception(), error)


def test_nothing_is_left_of_a_task_that_nobody_has() -> None:
    async def program() -> None:
        waiter = Waiters(asyncio.get_running_loop(), together=True).waiter()
        gone = weakref.ref(await _asleep(waiter))
        del waiter
        gc.collect()
        assert gone() is None

    asyncio.run(program())
