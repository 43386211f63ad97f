"""Subscriptions: refused, ended, overlapping, personal."""

from __future__ import annotations

from typing import Any

import anyio

from spacetime_py import SubscriptionError

from ..registry import case
from ..world import Failed, World, equal, holds, listen, until


@case("subscribe-and-cancel")
async def subscribe_and_cancel(world: World) -> None:
    """Ended before the server has applied it: it is never told as applied."""
    async with world.connect() as connection:
        await connection.reducers.insert_one_u8(1)
        heard = listen(connection, "one_u8")
        applied: list[object] = []
        builder = connection.subscription_builder().on_applied(applied.append)
        handle = builder.subscribe("SELECT * FROM one_u8")
        holds(not handle.is_active and not handle.is_ended, "it is pending")
        await handle.unsubscribe()
        holds(not handle.is_active and handle.is_ended, "it has ended")
        equal(applied, [], "calls of on_applied")
        kinds = [kind for kind, _ in heard]  # the server's answer may have been on its way
        holds(kinds in ([], ["insert", "delete"]), "rows that came have left")
        equal(len(connection.db.one_u8), 0, "rows")


@case("subscribe-and-unsubscribe")
async def subscribe_and_unsubscribe(world: World) -> None:
    async with world.connect() as connection:
        await connection.reducers.insert_one_u8(1)
        heard = listen(connection, "one_u8")
        handle = await connection.subscribe("SELECT * FROM one_u8")
        holds(handle.is_active and not handle.is_ended, "it is active")
        row = world.row("one_u8", 1)
        equal(list(connection.db.one_u8), [row], "rows")
        await handle.unsubscribe()
        holds(not handle.is_active and handle.is_ended, "it has ended")
        equal(len(connection.db.one_u8), 0, "rows")
        equal(heard, [("insert", row), ("delete", row)], "callbacks")


@case("resubscribe")
async def resubscribe(world: World) -> None:
    """The new set before the old one ends: rows of both stay, others leave and come."""
    async with world.connect() as connection:
        for call in [connection.reducers.insert_one_u8(n) for n in range(256)]:
            await call
        old = await connection.subscribe("SELECT * FROM one_u8 WHERE n < 192")
        heard = listen(connection, "one_u8")
        await connection.subscribe("SELECT * FROM one_u8 WHERE n >= 128")
        equal({row.n for _, row in heard}, set(range(192, 256)), "rows that came")
        heard.clear()
        await old.unsubscribe()
        equal(len(heard), 128, "callbacks of the end")
        equal({row.n for kind, row in heard if kind == "delete"}, set(range(128)), "rows that left")


@case("subscription-error-smoke-test")
async def subscription_error_smoke_test(world: World) -> None:
    async with world.connect() as connection:
        applied: list[object] = []
        errors: list[SubscriptionError] = []
        builder = connection.subscription_builder()
        builder.on_applied(applied.append).on_error(lambda context, error: errors.append(error))
        query = "SELEKT * FROM one_u8"
        handle = builder.subscribe(query)
        try:
            await handle.applied()
        except SubscriptionError as error:
            equal(error.queries, (query,), "queries of the error")
        else:
            raise Failed("a query with a mistake was applied")
        equal((len(errors), applied), (1, []), "callbacks")
        await connection.subscribe("SELECT * FROM one_u8")  # the connection lives on


@case("overlapping-subscriptions")
async def overlapping_subscriptions(world: World) -> None:
    """A row of two queries is one row, and its change one update."""
    async with world.connect() as connection:
        await connection.reducers.insert_pk_u8(1, 0)
        heard = listen(connection, "pk_u8")
        await connection.subscribe(
            "SELECT * FROM pk_u8 WHERE n < 100", "SELECT * FROM pk_u8 WHERE n > 0"
        )
        equal(len(connection.db.pk_u8), 1, "rows")
        await connection.reducers.update_pk_u8(1, 1)
        old, new = world.row("pk_u8", 1, 0), world.row("pk_u8", 1, 1)
        equal(heard, [("insert", old), ("update", old, new)], "callbacks")
        equal(list(connection.db.pk_u8), [new], "rows")


@case("row-deduplication")
async def row_deduplication(world: World) -> None:
    """Two queries over the same rows: each change is told once."""
    async with world.connect() as connection:
        await connection.subscribe(
            "SELECT * FROM pk_u32 WHERE n < 100", "SELECT * FROM pk_u32 WHERE n < 200"
        )
        heard = listen(connection, "pk_u32")
        await connection.reducers.insert_pk_u32(24, 0xBEEF)
        await connection.reducers.insert_pk_u32(42, 0xBEEF)
        await connection.reducers.delete_pk_u32(24)
        await connection.reducers.update_pk_u32(42, 0xFEEB)
        first, second = (world.row("pk_u32", n, 0xBEEF) for n in (24, 42))
        new = world.row("pk_u32", 42, 0xFEEB)
        told = [("insert", first), ("insert", second), ("delete", first), ("update", second, new)]
        equal(heard, told, "callbacks")
        equal(list(connection.db.pk_u32), [new], "rows")
        equal(connection.db.pk_u32.n.find(24), None, "the row that was deleted")
        equal(connection.db.pk_u32.n.find(42), new, "the row that was changed")


@case("test-parameterized-subscription")
async def parameterized_subscription(world: World) -> None:
    """The same text means another query to each client: its own rows."""
    async with world.connect() as first, world.connect() as second:
        heard: list[list[tuple[Any, ...]]] = []
        for connection in (first, second):
            heard.append(listen(connection, "pk_identity"))
            await connection.subscribe("SELECT * FROM pk_identity WHERE n = :sender")
        for connection, old, new in ((first, 1, 2), (second, 3, 4)):
            await connection.reducers.insert_pk_identity(connection.identity, old)
            await connection.reducers.update_pk_identity(connection.identity, new)
        await first.reducers.no_op_succeeds()  # what belongs to others would be here by now
        for connection, told, old, new in ((first, heard[0], 1, 2), (second, heard[1], 3, 4)):
            rows = [world.row("pk_identity", connection.identity, data) for data in (old, new)]
            equal(told, [("insert", rows[0]), ("update", *rows)], "callbacks")


@case("test-rls-subscription", needs_host=True)
async def rls_subscription(world: World) -> None:
    """Row-level security of the module: everybody sees only the row of its own."""
    async with world.connect() as alice, world.connect() as bob:
        heard = {name: listen(who, "users") for name, who in (("Alice", alice), ("Bob", bob))}
        for connection in (alice, bob):
            await connection.subscribe("SELECT * FROM users")
        await alice.reducers.insert_users(alice.identity, "Alice")
        await bob.reducers.insert_users(bob.identity, "Bob")
        await until(lambda: all(heard.values()))
        await alice.reducers.no_op_succeeds()
        await anyio.sleep(0)
        for name, connection in (("Alice", alice), ("Bob", bob)):
            row = world.row("users", connection.identity, name)
            equal(heard[name], [("insert", row)], f"callbacks of {name}")
