"""What docs/topics/reacting.md promises of live rows."""

from __future__ import annotations

from typing import Any

import pytest

from examples.chat.module_bindings import EventContext, User
from spacetime_py import Added, EncodeError, Identity, LiveRow, LiveRows, Removed, Updated
from tests.codegen.golden.schema_2_8_3_version10 import Spark

from . import wire2
from .peer import connected
from .test_streams import ALICE, BOB, CAROL, USERS, message, now, take, user
from .test_traps import subscribed, version_2
from .wire2 import Events

pytestmark = pytest.mark.anyio


def note(live: LiveRow[User] | LiveRows[User]) -> list[Any]:
    """What the callbacks of a live row or rows are told."""
    heard: list[Any] = []
    live.on_added(lambda _, row: heard.append(Added(row)))
    live.on_updated(lambda _, old, new: heard.append(Updated(old, new)))
    live.on_removed(lambda _, row: heard.append(Removed(row)))
    return heard


async def test_one_row_comes_changes_and_leaves() -> None:
    async with connected() as (connection, peer):
        alice = connection.db.user.identity.live(ALICE)
        heard, changes = note(alice), alice.changes()
        assert alice.row is None
        peer.change({"user": [user(ALICE), user(BOB)]})
        assert alice.row == user(ALICE)
        peer.change({"user": [user(ALICE, "A")]}, {"user": [user(ALICE)]})
        assert alice.row == user(ALICE, "A")
        peer.change({}, {"user": [user(BOB)]})
        peer.change({}, {"user": [user(ALICE, "A")]})
        assert alice.row is None
        assert heard == [
            Added(user(ALICE)),
            Updated(user(ALICE), user(ALICE, "A")),
            Removed(user(ALICE, "A")),
        ]
        assert await take(changes, now(changes)) == heard


async def test_rows_of_a_condition() -> None:
    async with connected() as (connection, peer):
        peer.rows = {"user": [user(ALICE), user(BOB, online=False)]}
        await connection.subscribe(USERS)
        online = connection.db.user.live(lambda row: row.online)
        heard, changes = note(online), online.changes(existing=True)
        assert list(online) == [user(ALICE)]
        assert (len(online), user(ALICE) in online, user(BOB) in online) == (1, True, False)
        steps = [
            (user(BOB, online=False), user(BOB)),
            (user(BOB), user(BOB, "B")),
            (user(ALICE), user(ALICE, online=False)),
            (user(ALICE, online=False), user(ALICE, "A", online=False)),
        ]
        for old, new in steps:
            peer.change({"user": [new]}, {"user": [old]})
        peer.change({"user": [user(CAROL)]}, {"user": [user(BOB, "B")]})
        assert list(online) == [user(CAROL)]
        assert heard == [
            Added(user(BOB)),
            Updated(user(BOB), user(BOB, "B")),
            Removed(user(ALICE)),
            Added(user(CAROL)),
            Removed(user(BOB, "B")),
        ]
        assert await take(changes, now(changes)) == [Added(user(ALICE)), *heard]


async def test_every_callback_finds_them_current() -> None:
    async with connected() as (connection, peer):
        peer.rows = {"user": [user(ALICE)], "message": [message("a")]}
        alice = connection.db.user.identity.live(ALICE)
        everybody = connection.db.user.live(lambda row: True)
        seen: list[tuple[object, int]] = []

        def look(context: EventContext, *_: object) -> None:
            seen.append((alice.row, len(everybody)))

        connection.db.message.on_insert(look)
        connection.on_transaction(look)
        builder = connection.subscription_builder().on_applied(look)
        await builder.subscribe(USERS, "SELECT * FROM message").applied()
        assert seen == [(user(ALICE), 1)] * 3


async def test_their_callbacks_come_after_those_of_rows_and_before_on_transaction() -> None:
    async with connected() as (connection, peer):
        heard: list[str] = []
        online = connection.db.user.live(lambda row: row.online)
        online.on_added(lambda *_: heard.append("live"))
        connection.on_transaction(lambda *_: heard.append("transaction"))
        connection.db.message.on_insert(lambda *_: heard.append("message"))
        connection.db.user.on_insert(lambda *_: heard.append("user"))
        peer.change({"user": [user(ALICE)], "message": [message("a")]})
        assert heard == ["user", "message", "live", "transaction"]


async def test_made_in_a_callback_they_hear_of_the_next_message_first() -> None:
    async with connected() as (connection, peer):
        made: list[tuple[Any, list[Any]]] = []

        def begin(context: EventContext, row: User) -> None:
            live = context.db.user.live(lambda row: row.online)
            made.append((live, note(live)))

        connection.db.user.on_insert(begin)
        peer.change({"user": [user(ALICE)]})
        connection.db.user.remove_on_insert(begin)
        ((live, heard),) = made
        assert (list(live), heard) == ([user(ALICE)], [])
        peer.change({"user": [user(BOB)]})
        assert (len(live), heard) == (2, [Added(user(BOB))])


async def test_after_close_they_stay_as_they_are() -> None:
    async with connected() as (connection, peer):
        peer.change({"user": [user(ALICE)]})
        with connection.db.user.live(lambda row: True) as everybody:
            heard, changes = note(everybody), everybody.changes()
        alice = connection.db.user.identity.live(ALICE)
        alice.close()
        peer.change({"user": [user(ALICE, "A"), user(BOB)]}, {"user": [user(ALICE)]})
        assert (list(everybody), alice.row, heard) == ([user(ALICE)], user(ALICE), [])
        assert [change async for change in changes] == []


async def test_a_removed_callback_is_not_called() -> None:
    async with connected() as (connection, peer):
        alice, heard = connection.db.user.identity.live(ALICE), list[object]()

        @alice.on_added
        def added(context: object, row: User) -> None:
            heard.append(row)

        alice.remove_on_added(added)
        with pytest.raises(ValueError, match="not registered as on_added of a live row of table"):
            alice.remove_on_added(added)
        peer.change({"user": [user(ALICE)]})
        assert heard == []


async def test_a_condition_or_callback_that_raises_is_no_harm() -> None:
    errors: list[Exception] = []
    async with connected(on_callback_error=errors.append) as (connection, peer):
        peer.change({"user": [user(ALICE), user(BOB, "B")]})
        named = connection.db.user.live(lambda row: len(row.name or 0) > 0)  # type: ignore[arg-type]
        assert list(named) == [user(BOB, "B")]
        assert [type(error) for error in errors] == [TypeError]
        named.on_added(lambda *_: 1 / 0)
        heard = note(named)
        peer.change({"user": [user(CAROL, "C")]})
        assert [type(error) for error in errors] == [TypeError, ZeroDivisionError]
        assert heard == [Added(user(CAROL, "C"))]
        await connection.reducers.send_message("fine")


async def test_a_wrong_key() -> None:
    async with connected() as (connection, _):
        with pytest.raises(EncodeError, match="Identity"):
            connection.db.user.identity.live("me")  # type: ignore[arg-type]
        assert connection._dispatcher.rows["user"].lives == ()


async def test_when_the_connection_has_ended_they_are_as_they_were() -> None:
    async with connected() as (connection, peer):
        peer.change({"user": [user(ALICE)]})
        before = connection.db.user.live(lambda row: True)
        await connection.close()
        after = connection.db.user.live(lambda row: True)
        for live in (before, after):
            assert list(live) == [user(ALICE)]
            assert [change async for change in live.changes()] == []
        assert connection.db.user.identity.live(Identity("00" * 32)).row is None


async def test_streams_and_live_rows_of_an_event_table() -> None:
    async with version_2() as (connection, peer):
        _, query_set = subscribed(connection, peer, "SELECT * FROM spark", {})
        changes, bright = connection.db.spark.changes(), connection.db.spark.live(lambda row: True)
        net, heard = connection.db.spark.changes(overflow="conflate"), list[Spark]()
        bright.on_added(lambda _, row: heard.append(row))
        spark = Spark(1, "x")
        peer.send(wire2.transaction_update({query_set: {"spark": Events([spark, spark])}}))
        assert (changes.waiting, net.waiting, heard, len(bright)) == (2, 1, [spark, spark], 0)
        assert [(await changes.__anext__()).row for _ in range(2)] == [spark, spark]
