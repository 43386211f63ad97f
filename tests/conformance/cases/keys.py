"""Rows that are deleted and changed: unique columns, primary keys, indexes."""

from __future__ import annotations

import uuid
from typing import Any

from ..registry import NEWER, case
from ..world import World, all_empty, equal, listen, listen_to_events, own_call
from .rows import INTEGERS

KEYS: dict[str, Any] = {**dict.fromkeys(INTEGERS, 0), "bool": False, "string": ""}
OLD, NEW = 0xBEEF, 0xBABE


async def insert_then_delete(world: World, connection: Any, table: str, key: Any) -> None:
    heard, events = listen(connection, table), listen_to_events(connection, table)
    row = world.row(table, key, OLD)
    await getattr(connection.reducers, f"insert_{table}")(key, OLD)
    equal(getattr(connection.db, table).n.find(key), row, f"the row of {table} by its key")
    await getattr(connection.reducers, f"delete_{table}")(key)
    equal(getattr(connection.db, table).n.find(key), None, f"the row of {table} by its key")
    equal(heard, [("insert", row), ("delete", row)], f"callbacks of {table}")
    own_call(events[0], f"insert_{table}", key, OLD)
    own_call(events[1], f"delete_{table}", key)


async def insert_update_delete(world: World, connection: Any, table: str, key: Any) -> None:
    heard, events = listen(connection, table), listen_to_events(connection, table)
    old, new = world.row(table, key, OLD), world.row(table, key, NEW)
    await getattr(connection.reducers, f"insert_{table}")(key, OLD)
    await getattr(connection.reducers, f"update_{table}")(key, NEW)
    equal(getattr(connection.db, table).n.find(key), new, f"the row of {table} by its key")
    await getattr(connection.reducers, f"delete_{table}")(key)
    equal(heard, [("insert", old), ("update", old, new), ("delete", new)], f"{table}")
    own_call(events[0], f"insert_{table}", key, OLD)
    own_call(events[1], f"update_{table}", key, NEW)
    own_call(events[2], f"delete_{table}", key)


async def deleted(world: World, keys: dict[str, Any]) -> None:
    async with world.connect() as connection:
        await connection.subscribe(*[f"SELECT * FROM unique_{name}" for name in keys])
        for name, key in keys.items():
            await insert_then_delete(world, connection, f"unique_{name}", key)
        all_empty(connection)


async def updated(world: World, keys: dict[str, Any]) -> None:
    async with world.connect() as connection:
        await connection.subscribe(*[f"SELECT * FROM pk_{name}" for name in keys])
        for name, key in keys.items():
            await insert_update_delete(world, connection, f"pk_{name}", key)
        all_empty(connection)


@case("delete-primitive")
async def delete_primitive(world: World) -> None:
    await deleted(world, KEYS)


@case("update-primitive")
async def update_primitive(world: World) -> None:
    await updated(world, KEYS)


@case("delete-identity")
async def delete_identity(world: World) -> None:
    async with world.connect() as connection:
        identity = connection.identity
    await deleted(world, {"identity": identity})


@case("update-identity")
async def update_identity(world: World) -> None:
    async with world.connect() as connection:
        identity = connection.identity
    await updated(world, {"identity": identity})


@case("delete-connection-id")
async def delete_connection_id(world: World) -> None:
    async with world.connect() as connection:
        connection_id = connection.connection_id
    await deleted(world, {"connection_id": connection_id})


@case("update-connection-id")
async def update_connection_id(world: World) -> None:
    async with world.connect() as connection:
        connection_id = connection.connection_id
    await updated(world, {"connection_id": connection_id})


@case("delete-uuid", module=NEWER)
async def delete_uuid(world: World) -> None:
    await deleted(world, {"uuid": uuid.UUID(int=0)})


@case("update-uuid", module=NEWER)
async def update_uuid(world: World) -> None:
    await updated(world, {"uuid": uuid.UUID(int=0)})


@case("pk-simple-enum")
async def pk_simple_enum(world: World) -> None:
    """The primary key is an enum; the second change is made by the callback of the first."""
    key = world.bindings.SimpleEnum.TWO
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM pk_simple_enum")
        heard = listen(connection, "pk_simple_enum")
        calls: list[Any] = []

        def change(context: Any, row: Any) -> None:
            calls.append(context.reducers.update_pk_simple_enum(row.n, 24))

        connection.db.pk_simple_enum.on_insert(change)
        await connection.reducers.insert_pk_simple_enum(key, 42)
        await calls[0]
        old, new = (world.row("pk_simple_enum", key, data) for data in (42, 24))
        equal(heard, [("insert", old), ("update", old, new)], "callbacks")


@case("indexed-simple-enum", needs_host=True)
async def indexed_simple_enum(world: World) -> None:
    """The column of an index is an enum. Without a primary key a change is no update."""
    enum = world.bindings.SimpleEnum
    async with world.connect() as connection:
        table = connection.db.indexed_simple_enum
        await connection.subscribe("SELECT * FROM indexed_simple_enum")
        heard = listen(connection, "indexed_simple_enum")
        await connection.reducers.insert_indexed_simple_enum(enum.TWO)
        equal(len(list(table.n.filter(enum.TWO))), 1, "rows of the index")
        await connection.reducers.change_indexed_simple_enum(enum.TWO, enum.ONE)
        two, one = (world.row("indexed_simple_enum", value) for value in (enum.TWO, enum.ONE))
        equal(heard, [("insert", two), ("insert", one), ("delete", two)], "callbacks")
        equal(list(table.n.filter(enum.TWO)), [], "rows of the index")
        equal(list(table.n.filter(enum.ONE)), [one], "rows of the index")
