"""Entering a connection: the greeting, and everything that can be in its way."""

from __future__ import annotations

import re
import socket
from typing import Any

import anyio
import pytest

from examples.chat.module_bindings import DbConnection
from spacetime_py import (
    AuthenticationError,
    ConnectError,
    ConnectTimeout,
    HandshakeRejected,
    ProtocolError,
)

from . import wire
from .peer import PATIENCE, Peer, connected, in_memory, serving

pytestmark = pytest.mark.anyio


async def test_the_greeting_tells_who_we_are() -> None:
    async with connected() as (connection, _):
        assert bytes(connection.identity) == wire.ME[::-1]
        assert bytes(connection.connection_id) == wire.MY_CONNECTION[::-1]
        assert connection.token == wire.TOKEN
        assert connection.is_active
    assert not connection.is_active


async def test_the_request_names_database_compression_and_token() -> None:
    peer = Peer()
    async with in_memory(peer, token="mine", compression="brotli"):
        pass
    assert b"/v1/database/chat/subscribe?compression=Brotli" in peer.request
    assert b"\r\nauthorization: bearer mine" in peer.request.lower()


async def test_before_entering_only_callbacks_and_the_empty_cache_can_be_used() -> None:
    connection = in_memory(Peer())
    connection.db.user.on_insert(print)
    assert connection.db.user.count() == 0
    assert not connection.is_active
    with pytest.raises(RuntimeError, match="async with"):
        connection.reducers.send_message("x")
    with pytest.raises(RuntimeError, match="async with"):
        await connection.subscribe("SELECT * FROM user")
    with pytest.raises(RuntimeError, match="async with"):
        _ = connection.identity
    with pytest.raises(RuntimeError, match="async with"):
        await connection.close()


async def test_a_connection_is_entered_once() -> None:
    async with connected() as (connection, _):
        with pytest.raises(RuntimeError, match="once"):
            await connection.__aenter__()
    with pytest.raises(RuntimeError, match="once"):
        await connection.__aenter__()


async def test_the_bare_class_says_that_bindings_are_needed() -> None:
    from spacetime_py import bindings

    with pytest.raises(TypeError, match="generate"):
        bindings.DbConnection(uri="localhost:3000", database="chat")


@pytest.mark.parametrize(
    "bad",
    [
        {"uri": "nowhere"},
        {"database": ""},
        {"token": "a\r\nb"},
        {"compression": "zip"},
        {"protocols": ()},
    ],
)
async def test_bad_options_are_refused_at_once(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".{20}"):
        in_memory(Peer(), **bad)


async def test_a_server_that_is_down() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ConnectError, match="spacetime start") as caught:
            async with DbConnection(uri=uri, database="chat"):
                pass
    assert uri in str(caught.value)
    assert re.search("refused|[Cc]onnect call failed", str(caught.value))
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        ("404 Not Found", HandshakeRejected, "spacetime publish chat"),
        ("401 Unauthorized", AuthenticationError, "token"),
        ("403 Forbidden", AuthenticationError, "token"),
        ("500 Internal Server Error", HandshakeRejected, "the body"),
    ],
)
async def test_a_refused_upgrade(status: str, error: type[HandshakeRejected], words: str) -> None:
    peer = Peer()
    peer.refusal = wire.refusal(status, "the body")
    with pytest.raises(error, match=words) as caught:
        async with in_memory(peer):
            pass
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.body) == (int(status[:3]), "the body")


async def test_a_module_that_refuses_the_client() -> None:
    peer = Peer()
    peer.greets = False
    connection = in_memory(peer)
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:

            @tasks.start_soon
            async def drop() -> None:
                await anyio.wait_all_tasks_blocked()
                peer.end()

            with pytest.raises(ConnectError, match="client_connected"):
                await connection.__aenter__()
    assert not connection.is_active
    with pytest.raises(ConnectError):
        connection.reducers.send_message("x")


async def test_a_server_that_never_greets() -> None:
    peer = Peer()
    peer.greets = False
    with pytest.raises(ConnectTimeout, match=r"within 0\.05 s") as caught:
        async with in_memory(peer, connect_timeout=0.05):
            pass
    assert isinstance(caught.value, TimeoutError)


class Silent(Peer):
    """Takes everything and answers nothing."""

    def receive(self, data: bytes) -> None:
        pass


async def test_a_server_that_never_answers() -> None:
    async with serving(Silent()) as uri:
        with pytest.raises(ConnectTimeout):
            async with DbConnection(uri=uri, database="chat", connect_timeout=0.1):
                pass


async def test_what_is_no_http_server() -> None:
    peer = Peer()
    peer.refusal = b"SSH-2.0-OpenSSH_9.2\r\n\r\n"
    with pytest.raises((ProtocolError, ConnectError)):
        async with in_memory(peer):
            pass


async def test_entering_can_be_cancelled() -> None:
    peer = Peer()
    peer.greets = False
    async with serving(peer) as uri:
        with anyio.move_on_after(0.1) as scope:
            async with DbConnection(uri=uri, database="chat"):
                pass
    assert scope.cancelled_caught


async def test_callbacks_tell_of_the_beginning_and_the_end() -> None:
    told: list[tuple[Any, ...]] = []
    options = {
        "on_connect": lambda *args: told.append(("connect", *args)),
        "on_connect_error": lambda *args: told.append(("connect_error", *args)),
        "on_disconnect": lambda *args: told.append(("disconnect", *args)),
    }
    async with connected(**options) as (connection, _):
        assert told == [("connect", connection, connection.identity, wire.TOKEN)]
    assert told[1:] == [("disconnect", connection, None)]


async def test_on_connect_error_gets_what_is_raised() -> None:
    peer = Peer()
    peer.refusal = wire.refusal("404 Not Found", "")
    told: list[object] = []
    with pytest.raises(HandshakeRejected) as caught:
        async with in_memory(peer, on_connect_error=lambda _, error: told.append(error)):
            pass
    assert told == [caught.value]


async def test_calls_can_be_made_in_on_connect() -> None:
    def ask(connection: DbConnection, *_: object) -> None:
        connection.reducers.send_message("first")

    async with connected(on_connect=ask) as (_, peer):
        assert peer.last_call().reducer == "send_message"
