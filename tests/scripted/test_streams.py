"""What docs/topics/reacting.md promises of streams."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import anyio
import pytest

from examples.chat.module_bindings import DbConnection, Message, User
from spacetime_py import (
    Added,
    ConnectionClosed,
    ConnectionLost,
    Identity,
    Reconnect,
    ReconnectedEvent,
    Removed,
    Stream,
    StreamOverflow,
    SubscribeAppliedEvent,
    Timestamp,
    UnknownTransactionEvent,
    Updated,
)

from .peer import PATIENCE, Peer, Peers, connected, in_memory

pytestmark = pytest.mark.anyio
T = TypeVar("T")
USERS = "SELECT * FROM user"
ALICE, BOB, CAROL = (Identity.from_bytes(bytes([n]) * 32) for n in (1, 2, 3))


def user(identity: Identity, name: str | None = None, online: bool = True) -> User:
    return User(identity=identity, name=name, online=online)


def message(text: str) -> Message:
    return Message(sender=ALICE, sent=Timestamp(0), text=text)


async def take(stream: AsyncIterator[T], count: int) -> list[T]:
    return [await stream.__anext__() for _ in range(count)]


def now(stream: Stream[T]) -> int:
    return stream.waiting


async def test_a_stream_tells_what_callbacks_are_told_in_their_order() -> None:
    async with connected() as (connection, peer):
        peer.rows = {"user": [user(ALICE), user(BOB)]}
        changes = connection.db.user.changes()
        await connection.subscribe(USERS)
        first = await take(changes, 2)
        assert {change.row for change in first} == {user(ALICE), user(BOB)}
        assert [type(change.event) for change in first] == [SubscribeAppliedEvent] * 2
        peer.change({"user": [user(ALICE, "A"), user(CAROL)]}, {"user": [user(ALICE), user(BOB)]})
        assert await take(changes, 3) == [
            Added(user(CAROL)),
            Removed(user(BOB)),
            Updated(user(ALICE), user(ALICE, "A")),
        ]


async def test_a_change_matches_by_position() -> None:
    async with connected() as (connection, peer):
        changes = connection.db.user.changes()
        peer.change({"user": [user(ALICE)]})
        peer.change({"user": [user(ALICE, "A")]}, {"user": [user(ALICE)]})
        names: list[str | None] = []
        for change in await take(changes, 2):
            match change:
                case Added(row):
                    names.append(row.name)
                case Updated(old, new):
                    names += [old.name, new.name]
                case Removed(_):
                    raise AssertionError
            assert isinstance(change.event, UnknownTransactionEvent)
            assert change.row.identity == ALICE
        assert names == [None, None, "A"]


async def test_rows_that_were_there_come_first_and_once() -> None:
    async with connected() as (connection, peer):
        peer.rows = {"user": [user(ALICE), user(BOB)]}
        await connection.subscribe(USERS)
        changes = connection.db.user.changes(existing=True, size=1)
        peer.change({"user": [user(CAROL)]})
        first = await take(changes, 3)
        assert {change.row for change in first[:2]} == {user(ALICE), user(BOB)}
        assert [change.event for change in first[:2]] == [None, None]
        assert first[2] == Added(user(CAROL))


async def test_a_stream_made_in_a_callback_has_no_gap_and_no_duplicate() -> None:
    """Whichever callback it is: the cache has the whole message already."""
    async with connected() as (connection, peer):
        streams: list[Any] = []

        def begin(*_: object) -> None:
            streams.append(connection.db.user.changes(existing=True))
            streams.append(connection.db.user.changes())

        connection.db.message.on_insert(begin)
        connection.db.user.on_insert(begin)
        connection.on_transaction(begin)
        await connection.subscribe(USERS, "SELECT * FROM message")
        peer.change({"message": [message("a")], "user": [user(ALICE)]})
        connection.db.message.remove_on_insert(begin)
        connection.db.user.remove_on_insert(begin)
        connection.remove_on_transaction(begin)
        peer.change({"user": [user(BOB)]})
        assert len(streams) == 6
        for whole, later in zip(streams[::2], streams[1::2], strict=True):
            assert await take(whole, now(whole)) == [Added(user(ALICE)), Added(user(BOB))]
            assert await take(later, now(later)) == [Added(user(BOB))]


async def test_a_stream_made_in_on_applied() -> None:
    async with connected() as (connection, peer):
        peer.rows = {"user": [user(ALICE)]}
        streams: list[Any] = []
        builder = connection.subscription_builder()
        builder.on_applied(lambda context: streams.append(context.db.user.changes(existing=True)))
        await builder.subscribe(USERS).applied()
        assert await take(streams[0], now(streams[0])) == [Added(user(ALICE))]


async def test_transactions() -> None:
    async with connected() as (connection, peer):
        transactions = connection.transactions()
        peer.change({"message": [message("a")], "user": [user(ALICE)]})
        peer.change({"message": [message("b")]})
        first, second = await take(transactions, 2)
        assert list(first.changes) == ["message", "user"]
        assert first.changes["user"].inserts == [user(ALICE)]
        assert second.changes["message"].inserts == [message("b")]
        assert isinstance(second.event, UnknownTransactionEvent)


async def test_it_ends_with_our_close_and_gives_what_was_waiting_before() -> None:
    async with connected() as (connection, peer):
        changes, transactions = connection.db.user.changes(), connection.transactions()
        peer.change({"user": [user(ALICE)]})
        await connection.close()
        assert [change async for change in changes] == [Added(user(ALICE))]
        assert len([transaction async for transaction in transactions]) == 1
        assert [change async for change in changes] == []
        later = connection.db.user.changes(existing=True)
        assert [change async for change in later] == [Added(user(ALICE))]


async def test_it_raises_what_ended_the_connection() -> None:
    async with connected(reconnect=False) as (connection, peer):
        changes = connection.db.user.changes()
        peer.change({"user": [user(ALICE)]})
        peer.end()
        assert await take(changes, 1) == [Added(user(ALICE))]
        for _ in range(2):
            with pytest.raises(ConnectionLost):
                await changes.__anext__()
        with pytest.raises(ConnectionLost):
            await connection.transactions().__anext__()


async def test_who_waits_hears_of_the_end() -> None:
    async with (
        connected(reconnect=False) as (connection, peer),
        anyio.create_task_group() as tasks,
    ):
        ends: list[str] = []

        async def read(stream: Stream[Any]) -> None:
            try:
                async for _ in stream:
                    raise AssertionError
                ends.append("end")
            except ConnectionClosed as error:
                ends.append(error.reason)

        closed = connection.db.user.changes()
        for stream in (closed, connection.db.user.changes(), connection.transactions()):
            tasks.start_soon(read, stream)
        await anyio.wait_all_tasks_blocked()
        closed.close()
        await anyio.wait_all_tasks_blocked()
        assert ends == ["end"]
        peer.close(1011, "module exited")
        await anyio.wait_all_tasks_blocked()
        assert ends == ["end", "module exited", "module exited"]


async def test_one_of_a_table_that_nobody_used_before_the_end() -> None:
    async with connected(reconnect=False) as (connection, peer):
        peer.close(1011, "module exited")
        with pytest.raises(ConnectionClosed):
            await connection.wait_closed()
        for changes in (connection.db.user.changes(), connection.db.user.changes()):
            with pytest.raises(ConnectionClosed, match="module exited"):
                await changes.__anext__()


async def test_it_goes_on_over_a_reconnect_with_the_exact_difference() -> None:
    before, after = Peer(), Peer()
    before.rows = {"user": [user(ALICE), user(BOB)]}
    after.rows = {"user": [user(ALICE, "A"), user(CAROL)]}
    connection = DbConnection(
        uri="http://localhost:3000",
        database="chat",
        transport=Peers(before, after),
        reconnect=Reconnect(base=0),
    )
    with anyio.fail_after(PATIENCE):
        async with connection:
            await connection.subscribe(USERS)
            changes = connection.db.user.changes()
            before.end()
            found = await take(changes, 3)
            assert found == [
                Added(user(CAROL)),
                Removed(user(BOB)),
                Updated(user(ALICE), user(ALICE, "A")),
            ]
            assert {type(change.event) for change in found} == {ReconnectedEvent}


async def test_too_slow_a_reader_gets_what_was_waiting_and_the_error() -> None:
    async with connected() as (connection, peer):
        changes = connection.db.message.changes(size=2)
        other = connection.db.message.changes()
        for text in "abcd":
            peer.change({"message": [message(text)]})
        assert await take(changes, 2) == [Added(message("a")), Added(message("b"))]
        with pytest.raises(StreamOverflow, match="changes of table `message` came faster"):
            await changes.__anext__()
        assert other.waiting == 4, "it is nobody else's affair"
        await connection.reducers.send_message("and the connection lives")


async def test_dropping_and_conflating() -> None:
    async with connected() as (connection, peer):
        latest = connection.db.user.changes(size=2, overflow="drop_oldest")
        net = connection.db.user.changes(overflow="conflate")
        peer.change({"user": [user(ALICE)]})
        for old, new in ((None, "A"), ("A", "B"), ("B", "C")):
            peer.change({"user": [user(ALICE, new)]}, {"user": [user(ALICE, old)]})
        assert await take(latest, now(latest)) == [
            Updated(user(ALICE, "A"), user(ALICE, "B")),
            Updated(user(ALICE, "B"), user(ALICE, "C")),
        ]
        assert await take(net, now(net)) == [Added(user(ALICE, "C"))]
        assert (latest.dropped, net.dropped) == (2, 3)


async def test_a_stream_that_nobody_holds_is_gone() -> None:
    async with connected() as (connection, peer):
        changes = connection.db.user.changes()
        async with connection.db.user.changes() as closed:
            pass
        assert connection._dispatcher.rows["user"].feed.is_heard
        del changes
        gc.collect()
        peer.change({"user": [user(ALICE)]})
        assert not connection._dispatcher.rows["user"].feed.is_heard
        assert [change async for change in closed] == []


async def test_before_the_connection_is_entered() -> None:
    peer = Peer()
    peer.rows = {"user": [user(ALICE)]}
    connection = in_memory(peer)
    changes = connection.db.user.changes()
    with anyio.fail_after(PATIENCE):
        async with connection:
            await connection.subscribe(USERS)
        assert [change async for change in changes] == [Added(user(ALICE))]


async def test_a_busy_reader_lets_others_run() -> None:
    async with connected() as (connection, peer), anyio.create_task_group() as tasks:
        changes = connection.db.message.changes()
        peer.change({"message": [message(str(number)) for number in range(500)]})
        await connection.close()
        turns: list[int] = []

        async def other() -> None:
            while now(changes):
                turns.append(now(changes))
                await anyio.sleep(0)

        tasks.start_soon(other)
        assert len([change async for change in changes]) == 500
        assert len(turns) >= 4


async def test_a_plain_for_is_refused() -> None:
    async with connected() as (connection, _):
        with pytest.raises(TypeError, match="async for"):
            list(connection.transactions())


async def test_two_readers_of_one_stream_share_it() -> None:
    async with connected() as (connection, peer):
        changes = connection.db.message.changes()
        found: list[str] = []

        async def read() -> None:
            async for change in changes:
                found.append(change.row.text)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            tasks.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            for text in "abcd":
                peer.change({"message": [message(text)]})
            await anyio.wait_all_tasks_blocked()
            assert sorted(found) == list("abcd")
            await connection.close()


async def test_the_loop_of_a_reader_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    async with connected() as (connection, peer):
        changes = connection.db.message.changes()
        peer.change({"message": [message("a"), message("b")]})

        async def read() -> None:
            async for _ in changes:
                raise ZeroDivisionError

        with caplog.at_level(logging.WARNING), pytest.raises(ZeroDivisionError):
            await read()
        assert (await changes.__anext__()).row in (message("a"), message("b"))
        await connection.reducers.send_message("fine")
        assert not caplog.records
