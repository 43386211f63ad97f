"""Calls of reducers: how they end, and who hears of them."""

from __future__ import annotations

from typing import Any

from spacetime_py import ReducerError, UnknownTransactionEvent

from ..registry import case
from ..world import Failed, World, equal, holds, listen, listen_to_events, own_call, until


@case("on-reducer")
async def on_reducer(world: World) -> None:
    """The await of a call returns when its row is there, and its event was told."""
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM one_u8")
        events = listen_to_events(connection, "one_u8")
        call = connection.reducers.insert_one_u8(128)
        holds(not call.is_done, "a call is in flight until the server has answered")
        await call
        equal(list(connection.db.one_u8), [world.row("one_u8", 128)], "rows")
        own_call(events[0], "insert_one_u8", 128)


@case("fail-reducer")
async def fail_reducer(world: World) -> None:
    """The second call with the same key fails, is raised, and changes nothing."""
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM pk_u8")
        heard = listen(connection, "pk_u8")
        await connection.reducers.insert_pk_u8(128, 0xBEEF)
        try:
            await connection.reducers.insert_pk_u8(128, 0xBABE)
        except ReducerError as error:
            equal(error.reducer, "insert_pk_u8", "the reducer that the error names")
            holds(error.message, "the error has the server's words")
        else:
            raise Failed("a call with a key that is taken was no error")
        row = world.row("pk_u8", 128, 0xBEEF)
        equal(list(connection.db.pk_u8), [row], "rows after the failed call")
        equal(heard, [("insert", row)], "callbacks")
        holds(connection.is_active, "a failed call ends no connection")


@case("caller-always-notified")
async def caller_always_notified(world: World) -> None:
    """A call that changes nothing is answered."""
    async with world.connect() as connection:
        equal(await connection.reducers.no_op_succeeds(), None, "the outcome")
        await connection.subscribe("SELECT * FROM one_u8")
        equal(await connection.reducers.no_op_succeeds(), None, "the outcome")


@case("caller-alice-receives-reducer-callback-but-not-bob")
async def caller_alice_but_not_bob(world: World) -> None:
    """Both have the rows; only whose call it was is told so."""
    async with world.connect() as alice, world.connect() as bob:
        events: dict[str, list[Any]] = {}
        for name, connection in (("alice", alice), ("bob", bob)):
            await connection.subscribe("SELECT * FROM one_u8", "SELECT * FROM one_u16")
            events[name] = listen_to_events(connection, "one_u8")
            connection.db.one_u16.on_insert(
                lambda context, row, heard=events[name]: heard.append(context.event)
            )
        await alice.reducers.insert_one_u8(42)
        await alice.reducers.insert_one_u16(24)
        await until(lambda: len(events["bob"]) == 2)
        equal(list(bob.db.one_u8), [world.row("one_u8", 42)], "rows of bob")
        own_call(events["alice"][0], "insert_one_u8", 42)
        own_call(events["alice"][1], "insert_one_u16", 24)
        for event in events["bob"]:
            # Servers of 1.x tell others too who called; newer ones tell nothing.
            is_told = isinstance(event, UnknownTransactionEvent) or not event.is_own
            holds(is_told, f"bob does not take the call for his: {event!r}")
        holds(alice.identity != bob.identity, "they are two")


@case("should-fail")
async def should_fail(world: World) -> None:
    """That a failure is seen: this case must not pass."""
    raise Failed("as it should")
