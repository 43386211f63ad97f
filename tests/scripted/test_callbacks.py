"""What docs/topics/callbacks.md promises: order, exceptions, changes while callbacks run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from examples.chat.module_bindings import EventContext, Message, User
from spacetime_py import (
    Identity,
    ReducerEvent,
    SubscribeAppliedEvent,
    Timestamp,
    UnknownTransactionEvent,
    UnsubscribeAppliedEvent,
)

from . import wire
from .peer import connected

pytestmark = pytest.mark.anyio

ALICE, BOB, CAROL = (Identity.from_bytes(bytes([n]) * 32) for n in (1, 2, 3))


def user(identity: Identity, name: str | None = None, online: bool = True) -> User:
    return User(identity=identity, name=name, online=online)


def message(text: str, sender: Identity = ALICE) -> Message:
    return Message(sender=sender, sent=Timestamp(0), text=text)


async def test_within_a_table_inserts_then_deletes_then_updates() -> None:
    async with connected() as (connection, peer):
        peer.rows = {"user": [user(ALICE), user(BOB)]}
        await connection.subscribe("SELECT * FROM user")
        heard: list[tuple[object, ...]] = []
        connection.db.user.on_update(lambda _, old, new: heard.append(("update", old, new)))
        connection.db.user.on_delete(lambda _, row: heard.append(("delete", row)))
        connection.db.user.on_insert(lambda _, row: heard.append(("insert", row)))
        peer.change({"user": [user(ALICE, "A"), user(CAROL)]}, {"user": [user(ALICE), user(BOB)]})
        assert heard == [
            ("insert", user(CAROL)),
            ("delete", user(BOB)),
            ("update", user(ALICE), user(ALICE, "A")),
        ]


async def test_across_tables_the_order_of_the_message() -> None:
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM user", "SELECT * FROM message")
        heard: list[str] = []
        connection.db.message.on_insert(lambda *_: heard.append("message"))
        connection.db.user.on_insert(lambda *_: heard.append("user"))
        peer.change({"user": [user(ALICE)], "message": [message("a")]})
        peer.change({"message": [message("b")], "user": [user(BOB)]})
        assert heard == ["user", "message", "message", "user"]


async def test_every_callback_sees_the_cache_as_the_whole_message_left_it() -> None:
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM user", "SELECT * FROM message")
        seen: list[tuple[int, int]] = []

        def look(context: EventContext, row: User | Message) -> None:
            seen.append((context.db.user.count(), context.db.message.count()))

        connection.db.user.on_insert(look)
        connection.db.message.on_insert(look)
        users, messages = [user(ALICE), user(BOB)], [message("a"), message("b")]
        peer.change({"user": users, "message": messages})
        assert seen == [(2, 2)] * 4


async def test_on_applied_comes_before_the_rows_and_the_await_after_them() -> None:
    async with connected() as (connection, peer):
        peer.rows = {"user": [user(ALICE)]}
        heard: list[str] = []
        connection.db.user.on_insert(lambda *_: heard.append("row"))
        builder = connection.subscription_builder()
        builder.on_applied(lambda context: heard.append(f"applied, {context.db.user.count()} row"))
        handle = builder.subscribe("SELECT * FROM user")
        await handle.applied()
        heard.append("awaited")
        assert heard == ["applied, 1 row", "row", "awaited"]


async def test_an_own_call_resolves_after_its_row_callbacks() -> None:
    async with connected() as (connection, peer):
        peer.answers = False
        heard: list[bool] = []
        connection.db.message.on_insert(lambda *_: heard.append(call.is_done))
        call = connection.reducers.send_message("a")
        peer.commit(peer.last_call(), {"message": [message("a")]})
        await call
        assert heard == [False]


async def test_the_event_tells_what_changed_the_row() -> None:
    async with connected() as (connection, peer):
        peer.rows = {"message": [message("old")]}
        events: list[Any] = []
        connection.db.message.on_insert(lambda context, _: events.append(context.event))
        connection.db.message.on_delete(lambda context, _: events.append(context.event))
        handle = await connection.subscribe("SELECT * FROM message")
        peer.answers = False
        call = connection.reducers.send_message("mine")
        peer.commit(peer.last_call(), {"message": [message("mine")]})
        await call
        peer.change({"message": [message("theirs")]})
        peer.answers = True
        peer.rows = {"message": [message("old"), message("mine"), message("theirs")]}
        await handle.unsubscribe()
        kinds = [type(event) for event in events]
        assert kinds[:3] == [SubscribeAppliedEvent, ReducerEvent, UnknownTransactionEvent]
        assert kinds[3:] == [UnsubscribeAppliedEvent] * 3
        assert events[0].queries == ("SELECT * FROM message",)
        own = events[1]
        assert own.is_own
        assert (own.name, own.args, own.timestamp) == ("send_message", ("mine",), Timestamp(10**6))
        assert own.caller_identity == connection.identity
        assert own.caller_connection_id == connection.connection_id


async def test_a_reducer_of_another_client() -> None:
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        events: list[Any] = []
        connection.db.message.on_insert(lambda context, _: events.append(context.event))
        status = wire.committed({"message": [message("a")]}, {})
        args = wire.string("a")
        peer.send(
            wire.transaction_update(
                status, reducer="send_message", args=args, caller=bytes(32), connection=wire.NOBODY
            )
        )
        (event,) = events
        assert isinstance(event, ReducerEvent)
        assert not event.is_own
        assert event.args == ("a",)
        assert event.caller_connection_id is None


async def test_one_context_for_all_rows_of_a_message() -> None:
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        contexts: list[object] = []
        connection.db.message.on_insert(lambda context, _: contexts.append(context))
        peer.change({"message": [message("a"), message("b")]})
        assert contexts[0] is contexts[1]


async def test_the_context_leads_to_the_connection() -> None:
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        contexts: list[EventContext] = []
        connection.db.message.on_insert(lambda context, _: contexts.append(context))
        peer.change({"message": [message("a")]})
        (context,) = contexts
        assert context.connection is connection
        assert context.db is connection.db
        assert context.reducers is connection.reducers
        assert context.identity == connection.identity


async def test_what_a_callback_raises_is_logged_and_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[Exception] = []
    async with connected(on_callback_error=told.append) as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        heard: list[str] = []

        def clumsy(context: EventContext, row: Message) -> None:
            raise ZeroDivisionError(row.text)

        connection.db.message.on_insert(clumsy)
        connection.db.message.on_insert(lambda _, row: heard.append(row.text))
        peer.change({"message": [message("a"), message("b")]})
        assert sorted(heard) == ["a", "b"]
        assert sorted(str(error) for error in told) == ["a", "b"]
        await connection.reducers.send_message("still alive")
    logged = caplog.records[0]
    assert (logged.name, logged.levelno) == ("spacetime_py.callbacks", logging.ERROR)
    assert "clumsy" in logged.getMessage()
    assert "on_insert of table `message`" in logged.getMessage()


async def test_an_update_callback_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    async with connected() as (connection, peer):
        peer.rows = {"user": [user(ALICE)]}
        await connection.subscribe("SELECT * FROM user")
        connection.db.user.on_update(lambda *_: 1 // 0)
        peer.change({"user": [user(ALICE, "A")]}, {"user": [user(ALICE)]})
        assert connection.is_active
    assert "on_update of table `user`" in caplog.records[0].getMessage()


async def test_an_error_hook_that_raises_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    def hook(error: Exception) -> None:
        raise KeyError("the hook") from error

    async with connected(on_callback_error=hook) as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        connection.db.message.on_insert(lambda *_: 1 // 0)
        peer.change({"message": [message("a")]})
        assert connection.is_active
    assert "on_callback_error" in caplog.records[1].getMessage()


@pytest.mark.parametrize("place", ["on_applied", "on_connect", "on_disconnect"])
async def test_other_callbacks_that_raise(place: str, caplog: pytest.LogCaptureFixture) -> None:
    def clumsy(*_: object) -> None:
        raise ZeroDivisionError

    options: dict[str, Any] = {} if place == "on_applied" else {place: clumsy}
    async with connected(**options) as (connection, _):
        builder = connection.subscription_builder()
        if place == "on_applied":
            builder.on_applied(clumsy)
        await builder.subscribe("SELECT * FROM user").applied()
    assert place in caplog.records[0].getMessage()


async def test_callbacks_can_be_removed_and_count_as_often_as_registered() -> None:
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        heard: list[str] = []

        def hear(context: EventContext, row: Message) -> None:
            heard.append(row.text)

        table = connection.db.message
        table.on_insert(hear)
        table.on_insert(hear)
        peer.change({"message": [message("a")]})
        table.remove_on_insert(hear)
        peer.change({"message": [message("b")]})
        table.remove_on_insert(hear)
        peer.change({"message": [message("c")]})
        assert heard == ["a", "a", "b"]
        with pytest.raises(ValueError, match=r"hear is not registered as on_insert of table `mess"):
            table.remove_on_insert(hear)
        with pytest.raises(ValueError, match="on_delete"):
            table.remove_on_delete(hear)
        with pytest.raises(ValueError, match="on_update"):
            table.remove_on_update(hear)


async def test_a_callback_may_remove_itself_and_is_not_called_again() -> None:
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        heard: list[str] = []

        def once(context: EventContext, row: Message) -> None:
            heard.append(row.text)
            context.db.message.remove_on_insert(once)

        connection.db.message.on_insert(once)
        peer.change({"message": [message("a"), message("b")]})
        assert len(heard) == 1


async def test_a_callback_added_while_callbacks_run_hears_the_next_row() -> None:
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        heard: list[str] = []

        def late(context: EventContext, row: Message) -> None:
            heard.append("late")

        def first(context: EventContext, row: Message) -> None:
            heard.append("first")
            if heard == ["first"]:
                context.db.message.on_insert(late)

        connection.db.message.on_insert(first)
        peer.change({"message": [message("a"), message("b")]})
        assert heard == ["first", "first", "late"]


@pytest.mark.parametrize("is_long_way", [False, True])
async def test_a_callback_may_be_the_first_to_ask_for_a_table(is_long_way: bool) -> None:
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM message", "SELECT * FROM user")
        if is_long_way:
            connection.on_transaction(lambda *_: None)
        heard: list[object] = []

        def first(context: EventContext, row: Message) -> None:
            context.db.user.on_insert(lambda _, row: heard.append(row))

        connection.db.message.on_insert(first)
        peer.change({"message": [message("a")], "user": [user(ALICE)]})
        assert heard == [user(ALICE)]


async def test_what_callbacks_ask_for_goes_out_in_one_write_after_the_message() -> None:
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        peer.answers = False

        def reply(context: EventContext, row: Message) -> None:
            context.reducers.send_message(f"re: {row.text}")
            context.connection.subscription_builder().subscribe("SELECT * FROM user")

        connection.db.message.on_insert(reply)
        before = peer.writes
        peer.change({"message": [message("a"), message("b")]})
        assert peer.writes == before + 1
        assert len(peer.received[-4:]) == 4


async def test_a_decorated_function_is_registered() -> None:
    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        heard: list[str] = []

        @connection.db.message.on_insert
        def hear(context: EventContext, row: Message) -> None:
            heard.append(row.text)

        peer.change({"message": [message("a")]})
        connection.db.message.remove_on_insert(hear)
        assert heard == ["a"]


async def test_what_cannot_be_called_is_refused() -> None:
    async with connected() as (connection, _):
        with pytest.raises(TypeError, match="takes a function, not str"):
            connection.db.user.on_insert("print")  # type: ignore[arg-type]


async def _async_function(*_: object) -> None: ...


class _AsyncCallable:
    async def __call__(self, *_: object) -> None: ...


@pytest.mark.parametrize("callback", [_async_function, _AsyncCallable()])
async def test_an_async_callback_is_refused_with_a_remedy(callback: Callable[..., Any]) -> None:
    async with connected() as (connection, _):
        user_table = connection.db.user
        builder = connection.subscription_builder()
        for register in (
            user_table.on_insert,
            user_table.on_delete,
            user_table.on_update,
            builder.on_applied,
            builder.on_error,
        ):
            with pytest.raises(TypeError, match="start a task"):
                register(callback)
    for option in ("on_connect", "on_connect_error", "on_disconnect", "on_callback_error"):
        with pytest.raises(TypeError, match=f"{option} takes a plain function"):
            async with connected(**{option: callback}):
                pass
