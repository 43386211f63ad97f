"""How a connection ends, whoever ends it, and what is told to whom."""

from __future__ import annotations

import logging
from collections.abc import Callable

import anyio
import pytest

from examples.chat.module_bindings import DbConnection
from spacetime_py import ConnectionClosed, ConnectionLost, ProtocolError, SpacetimeDBError
from spacetime_py.event_loop import on_asyncio

from . import link_timeouts
from .peer import Peer, connected, in_memory, serving
from .test_streams import message
from .wire import Close

pytestmark = pytest.mark.anyio


class _Told(Exception):
    pass


async def test_leaving_closes_in_order() -> None:
    async with connected() as (connection, peer):
        pass
    assert isinstance(peer.received[-1], Close)
    await connection.wait_closed()
    with pytest.raises(ConnectionClosed, match="this side closed") as caught:
        connection.reducers.send_message("late")
    assert caught.value.by_us
    assert not caught.value.maybe_executed


async def test_calls_made_last_go_out_before_the_close() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        connection.reducers.send_message("last")
    assert [type(message).__name__ for message in peer.received] == ["Call", "Close"]


async def test_close_may_be_called_in_the_block_and_twice() -> None:
    async with connected() as (connection, peer):
        await connection.close()
        await connection.close()
        assert not connection.is_active
        with pytest.raises(ConnectionClosed):
            await connection.subscribe("SELECT * FROM user")
    assert len([one for one in peer.received if isinstance(one, Close)]) == 1


async def test_a_connection_that_is_being_closed_takes_no_calls() -> None:
    peer = Peer()
    peer.answers_close = False
    async with (
        serving(peer) as uri,
        DbConnection(uri=uri, database="chat") as connection,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(connection.close)
        await anyio.wait_all_tasks_blocked()
        assert not connection.is_active
        with pytest.raises(ConnectionClosed, match="this side closed"):
            connection.reducers.send_message("late")
        peer.end()


async def test_what_the_body_raises_comes_out_as_it_is() -> None:
    with pytest.raises(_Told):
        async with in_memory(Peer()):
            raise _Told
    peer = Peer()
    async with serving(peer) as uri:
        with pytest.raises(_Told):
            async with DbConnection(uri=uri, database="chat"):
                raise _Told


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (lambda peer: peer.end(), ConnectionLost),
        (lambda peer: peer.close(1001, "module exited"), ConnectionClosed),
        (lambda peer: peer.send(b"\xff"), ProtocolError),
        (lambda peer: peer.send_bytes(b"\xff" * 16), ProtocolError),
    ],
)
async def test_the_server_ends_it(
    end: Callable[[Peer], None], error: type[SpacetimeDBError]
) -> None:
    told: list[object] = []
    options = {"reconnect": False, "on_disconnect": lambda _, why: told.append(why)}
    async with connected(**options) as (connection, peer):
        end(peer)
        assert not connection.is_active
        with pytest.raises(error) as first:
            await connection.wait_closed()
        with pytest.raises(error) as second:
            connection.reducers.send_message("late")
        with pytest.raises(error):
            await connection.subscribe("SELECT * FROM user")
        assert type(first.value) is error
        # A fresh one each time, from the one that ended it.
        assert first.value is not second.value
        assert told == [first.value.__cause__] == [second.value.__cause__]


async def test_wait_closed_waits() -> None:
    async with connected(reconnect=False) as (connection, peer):
        outcome: list[str] = []

        async def wait() -> None:
            with pytest.raises(ConnectionClosed, match="module exited"):
                await connection.wait_closed()
            outcome.append("ended")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            assert outcome == []
            peer.close(1001, "module exited")
        assert outcome == ["ended"]


async def test_a_server_that_does_not_answer_the_close(monkeypatch: pytest.MonkeyPatch) -> None:
    link_timeouts(monkeypatch, 0.05)
    peer = Peer()
    peer.answers_close = False
    async with serving(peer) as uri, DbConnection(uri=uri, database="chat") as connection:
        await connection.close()
    await connection.wait_closed()


async def test_a_cancelled_body_says_goodbye_without_waiting() -> None:
    peer = Peer()
    peer.answers_close = False
    async with serving(peer) as uri:
        with anyio.move_on_after(0.05) as scope:
            async with DbConnection(uri=uri, database="chat") as connection:
                started = anyio.current_time()
                await anyio.sleep_forever()
        assert scope.cancelled_caught
        assert anyio.current_time() - started < 1.0
        await connection.wait_closed()
        await anyio.wait_all_tasks_blocked()
        assert isinstance(peer.received[-1], Close)


async def test_an_answer_that_the_bindings_cannot_place_ends_the_connection_with_a_reason() -> None:
    async with connected() as (connection, peer):
        peer.change({"no_such_table": []})
        # Whether an unknown table is an error is the core's decision; the loop must not die of it.
        peer.send(b"\x63garbage")
        with pytest.raises(ProtocolError) as caught:
            await connection.wait_closed()
        assert str(caught.value)


async def test_nothing_is_logged_on_a_good_day(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="spacetime_py")
    async with connected() as (connection, _):
        await connection.subscribe("SELECT * FROM user")
        await connection.reducers.send_message("a")
    assert caplog.records == []


async def test_ctrl_c_in_a_task_of_the_connection_comes_as_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And not as a lost connection as well.

    trio raises it in whatever task runs. asyncio has no such task: its loop raises it.
    """
    if on_asyncio():
        return

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    peer = Peer()

    async def session(uri: str) -> None:
        async with DbConnection(uri=uri, database="chat") as connection:
            connection.db.message.on_insert(interrupted)
            await connection.subscribe("SELECT * FROM message")
            peer.change({"message": [message("a")]})
            await connection.wait_closed()

    async with serving(peer) as uri:
        with pytest.raises(KeyboardInterrupt):
            await session(uri)
    assert caplog.records == []
