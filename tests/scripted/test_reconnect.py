"""The edges of a connection's life that no server produces on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from examples.chat.module_bindings import DbConnection, Message
from spacetime_py import (
    AlreadyUnsubscribed,
    AuthenticationError,
    ConnectionLost,
    ConnectionStatus,
    HandshakeRejected,
    Identity,
    IdentityChanged,
    Reconnect,
    ReconnectAttempt,
    SubscriptionError,
    Timestamp,
)

from . import wire
from .peer import PATIENCE, Peer, Peers, connected, in_memory, until

pytestmark = pytest.mark.anyio
USERS = "SELECT * FROM user"


async def test_closing_while_an_attempt_waits_for_the_greeting_is_our_close() -> None:
    first, silent = Peer(), Peer()
    silent.greets = False
    told: list[object] = []
    connection = DbConnection(
        uri="http://localhost:3000",
        database="chat",
        transport=Peers(first, silent),
        reconnect=Reconnect(base=0),
        on_disconnect=lambda _, error: told.append(error),
    )
    with anyio.fail_after(PATIENCE):
        async with connection:
            first.end()
            assert connection.state.status is ConnectionStatus.RECONNECTING
            await anyio.wait_all_tasks_blocked()
            await connection.close()
        await connection.wait_closed()
    assert told == [None]


async def test_cancelling_subscribe_on_a_connection_that_is_being_closed() -> None:
    peer = Peer()
    with anyio.fail_after(PATIENCE):
        async with in_memory(peer) as connection, anyio.create_task_group() as tasks:
            peer.answers = peer.answers_close = False
            scope = anyio.CancelScope()

            async def subscribe() -> None:
                with scope:
                    await connection.subscribe(USERS)

            tasks.start_soon(subscribe)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(connection.close)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anyio.wait_all_tasks_blocked()
            assert scope.cancelled_caught
            peer.end()


async def test_what_goes_through_a_callback_leaves_the_connection_usable() -> None:
    async with connected() as (connection, peer):

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        connection.on_transaction(interrupted)
        await connection.subscribe(USERS)
        with pytest.raises(KeyboardInterrupt):
            peer.change({"message": [Message(Identity("0" * 64), Timestamp(0), "a")]})
        connection.remove_on_transaction(interrupted)
        await connection.reducers.send_message("still here")


async def test_somebody_else_s_greeting_ends_the_attempts() -> None:
    peers = Peers(Peer(), _other_identity())
    told: list[object] = []
    async with _reconnecting(peers, on_disconnect=lambda _, error: told.append(error)) as lost:
        with pytest.raises(IdentityChanged):
            await lost.wait_closed()
    assert [type(error) for error in told] == [IdentityChanged]
    assert peers.left == 0


async def test_a_refused_token_ends_the_attempts() -> None:
    peers = Peers(Peer(), _refusing("401 Unauthorized"))
    async with _reconnecting(peers) as lost:
        with pytest.raises(AuthenticationError):
            await lost.wait_closed()
    assert lost.state.status is ConnectionStatus.CLOSED


async def test_a_policy_that_gives_up_ends_it_with_the_last_error() -> None:
    asked: list[ReconnectAttempt] = []

    def policy(attempt: ReconnectAttempt) -> float | None:
        asked.append(attempt)
        return 0 if attempt.number < 3 else None

    peers = Peers(Peer(), *[_refusing("503 Service Unavailable") for _ in range(2)])
    async with _reconnecting(peers, reconnect=policy) as lost:
        with pytest.raises(HandshakeRejected, match="503"):
            await lost.wait_closed()
    assert [attempt.number for attempt in asked] == [1, 2, 3]
    kinds = [type(attempt.error) for attempt in asked]
    assert kinds == [ConnectionLost, HandshakeRejected, HandshakeRejected]


async def test_the_attempts_of_a_reconnect_are_counted() -> None:
    peers = Peers(Peer(), *[_refusing("503 Service Unavailable") for _ in range(2)])
    async with _reconnecting(peers, reconnect=Reconnect(base=0, max_attempts=2)) as lost:
        with pytest.raises(HandshakeRejected):
            await lost.wait_closed()
    assert peers.left == 0


async def test_a_policy_that_raises_is_logged_and_gives_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def policy(attempt: ReconnectAttempt) -> float:
        raise ZeroDivisionError

    raised: list[Exception] = []
    peers = Peers(Peer())
    async with _reconnecting(peers, reconnect=policy, on_callback_error=raised.append) as lost:
        with pytest.raises(ConnectionLost):
            await lost.wait_closed()
    assert [type(error) for error in raised] == [ZeroDivisionError]
    assert "the reconnect policy, raised" in caplog.text


async def test_a_first_connect_is_not_retried() -> None:
    asked: list[object] = []
    peers = Peers(_refusing("503 Service Unavailable"), Peer())
    with anyio.fail_after(PATIENCE), pytest.raises(HandshakeRejected):
        async with _connection(peers, reconnect=asked.append):
            pass
    assert (asked, peers.left) == ([], 1)


async def test_a_first_connect_is_retried_on_request() -> None:
    peers = Peers(*[_refusing("503 Service Unavailable") for _ in range(2)], Peer())
    told: list[tuple[int, ConnectionStatus]] = []
    connection = _connection(
        peers,
        reconnect=Reconnect(base=0, first=True),
        on_reconnecting=lambda me, attempt: told.append((attempt.number, me.state.status)),
    )
    with anyio.fail_after(PATIENCE):
        async with connection:
            await connection.reducers.send_message("at last")
    assert told == [(1, ConnectionStatus.CONNECTING), (2, ConnectionStatus.CONNECTING)]


async def test_a_first_connect_gives_up_as_any_other() -> None:
    peers = Peers(*[_refusing("503 Service Unavailable") for _ in range(3)])
    policy = Reconnect(base=0, first=True, max_attempts=2)
    with anyio.fail_after(PATIENCE), pytest.raises(HandshakeRejected):
        async with _connection(peers, reconnect=policy):
            pass
    assert peers.left == 0


async def test_a_first_connect_with_a_refused_token_is_not_retried() -> None:
    peers = Peers(_refusing("401 Unauthorized"))
    with anyio.fail_after(PATIENCE), pytest.raises(AuthenticationError):
        async with _connection(peers, reconnect=Reconnect(base=0, first=True)):
            pass


async def test_entering_can_be_cancelled_between_attempts() -> None:
    peers = Peers(_refusing("503 Service Unavailable"))
    scope = anyio.CancelScope()
    connection = _connection(
        peers,
        reconnect=Reconnect(base=600, cap=600, first=True),
        on_reconnecting=lambda *_: scope.cancel(),
    )
    with anyio.fail_after(PATIENCE), scope:
        async with connection:
            pass
    assert scope.cancelled_caught
    assert connection.state.status is ConnectionStatus.CLOSED


async def test_closing_between_attempts() -> None:
    peers = Peers(Peer())
    async with _reconnecting(peers, reconnect=Reconnect(base=600, cap=600)) as connection:
        assert connection.state.status is ConnectionStatus.RECONNECTING
        await connection.close()
        await connection.wait_closed()


async def test_callbacks_about_a_reconnect_that_raise_stop_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def raising(*_: object) -> None:
        raise ZeroDivisionError

    peers = Peers(Peer(), Peer())
    callbacks = {"on_reconnecting": raising, "on_reconnected": raising}
    async with _reconnecting(peers, **callbacks) as connection:
        await connection.wait_connected()
        await connection.reducers.send_message("still here")
    for name in callbacks:
        assert f"{name}, raised" in caplog.text


async def test_a_query_set_that_is_applied_and_ended_before_the_others_answer() -> None:
    first, second = Peer(), Peer()
    second.answers = False
    async with _reconnecting(Peers(first, second)) as connection:
        users = connection.subscription_builder().subscribe(USERS)
        left = connection.subscription_builder().subscribe("SELECT * FROM message")
        await until(lambda: len(second.received) == 2)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(left.unsubscribe)
            await anyio.wait_all_tasks_blocked()
            of_users, of_messages = second.received
            second.answer(of_messages)
            assert isinstance(second.received[-1], wire.Unsubscribe)
            second.answer(second.received[-1])
            assert (left.is_ended, connection.is_active) == (False, False)
            second.answer(of_users)
        await left.applied()
        assert (left.is_active, users.is_active) == (False, True)
        assert left.is_ended
        assert connection.is_active


async def test_what_is_unsubscribed_before_there_is_a_connection_is_never_applied() -> None:
    first, second = Peer(), Peer()
    async with _reconnecting(Peers(first, second)) as connection:
        handle = connection.subscription_builder().subscribe(USERS)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(handle.unsubscribe)
            with pytest.raises(AlreadyUnsubscribed, match="before it was applied"):
                await handle.applied()
        assert handle.is_ended
        assert second.received == []
        await connection.wait_connected()


async def test_a_server_that_ends_all_query_sets_while_one_is_ending() -> None:
    first, second = Peer(), Peer()
    second.answers = False
    told: list[str] = []
    async with _reconnecting(Peers(first, second)) as connection:
        builder = connection.subscription_builder()
        builder.on_error(lambda _, error: told.append(error.message)).subscribe(USERS)
        left = builder.subscribe("SELECT * FROM message")
        await until(lambda: len(second.received) == 2)
        async with anyio.create_task_group() as tasks:

            async def leave() -> None:
                with pytest.raises(SubscriptionError, match="evaluation failed"):
                    await left.unsubscribe()

            tasks.start_soon(leave)
            await anyio.wait_all_tasks_blocked()
            second.answer(second.received[1])
            second.answer(second.received[-1])
            second.send(wire.subscription_error(None, None, "evaluation failed"))
        assert told == ["evaluation failed"] * 2
        assert connection.is_active


def _connection(peers: Peers, **options: Any) -> DbConnection:
    options.setdefault("reconnect", Reconnect(base=0))
    uri = "http://localhost:3000"
    return DbConnection(uri=uri, database="chat", transport=peers, **options)


@asynccontextmanager
async def _reconnecting(peers: Peers, **options: Any) -> AsyncIterator[DbConnection]:
    """A connection that was lost as soon as it was made."""
    with anyio.fail_after(PATIENCE):
        async with _connection(peers, **options) as connection:
            peers.first.end()
            yield connection


def _refusing(status: str) -> Peer:
    peer = Peer()
    peer.refusal = wire.refusal(status, "")
    return peer


def _other_identity() -> Peer:
    peer = Peer()
    peer.identity = bytes(32)
    return peer
