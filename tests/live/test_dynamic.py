"""Connecting without generated bindings. The whole suite runs on them as well: `places.py`."""

from __future__ import annotations

import socket
from typing import Any
from uuid import uuid4

import anyio
import pytest

import spacetime_py
from spacetime_py import (
    ConnectError,
    HttpError,
    ReconnectAttempt,
    SchemaMismatchError,
    SenderError,
    dynamic,
    sync,
)
from tests.server.api import Api, Database

from .places import Place, places
from .target import Target, until

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.real_server,
    pytest.mark.parametrize(
        "place", [place for place in places() if place.is_dynamic], ids=str, indirect=True
    ),
]


async def test_a_program_without_bindings(place: Place, chat_database: Database) -> None:
    url, name = chat_database.url, chat_database.name
    heard: list[str] = []
    async with spacetime_py.connect(url, name, protocols=place.protocols) as connection:
        connection.db.message.on_insert(lambda context, row: heard.append(row.text))
        await connection.subscribe("SELECT * FROM message", "SELECT * FROM user")
        await connection.reducers.send_message(text="hello")
        with pytest.raises(SenderError):
            await connection.reducers.set_name("")
        assert heard == ["hello"]
        me = connection.db.user.identity.find(connection.identity)
        assert (me.name, me.online) == (None, True)
        assert [message.text for message in connection.db.message.iter()] == ["hello"]
        (row,) = await connection.query("SELECT * FROM message")
        assert isinstance(row, connection.bindings.Message)
        mine = connection.bindings.query.message.where(
            lambda message: message.sender == connection.identity
        )
        assert await connection.query(mine) == [row]
        assert repr(connection.db) == "<tables: message (1), user (1)>"


async def test_two_connections_have_the_same_classes(place: Place, chat: Target) -> None:
    database = chat.database
    async with (
        spacetime_py.connect(database.url, database.name) as one,
        spacetime_py.connect(database.url, database.name) as other,
    ):
        assert type(one) is type(other)
        assert one.bindings is chat.bindings


async def test_a_program_that_does_not_await(place: Place, chat_database: Database) -> None:
    def run() -> None:
        url, name = chat_database.url, chat_database.name
        with sync.connect(url, name, protocols=place.protocols) as connection:
            connection.subscribe("SELECT * FROM message")
            connection.reducers.send_message(text="hello")
            assert [row.text for row in connection.db.message] == ["hello"]
            with pytest.raises(AttributeError, match="did you mean `message`"):
                _ = connection.db.mesage

    await anyio.to_thread.run_sync(run)


async def test_where_no_schema_is_to_be_had(place: Place, server: Api) -> None:
    with pytest.raises(HttpError, match="no database `no-such-database`") as caught:
        async with spacetime_py.connect(server.url, "no-such-database"):
            pass
    assert caught.value.status == 404
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(ConnectError, match="is the server running"):
        async with spacetime_py.connect(uri, "chat"):
            pass
    with pytest.raises(ValueError, match="uri"):
        async with spacetime_py.connect("ftp://x", "chat"):
            pass
    with pytest.raises(ConnectError, match="is the server running"):
        await anyio.to_thread.run_sync(dynamic.fetch, uri, "chat")


# ---------------------------------------------------------------- the database changes meanwhile


class Republished:
    """Deletes the database of a connection, and publishes one of that name when it is lost."""

    def __init__(self, server: Api, first: bytes, then: bytes) -> None:
        self._server = server
        self._then = then
        self.name = f"republished-{uuid4().hex}"
        self.told: list[object] = []
        server.publish(self.name, first)

    def on_reconnecting(self, connection: object, attempt: ReconnectAttempt) -> None:
        if attempt.number == 1:
            self._server.publish(self.name, self._then)

    def connect(self, bindings: Any, place: Place) -> Any:
        return bindings.DbConnection(
            uri=self._server.url,
            database=self.name,
            protocols=place.protocols,
            reconnect=lambda attempt: 0.01,
            on_reconnecting=self.on_reconnecting,
            on_disconnect=lambda connection, error: self.told.append(error),
            on_reconnected=lambda connection: self.told.append("reconnected"),
        )

    def delete(self) -> None:
        self._server.delete(self.name)


async def test_another_schema_after_a_reconnect(
    place: Place, server: Api, chat_wasm: bytes, all_types_wasm: bytes, chat_bindings: Any
) -> None:
    """Nothing is decoded by the old types: the connection ends before it asks for a row."""
    database = Republished(server, chat_wasm, all_types_wasm)
    async with database.connect(chat_bindings, place) as connection:
        await connection.subscribe("SELECT * FROM message")
        await connection.reducers.send_message("kept")
        database.delete()
        with pytest.raises(SchemaMismatchError) as caught:
            await connection.wait_closed()
        text = str(caught.value)
        assert f"`{database.name}` has changed since its schema was read" in text
        assert "table `message` is gone" in text
        assert "reducer `send_message` is gone" in text
        assert text.endswith("connect again, which reads it anew")
        assert [type(error) for error in database.told] == [SchemaMismatchError]
        assert [row.text for row in connection.db.message] == ["kept"], "rows stay readable"
        with pytest.raises(SchemaMismatchError, match="connect again"):
            connection.reducers.send_message("x")
    async with spacetime_py.connect(server.url, database.name) as connection:
        assert "containers" in dir(connection.db)
    database.delete()


async def test_a_database_with_more_tables_after_a_reconnect(
    place: Place, server: Api, all_types_wasm: bytes
) -> None:
    """What is new does not disturb: the bindings here know less from the beginning."""
    database = Republished(server, all_types_wasm, all_types_wasm)
    schema = server.schema(database.name)
    schema["tables"] = [one for one in schema["tables"] if one["name"] != "presence"]
    bindings = dynamic.bindings(schema)
    async with database.connect(bindings, place) as connection:
        await connection.subscribe("SELECT * FROM diary")
        await connection.reducers.add_diary("before", 1)
        database.delete()
        await until(lambda: database.told)
        assert database.told == ["reconnected"]
        await connection.reducers.add_diary("after", 2)
        assert [row.text for row in connection.db.diary] == ["after"]
    database.delete()
