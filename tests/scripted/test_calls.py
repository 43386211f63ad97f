"""Calls of reducers: outcomes, timeouts, cancelling, and what becomes of calls in flight."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from contextlib import closing

import anyio
import pytest

from spacetime_py import (
    CallTimeout,
    ConnectionClosed,
    ConnectionLost,
    EncodeError,
    InternalError,
    SenderError,
)

from .peer import connected
from .test_streams import message
from .wire import Call

pytestmark = pytest.mark.anyio


async def test_a_committed_call_gives_none() -> None:
    async with connected() as (connection, peer):
        assert await connection.reducers.send_message("a") is None  # type: ignore[func-returns-value]
        assert peer.last_call().reducer == "send_message"
        assert peer.last_call().args == b"\1\0\0\0a"


async def test_a_call_is_sent_without_being_awaited() -> None:
    async with connected() as (connection, peer):
        connection.reducers.send_message("a")
        connection.reducers.send_message("b")
        await anyio.wait_all_tasks_blocked()
        assert [type(message).__name__ for message in peer.received] == ["Call", "Call"]


async def _order_of_what_follows_a_read() -> list[str]:
    """Two answers with a row each in one read, and what the loop had to do as well."""
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        peer.answers = False
        heard: list[str] = []
        connection.db.message.on_insert(lambda _, row: heard.append(row.text))
        changes = connection.db.message.changes()

        async def caller(text: str) -> None:
            await connection.reducers.send_message(text)
            heard.append(f"{text} is there")

        async def reader() -> None:
            for text in "ab":
                assert (await changes.__anext__()).row == message(text)
                heard.append(f"{text} is read")

        tasks = [asyncio.ensure_future(waiting) for waiting in (caller("a"), caller("b"), reader())]
        await asyncio.sleep(0)
        calls = [one for one in peer.received if isinstance(one, Call)]

        def read() -> None:
            parts: list[bytes] = []
            deliver, peer.send_bytes = peer.send_bytes, parts.append
            for text, call in zip("ab", calls, strict=True):
                peer.commit(call, {"message": [message(text)]})
            deliver(b"".join(parts))

        loop = asyncio.get_running_loop()
        loop.call_soon(read)
        loop.call_soon(heard.append, "the loop")
        await asyncio.gather(*tasks)
        return heard


_THEN = ["a is read", "b is read", "a is there", "b is there"]


class _OwnLoop(asyncio.SelectorEventLoop):
    """May run within its own turns, for all that we know."""


@pytest.mark.parametrize(
    ("new_loop", "is_debug", "after_callbacks"),
    [
        (asyncio.new_event_loop, False, [*_THEN, "the loop"]),
        (asyncio.new_event_loop, True, ["the loop", *_THEN]),
        (_OwnLoop, False, ["the loop", *_THEN]),
    ],
)
def test_when_a_task_goes_on_that_awaits_a_call_or_a_change(
    new_loop: Callable[[], asyncio.AbstractEventLoop], is_debug: bool, after_callbacks: list[str]
) -> None:
    with closing(new_loop()) as loop:
        loop.set_debug(is_debug)
        heard = loop.run_until_complete(_order_of_what_follows_a_read())
    assert heard == ["a", "b", *after_callbacks]


async def test_the_reducers_own_error() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("")
        peer.fail(peer.last_call(), "a message must not be empty")
        with pytest.raises(SenderError) as caught:
            await call
        assert caught.value.reducer == "send_message"
        assert caught.value.message == "a message must not be empty"
        assert str(caught.value) == "reducer `send_message` refused: a message must not be empty"


async def test_a_crash_of_the_reducer() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("")
        peer.fail(peer.last_call(), "The instance encountered a fatal error.")
        with pytest.raises(InternalError, match="fatal error"):
            await call


async def test_awaiting_twice_gives_the_same_outcome_twice() -> None:
    async with connected() as (connection, peer):
        good = connection.reducers.send_message("a")
        await good
        await good
        peer.answers = False
        bad = connection.reducers.send_message("")
        peer.fail(peer.last_call(), "no")
        for _ in range(2):
            with pytest.raises(SenderError) as caught:
                await bad
            assert len(caught.traceback) < 5


async def test_two_tasks_may_await_one_call() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("a")
        done: list[int] = []

        async def wait(number: int) -> None:
            await call
            done.append(number)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait, 1)
            tasks.start_soon(wait, 2)
            await anyio.wait_all_tasks_blocked()
            peer.commit(peer.last_call())
        assert sorted(done) == [1, 2]


async def test_one_who_waits_gives_up_and_others_go_on() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("a")
        done: list[int] = []

        async def wait(number: int, scope: anyio.CancelScope) -> None:
            with scope:
                await call
                done.append(number)

        scopes = [anyio.CancelScope() for _ in range(4)]
        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(wait, number, scopes[number])
            await anyio.wait_all_tasks_blocked()
            scopes[0].cancel()
            scopes[1].cancel()
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(wait, 3, scopes[3])
            await anyio.wait_all_tasks_blocked()
            peer.commit(peer.last_call())
        assert sorted(done) == [2, 3]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_failure_comes_while_its_await_is_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        waiting = asyncio.ensure_future(connection.reducers.send_message(""))
        await anyio.wait_all_tasks_blocked()
        peer.fail(peer.last_call(), "no")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        del waiting
        gc.collect()
    assert caplog.records == []


async def test_answers_in_another_order_find_their_calls() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        first = connection.reducers.send_message("a")
        to_first = peer.last_call()
        second = connection.reducers.set_name("b")
        to_second = peer.last_call()
        peer.commit(to_second)
        assert (first.is_done, second.is_done) == (False, True)
        peer.fail(to_first, "no")
        await second
        with pytest.raises(SenderError, match="send_message"):
            await first


async def test_a_wrong_argument_is_told_where_the_call_is_made() -> None:
    async with connected() as (connection, peer):
        with pytest.raises(EncodeError, match="text"):
            connection.reducers.send_message(5)  # type: ignore[arg-type]
        assert peer.received == []
        await connection.reducers.send_message("works on")


async def test_a_timeout_of_the_call_and_of_the_connection() -> None:
    async with connected(call_timeout=0.02) as (connection, peer):
        peer.answers = False
        with pytest.raises(CallTimeout, match=r"`send_message` was not answered within 0\.01 s"):
            await connection.reducers.send_message("a", timeout=0.01)
        with pytest.raises(TimeoutError, match=r"0\.02"):
            await connection.reducers.send_message("b")
        peer.answers = True
        await connection.reducers.send_message("works on")


async def test_a_call_that_timed_out_can_be_awaited_again() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("a", timeout=0.01)
        with pytest.raises(CallTimeout):
            await call
        peer.commit(peer.last_call())
        await call


async def test_cancelling_an_await_drops_only_the_waiter() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("a")
        with anyio.move_on_after(0.01) as scope:
            await call
        assert scope.cancelled_caught
        peer.commit(peer.last_call())
        await call
        peer.answers = True
        await connection.reducers.send_message("b")


async def test_a_call_in_flight_when_the_socket_ends() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("a")
        peer.end()
        with pytest.raises(ConnectionLost, match="may have been executed") as caught:
            await call
        assert caught.value.maybe_executed
        assert isinstance(caught.value.__cause__, ConnectionLost)


async def test_a_call_in_flight_when_the_server_closes() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("a")
        peer.close(1001, "module exited")
        with pytest.raises(ConnectionClosed, match="module exited") as caught:
            await call
        assert caught.value.maybe_executed
        assert (caught.value.code, caught.value.by_us) == (1001, False)


async def test_a_call_in_flight_when_this_side_closes() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("a")
        await connection.close()
        with pytest.raises(ConnectionClosed) as caught:
            await call
        assert caught.value.maybe_executed
        assert caught.value.by_us


async def test_a_call_in_flight_when_the_server_breaks_the_protocol() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("a")
        peer.send(b"\xff")
        with pytest.raises(ConnectionLost) as caught:
            await call
        assert caught.value.maybe_executed


async def test_a_failure_that_nobody_awaits_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        connection.reducers.send_message("")
        peer.fail(peer.last_call(), "a message must not be empty")
        gc.collect()
    (logged,) = caplog.records
    assert logged.levelno == logging.ERROR
    assert "nobody awaited" in logged.getMessage()
    assert "a message must not be empty" in logged.getMessage()


async def test_an_awaited_failure_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("")
        peer.fail(peer.last_call(), "no")
        with pytest.raises(SenderError):
            await call
        del call
        gc.collect()
    assert caplog.records == []


async def test_closing_over_a_call_that_nobody_awaits_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        connection.reducers.send_message("")
    assert caplog.records == []


async def test_the_repr_tells_the_state() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        call = connection.reducers.send_message("a")
        assert repr(call) == "<ReducerCall of reducer `send_message`, in flight>"
        peer.commit(peer.last_call())
        assert repr(call) == "<ReducerCall of reducer `send_message`, done>"
