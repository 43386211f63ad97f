"""Tokens of a real server: from stores and functions, swapped, renewed, and shown by nothing."""

from __future__ import annotations

import base64
import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from spacetime_py import (
    AuthenticationError,
    ConnectionStatus,
    Credentials,
    IdentityChanged,
    TokenStore,
    tokens,
)
from spacetime_py._core import open_envelope
from spacetime_py.http import HttpClient
from tests.server.api import Api

from .target import Target, until

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]

ALL = ("SELECT * FROM user", "SELECT * FROM message")


@pytest.fixture
def api(chat: Target) -> Api:
    return Api(chat.database.url)


async def test_a_function_gives_the_token(chat: Target, api: Api) -> None:
    me = api.identity()

    async def give() -> str:
        return me.token

    for token in (give, lambda: me.token):
        async with chat.connect(token=token) as connection:
            assert str(connection.identity) == me.identity
            assert connection.token == me.token


async def test_a_store_keeps_the_identity(chat: Target, tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "tokens.json")
    async with chat.connect(token=store) as first:
        kept = store.get(chat.database.url)
        assert kept == Credentials(str(first.identity), first.token)
    async with chat.connect(token=store) as again:
        assert again.identity == first.identity


async def test_a_token_of_the_same_identity_changes_nothing_else(chat: Target, api: Api) -> None:
    me = api.identity()
    async with chat.connect(token=me.token) as connection:
        handle = await connection.subscribe(*ALL)
        await connection.reducers.send_message("before")
        texts: list[str] = []
        connection.db.message.on_insert(lambda _, row: texts.append(row.text))
        before = connection.connection_id
        short = api.short_lived_token(me.token)
        await connection.set_token(short)
        assert (str(connection.identity), connection.token) == (me.identity, short)
        assert connection.connection_id != before
        assert (handle.is_active, [row.text for row in connection.db.message]) == (True, ["before"])
        await connection.reducers.send_message("after")
        await until(lambda: texts)
        assert texts == ["after"]


async def test_logging_in_and_out(chat: Target, api: Api) -> None:
    ann = api.identity()
    async with chat.connect() as connection:
        await connection.subscribe(*ALL)
        nobody = connection.identity
        await connection.set_token(ann.token, new_identity=True)
        assert str(connection.identity) == ann.identity
        await connection.reducers.set_name("Ann")
        await until(lambda: connection.db.user.identity.find(connection.identity).name == "Ann")
        await until(lambda: not connection.db.user.identity.find(nobody).online)
        await connection.set_token(None, new_identity=True)
        assert str(connection.identity) not in (ann.identity, str(nobody))
        await until(lambda: len(connection.db.user) == 3)


async def test_a_token_that_the_server_refuses(chat: Target, api: Api) -> None:
    me, other = api.identity(), api.identity()
    head, body, signature = other.token.split(".")
    async with chat.connect(token=me.token) as connection:
        await connection.subscribe(*ALL)
        for token, error in (
            (f"{head}.{body}.{signature[::-1]}", AuthenticationError),
            (other.token, IdentityChanged),
        ):
            with pytest.raises(error):
                await connection.set_token(token)
            assert connection.state.status is ConnectionStatus.CONNECTED
            assert (str(connection.identity), connection.token) == (me.identity, me.token)
            await connection.reducers.send_message("still me")
        await until(lambda: len(connection.db.message) == 2)


async def test_a_newer_token_before_the_expiry(
    chat: Target, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of this side is put forward, so that a token of a minute is soon at its end."""
    me = api.identity()
    given: list[str] = []

    def give() -> str:
        given.append(api.short_lived_token(me.token))
        return given[-1]

    monkeypatch.setattr(tokens, "now", lambda: time.time() + 59)
    async with chat.connect(token=give) as connection:
        before = connection.connection_id
        await until(lambda: len(given) > 1 and connection.token != given[0])
        assert connection.connection_id == before
        with HttpClient(chat.database.url, lambda: connection.token) as http:
            assert http.sql(chat.database.name, "SELECT * FROM message").rows == []
        assert connection.is_active


async def test_an_address_says_it_all(chat: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    bindings, database = chat.bindings, chat.database
    owner = database.owner
    protocols = ",".join(chat.place.protocols)
    url = f"{database.url}/{database.name}?compression=brotli&protocols={protocols}"
    by_url = bindings.DbConnection.from_url(f"{url}&token={owner.token}")
    monkeypatch.setenv("SPACETIMEDB_URI", database.url)
    monkeypatch.setenv("SPACETIMEDB_DATABASE", database.name)
    monkeypatch.setenv("SPACETIMEDB_TOKEN", owner.token)
    by_environment = bindings.DbConnection.from_env(protocols=chat.place.protocols)
    for connection in (by_url, by_environment):
        async with chat.in_its_way(connection) as made:
            assert str(made.identity) == owner.identity
            await made.subscribe(*ALL)
    with HttpClient.from_env() as http:
        assert http.sql(database.name, "SELECT * FROM message").rows == []


async def test_nothing_shows_a_token(
    chat: Target, api: Api, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    me, other = api.identity(), api.identity()
    head, body, signature = other.token.split(".")
    forged = f"{head}.{body}.{signature[::-1]}"
    file = tmp_path / "session.jsonl"
    shown: list[object] = []
    connection = chat.connect(
        token=me.token,
        capture=file,
        on_reconnecting=lambda _, attempt: shown.append(attempt),
    )
    async with connection:
        await connection.subscribe(*ALL)
        with pytest.raises(AuthenticationError) as caught:
            await connection.set_token(forged)
        await connection.set_token(other.token, new_identity=True)
        await connection.reducers.send_message("hello")
        shown += [connection, connection.state, caught.value, caught.value.args]
        shown += _insides(connection)
    with HttpClient(chat.database.url, me.token) as http:
        http.sql(chat.database.name, "SELECT * FROM message")
        http.set_token(forged)
        try:
            http.sql(chat.database.name, "SELECT * FROM message")
        except Exception as error:
            shown += [error, error.args]
        shown.append(http)
    texts = [*map(repr, shown), *map(str, shown), caplog.text, file.read_text()]
    texts += [str(vars(record)) for record in caplog.records]
    for token in (me.token, other.token, forged):
        assert not any(token in text for text in texts)
        assert token.encode() not in b"".join(_payloads(file))


def _insides(connection: Any) -> list[object]:
    inner = getattr(connection, "_connection", connection)
    return [inner._options, inner._tokens, inner._core, inner._link]


def _payloads(file: Path) -> list[bytes]:
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    found = [base64.b64decode(line["data"]) for line in lines if line["kind"] == "binary"]
    assert len(found) > 5
    return [open_envelope(data, 1 << 20) if data[:1] < b"\3" else data for data in found]
