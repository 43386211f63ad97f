"""Connections: who one is, how they end, how they are made again."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from spacetime_py.credentials import Credentials, TokenStore

from ..registry import case
from ..world import World, equal, holds, until


@case("connect-disconnect-callback", needs_host=True)
async def connect_disconnect_callback(world: World) -> None:
    """Callbacks here, and the module's own reducers for those who come and go."""
    told: list[tuple[str, Any]] = []
    connection = world.connect(
        on_connect=lambda connection, identity, token: told.append(("connect", identity)),
        on_disconnect=lambda connection, error: told.append(("disconnect", error)),
    )
    async with connection:
        await connection.subscribe("SELECT * FROM connected")
        mine = [row for row in connection.db.connected if row.identity == connection.identity]
        equal(len(mine), 1, "rows of this client's coming")
        equal(told, [("connect", connection.identity)], "callbacks while it is open")
    equal(told[1:], [("disconnect", None)], "callbacks of the end")
    holds(not connection.is_active, "a closed connection is not active")
    async with world.connect() as another:
        await another.subscribe("SELECT * FROM disconnected")
        gone = world.row("disconnected", connection.identity)
        await until(lambda: gone in list(another.db.disconnected))


@case("reconnect-different-connection-id")
async def reconnect_different_connection_id(world: World) -> None:
    async with world.connect() as first:
        connection_id = first.connection_id
    async with world.connect(token=first.token) as second:
        holds(second.connection_id != connection_id, "another connection has another id")
        equal(second.identity, first.identity, "the identity of the same token")


@case("reauth")
async def reauth(world: World) -> None:
    """The token of a first connection, kept in a file, makes the second one the same client."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "credentials.json"
        async with world.connect() as first:
            kept = Credentials(str(first.identity), first.token)
            TokenStore(path).set(world.uri, kept)
        holds(os.name != "posix" or path.stat().st_mode & 0o077 == 0, "only its owner reads it")
        found = TokenStore(path).get(world.uri)
        assert found is not None
    async with world.connect(token=found.token) as second:
        equal(second.identity, first.identity, "the identity")
        equal(second.token, first.token, "the token that the server gives back")


@case("two-different-compression-algos")
async def two_different_compression_algos(world: World) -> None:
    """Three clients of one query: each gets the row in its own compression."""
    data = os.urandom(1 << 15)
    async with (
        world.connect(compression="brotli") as brotli,
        world.connect(compression="gzip") as gzip,
        world.connect(compression="none") as none,
    ):
        for connection in (brotli, gzip, none):
            await connection.subscribe("SELECT * FROM vec_u8")
        await none.reducers.insert_vec_u8(data)
        for connection in (brotli, gzip, none):
            await until(connection.db.vec_u8.count)
            equal(list(connection.db.vec_u8), [world.row("vec_u8", data)], "the row")
