"""The peer as a program: HTTP, a restart, its end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.api import ApiError, Database

from .process import Peer, PeerError

pytestmark = pytest.mark.real_server


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer(databases={"chat": "chat"}) as peer:
        yield peer


@pytest.fixture(scope="module")
def database(peer: Peer) -> Database:
    return peer.publish("all-kinds", native="mod28")


def test_a_chat_message_is_stored(peer: Peer) -> None:
    assert peer.version() == "2.8.3-peer"
    speaker = peer.identity()
    peer.call("chat", "send_message", ["hello"], speaker.token)
    (row,) = peer.sql("chat", "SELECT * FROM message")
    assert (row["sender"], row["text"]) == ([f"0x{speaker.identity}"], "hello")
    (user,) = peer.sql("chat", f"SELECT * FROM user WHERE identity = 0x{speaker.identity}")
    assert user["online"] is False


@pytest.mark.parametrize(
    ("reducer", "arguments", "status", "text"),
    [
        ("fail", ["no luck"], 530, "no luck"),
        ("boom", ["bang"], 530, "fatal error"),
        ("nowhere", [], 404, "No such procedure"),
        ("on_connect", [], 400, "lifecycle reducer"),
        ("add_diary", ["x"], 400, "invalid arguments for reducer add_diary"),
        ("add_diary", ["x", "y"], 400, "invalid arguments for reducer add_diary"),
        ("add_diary", ["x", 2**31], 400, "invalid arguments for reducer add_diary"),
    ],
)
def test_calls_that_fail(
    peer: Peer, database: Database, reducer: str, arguments: list[Any], status: int, text: str
) -> None:
    with pytest.raises(ApiError) as caught:
        peer.call(database.name, reducer, arguments)
    assert (caught.value.status, text in caught.value.text) == (status, True)


def test_values_of_all_kinds(peer: Peer, database: Database) -> None:
    columns: list[Any] = [
        *[7, True, 2**8 - 1, 2**16 - 1, 2**32 - 1, 2**64 - 1, 2**128 - 1, "0x" + "f" * 64],
        *[-(2**7), -(2**15), -(2**31), -(2**63), -(2**127), "-0x1", 0.5, -1e300, "zażółć \"'\\"],
        *["00ff", ["0xc2"], [2**127], [-1], [10**15], [0, [5]], [2**128 - 1]],
    ]
    peer.call(database.name, "put_scalars", [columns])
    (row,) = peer.sql(database.name, "SELECT * FROM scalars WHERE id = 7")
    assert list(row.values()) == columns


def test_what_is_private_and_what_is_not_there(peer: Peer, database: Database) -> None:
    assert peer.sql(database.name, "SELECT * FROM secret") == []
    for table in ("secret", "nothing"):
        with pytest.raises(ApiError, match=f"no such table: `{table}`"):
            peer.sql(database.name, f"SELECT * FROM {table}", peer.identity().token)
    with pytest.raises(ApiError, match="404 `nowhere` not found"):
        peer.schema("nowhere")
    with pytest.raises(ApiError, match="401"):
        peer.sql(database.name, "SELECT * FROM item", "nonsense")
    with pytest.raises(ApiError, match="500 there is no module `nothing`"):
        peer.publish("another", native="nothing")
    with pytest.raises(ApiError, match="500 failed to parse WebAssembly module"):
        peer.publish("another", b"\0asm")


def test_load(peer: Peer) -> None:
    name = peer.publish("load", native="generic").name
    peer.call(name, "fill_message", [1000])
    peer.call(name, "rewrite_message", [1, 10, 7])
    peer.call(name, "insert_message", [0, ["0x1"], [5], "a text"])
    assert len(peer.sql(name, "SELECT * FROM message")) == 1001
    (row,) = peer.sql(name, "SELECT * FROM message WHERE text = 'a text'")
    assert (row["sender"], row["sent"]) == (["0x1"], [5])
    peer.call(name, "delete_message", [row["id"]])
    with pytest.raises(ApiError, match="530 there is no such row"):
        peer.call(name, "delete_message", [row["id"]])
    peer.call(name, "clear_message")
    assert peer.sql(name, "SELECT * FROM message") == []


def test_a_restart_keeps_port_and_tokens() -> None:
    with Peer(databases={"chat": "chat"}) as peer:
        url, owner = peer.url, peer.owner
        peer.call("chat", "send_message", ["gone with the process"])
        peer.stop()
        with pytest.raises(OSError, match="refused"):
            peer.ping()
        peer.start()
        assert peer.url == url
        assert peer.sql("chat", "SELECT * FROM message", owner.token) == []


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PeerError), Peer(port):
            pass
