"""Subscriptions: applied, refused, ended by either side, and the cache they fill."""

from __future__ import annotations

import logging

import anyio
import pytest

from examples.chat.module_bindings import EventContext, User
from spacetime_py import (
    AlreadyEnded,
    AlreadyUnsubscribed,
    CallTimeout,
    ConnectionClosed,
    ConnectionLost,
    Identity,
    ProtocolError,
    SubscribeErrorEvent,
    SubscriptionError,
)

from . import wire
from .peer import Peer, connected
from .wire import Subscribe

pytestmark = pytest.mark.anyio

USERS = "SELECT * FROM user"
ALICE, BOB = (
    User(identity=Identity.from_bytes(bytes([n]) * 32), name=None, online=True) for n in (1, 2)
)


def refuse(peer: Peer, reason: str) -> None:
    asked = peer.received[-1]
    assert isinstance(asked, Subscribe)
    peer.send(wire.subscription_error(asked.request_id, asked.query_set, reason))


async def test_rows_are_there_when_subscribe_returns() -> None:
    async with connected() as (connection, peer):
        peer.rows = {"user": [ALICE, BOB]}
        handle = await connection.subscribe(USERS, "SELECT * FROM message")
        assert handle.queries == (USERS, "SELECT * FROM message")
        assert (handle.is_active, handle.is_ended) == (True, False)
        table = connection.db.user
        assert table.count() == len(table) == 2
        assert set(table) == set(table.iter()) == {ALICE, BOB}
        assert ALICE in table
        assert "Alice" not in table
        assert table.identity.find(BOB.identity) == BOB
        assert table.identity.find(connection.identity) is None
        assert repr(table) == "<table user, 2 rows>"


async def test_unsubscribe_returns_when_the_rows_are_gone() -> None:
    async with connected() as (connection, peer):
        peer.rows = {"user": [ALICE]}
        handle = await connection.subscribe(USERS)
        gone: list[User] = []
        connection.db.user.on_delete(lambda _, row: gone.append(row))
        await handle.unsubscribe()
        assert gone == [ALICE]
        assert connection.db.user.count() == 0
        assert (handle.is_active, handle.is_ended) == (False, True)
        with pytest.raises(AlreadyUnsubscribed):
            await handle.unsubscribe()


async def test_the_cache_stays_readable_after_the_end() -> None:
    async with connected() as (connection, peer):
        peer.rows = {"user": [ALICE]}
        await connection.subscribe(USERS)
    assert list(connection.db.user) == [ALICE]


async def test_a_refused_subscription_raises_with_its_queries() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        handle = connection.subscription_builder().subscribe("SELECT * FROM nobody")
        refuse(peer, "no such table")
        with pytest.raises(SubscriptionError, match="no such table") as caught:
            await handle.applied()
        assert caught.value.queries == ("SELECT * FROM nobody",)
        assert handle.is_ended
        with pytest.raises(AlreadyEnded) as ended:
            await handle.unsubscribe()
        assert isinstance(ended.value.__cause__, SubscriptionError)
        peer.answers = True
        await connection.subscribe(USERS)


async def test_on_error_hears_of_the_refusal(caplog: pytest.LogCaptureFixture) -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        heard: list[SubscriptionError] = []

        def hear(context: EventContext, error: SubscriptionError) -> None:
            assert isinstance(context.event, SubscribeErrorEvent)
            assert context.event.error is error
            heard.append(error)

        connection.subscription_builder().on_error(hear).subscribe("SELECT * FROM nobody")
        refuse(peer, "no such table")
        assert [error.message for error in heard] == ["no such table"]
    assert caplog.records == []


async def test_a_refusal_that_nobody_hears_of_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        connection.subscription_builder().subscribe("SELECT * FROM nobody")
        refuse(peer, "no such table")
    (logged,) = caplog.records
    assert logged.levelno == logging.ERROR
    assert "no such table" in logged.getMessage()


async def test_the_server_ends_all_subscriptions(caplog: pytest.LogCaptureFixture) -> None:
    async with connected() as (connection, peer):
        first = await connection.subscribe(USERS)
        second = await connection.subscribe("SELECT * FROM message")
        peer.send(wire.subscription_error(None, None, "evaluation failed"))
        assert first.is_ended
        assert second.is_ended
        with pytest.raises(AlreadyEnded):
            await first.unsubscribe()
        assert connection.is_active
    del first, second
    assert all("evaluation failed" in record.getMessage() for record in caplog.records)


async def test_a_subscription_needs_a_query() -> None:
    async with connected() as (connection, _):
        with pytest.raises(ValueError, match="at least one query"):
            await connection.subscribe()


async def test_all_tables() -> None:
    async with connected() as (connection, peer):
        connection.subscription_builder().subscribe_to_all_tables()
        asked = peer.received[-1]
        assert isinstance(asked, Subscribe)
        assert asked.queries == ["SELECT * FROM *"]


async def test_a_timeout_leaves_the_subscription_alone() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        peer.rows = {"user": [ALICE]}
        with pytest.raises(CallTimeout, match=USERS.replace("*", r"\*")):
            await connection.subscribe(USERS, timeout=0.01)
        peer.answer(peer.received[-1])
        assert list(connection.db.user) == [ALICE]


async def test_cancelling_the_await_leaves_the_subscription_alone() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        with anyio.move_on_after(0.01) as scope:
            await connection.subscribe(USERS)
        assert scope.cancelled_caught
        peer.answer(peer.received[-1])
        peer.answers = True
        await connection.subscribe("SELECT * FROM message")


async def test_unsubscribing_before_it_is_applied_happens_when_it_is() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        applied: list[EventContext] = []
        builder = connection.subscription_builder().on_applied(applied.append)
        handle = builder.subscribe(USERS)
        asked = peer.received[-1]
        with pytest.raises(CallTimeout):
            await handle.unsubscribe(timeout=0.01)
        assert peer.received[-1] is asked
        peer.answers = True
        peer.answer(asked)
        assert handle.is_ended
        assert applied == []
        assert type(peer.received[-1]).__name__ == "Unsubscribe"
        with pytest.raises(AlreadyUnsubscribed):
            await handle.unsubscribe()


async def test_a_subscription_in_flight_when_the_socket_ends() -> None:
    async with connected(reconnect=False) as (connection, peer):
        applied = await connection.subscribe("SELECT * FROM message")
        peer.answers = False
        pending = connection.subscription_builder().subscribe(USERS)
        peer.end()
        with pytest.raises(ConnectionLost):
            await pending.applied()
        assert pending.is_ended
        assert applied.is_ended
        with pytest.raises(ConnectionLost):
            await applied.unsubscribe()


async def test_a_pending_unsubscribe_ends_with_the_connection() -> None:
    async with connected() as (connection, peer):
        handle = await connection.subscribe(USERS)
        peer.answers = False
        with pytest.raises(CallTimeout):
            await handle.unsubscribe(timeout=0.01)
        async with anyio.create_task_group() as tasks:

            @tasks.start_soon
            async def wait() -> None:
                with pytest.raises(ConnectionClosed):
                    await connection.subscribe("SELECT * FROM message")

            await anyio.wait_all_tasks_blocked()
            await connection.close()
        assert handle.is_ended


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (wire.subscribe_applied(Subscribe([], 999, 999), {}), "applied"),
        (wire.unsubscribe_applied(wire.Unsubscribe(999, 999), {}), "unsubscribed"),
    ],
)
async def test_a_query_set_that_was_not_asked_for_ends_it(answer: bytes, what: str) -> None:
    async with connected() as (connection, peer):
        peer.send(answer)
        with pytest.raises(ProtocolError, match=f"{what} query set 999, which it was not asked"):
            await connection.wait_closed()


async def test_the_repr_tells_the_state() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        handle = connection.subscription_builder().subscribe(USERS)
        assert repr(handle) == f"<SubscriptionHandle pending: {USERS}>"
        peer.answers = True
        peer.answer(peer.received[-1])
        assert repr(handle) == f"<SubscriptionHandle active: {USERS}>"
        await handle.unsubscribe()
        assert repr(handle) == f"<SubscriptionHandle ended: {USERS}>"
