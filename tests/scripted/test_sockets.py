"""The real transports, TCP and TLS, on both event loops."""

from __future__ import annotations

import gc
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from examples.chat.module_bindings import DbConnection, Message, User
from spacetime_py import ConnectError, ConnectionLost, Identity, Timestamp
from spacetime_py.event_loop import on_asyncio

from . import wire
from .peer import Peer, serving

pytestmark = pytest.mark.anyio

_TLS = Path(__file__).parent / "tls"


def server_tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(_TLS / "certificate.pem", _TLS / "key.pem")
    return context


def _is_here(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with suppress(OSError), socket.socket(family) as probe:
        probe.bind((address, 0))
        return True
    return False


async def converse(connection: DbConnection, peer: Peer) -> None:
    """Subscribe, call, hear of the change."""
    heard = anyio.Event()
    connection.db.message.on_insert(lambda *_: heard.set())
    await connection.subscribe("SELECT * FROM message")
    await connection.reducers.send_message("a")
    row = Message(sender=connection.identity, sent=Timestamp(0), text="b")
    peer.change({"message": [row]})
    await heard.wait()
    assert list(connection.db.message) == [row]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_tcp(host: str) -> None:
    peer = Peer()
    listening = "::1" if host == "[::1]" else "127.0.0.1"
    if not _is_here(listening):
        pytest.skip("this machine has no IPv6")
    async with serving(peer, host=listening) as uri:
        uri = uri.replace("127.0.0.1", host)
        async with DbConnection(uri=uri, database="chat") as connection:
            await converse(connection, peer)
        await connection.wait_closed()


async def test_tls() -> None:
    peer = Peer()
    trusting = ssl.create_default_context(cafile=_TLS / "ca.pem")
    async with serving(peer, server_tls()) as uri:
        async with DbConnection(uri=uri, database="chat", ssl_context=trusting) as connection:
            await converse(connection, peer)
        await connection.wait_closed()


async def test_tls_with_the_certificates_of_a_file() -> None:
    peer = Peer()
    async with serving(peer, server_tls()) as uri:
        async with DbConnection(uri=uri, database="chat", ca_file=_TLS / "ca.pem") as connection:
            await converse(connection, peer)
        await connection.wait_closed()


@pytest.mark.parametrize("options", [{}, {"ca_file": _TLS / "stranger.pem"}])
async def test_a_certificate_that_nobody_trusts(options: dict[str, Any]) -> None:
    async with serving(Peer(), server_tls()) as uri:
        with pytest.raises(ConnectError, match=r"certificate verify failed.*`ca_file`"):
            async with DbConnection(uri=uri, database="chat", **options):
                pass


async def test_a_certificate_of_another_host() -> None:
    async with serving(Peer(), server_tls()) as uri:
        uri = uri.replace("localhost", "127.0.0.1")
        with pytest.raises(ConnectError, match=r"not valid for '127\.0\.0\.1'"):
            async with DbConnection(uri=uri, database="chat", ca_file=_TLS / "ca.pem"):
                pass


@pytest.mark.parametrize("name", ["key.pem", "make.sh", "missing.pem"])
async def test_a_file_without_certificates(name: str) -> None:
    with pytest.raises(ValueError, match=f"ca_file .*{name}"):
        DbConnection(uri="https://localhost", database="chat", ca_file=_TLS / name)


async def test_certificates_twice() -> None:
    with pytest.raises(ValueError, match="either ca_file or ssl_context"):
        DbConnection(
            uri="https://localhost",
            database="chat",
            ca_file=_TLS / "ca.pem",
            ssl_context=ssl.create_default_context(),
        )


class PlainHttp(Peer):
    """What an HTTP server says to a TLS handshake."""

    def receive(self, data: bytes) -> None:
        self.send_bytes(wire.refusal("400 Bad Request", ""))
        self.end()


async def test_tls_spoken_to_a_server_without_it() -> None:
    async with serving(PlainHttp()) as uri:
        with pytest.raises(ConnectError, match="does the server speak TLS"):
            async with DbConnection(uri=uri.replace("http", "https"), database="chat"):
                pass


async def test_a_large_message_arrives_in_many_reads() -> None:
    peer = Peer()
    peer.rows = {
        "user": [
            User(identity=Identity(f"{n:064x}"), name="x" * 100, online=True) for n in range(5000)
        ]
    }
    async with serving(peer) as uri, DbConnection(uri=uri, database="chat") as connection:
        await connection.subscribe("SELECT * FROM user")
        assert connection.db.user.count() == 5000


async def test_calls_made_in_one_turn_share_writes() -> None:
    peer = Peer()
    async with serving(peer) as uri, DbConnection(uri=uri, database="chat") as connection:
        before = peer.writes
        calls = [connection.reducers.send_message("x") for _ in range(100)]
        for call in calls:
            await call
        assert peer.writes - before < 6


async def test_a_call_alone_is_sent_before_the_task_gives_way() -> None:
    peer = Peer()
    async with serving(peer) as uri, DbConnection(uri=uri, database="chat") as connection:
        before = connection.stats.messages_sent
        first = connection.reducers.send_message("x")
        if on_asyncio():
            assert connection.stats.messages_sent == before + 1
        second = connection.reducers.send_message("x")
        assert connection.stats.messages_queued > 0
        await first
        await second


async def test_of_many_calls_the_first_leave_while_others_are_made() -> None:
    async with serving(Peer()) as uri, DbConnection(uri=uri, database="chat") as connection:
        calls = []
        for count in range(1, 501):
            calls.append(connection.reducers.send_message("x"))
            waiting = connection.stats.messages_queued
            assert waiting < max(32, count / 4) or not on_asyncio()
        for call in calls:
            await call


async def test_more_than_the_peer_takes_waits_and_arrives() -> None:
    peer = Peer()
    async with serving(peer) as uri, DbConnection(uri=uri, database="chat") as connection:
        calls = [connection.reducers.send_message("x" * 100_000) for _ in range(50)]
        for call in calls:
            await call
        assert len(peer.received) == 50


async def test_the_server_drops_the_socket_in_mid_call() -> None:
    peer = Peer()
    async with (
        serving(peer) as uri,
        DbConnection(uri=uri, database="chat", reconnect=False) as connection,
    ):
        peer.answers = False
        async with anyio.create_task_group() as tasks:

            @tasks.start_soon
            async def drop() -> None:
                while not peer.received:
                    await anyio.sleep(0.01)
                peer.end()

            with pytest.raises(ConnectionLost) as caught:
                await connection.reducers.send_message("a")
        assert caught.value.maybe_executed
        with pytest.raises(ConnectionLost):
            await connection.wait_closed()


async def test_the_server_resets_the_socket() -> None:
    peer = Peer()
    peer.resets = True
    async with (
        serving(peer) as uri,
        DbConnection(uri=uri, database="chat", reconnect=False) as connection,
    ):
        peer.end()
        with pytest.raises(ConnectionLost) as caught:
            await connection.wait_closed()
        lost = caught.value.__cause__
        assert isinstance(lost, ConnectionLost)
        assert lost.__cause__ is not None


async def test_two_connections_in_one_task_and_many_in_parallel() -> None:
    async def one() -> None:
        peer = Peer()
        async with serving(peer) as uri, DbConnection(uri=uri, database="chat") as connection:
            await converse(connection, peer)

    first, second = Peer(), Peer()
    async with (
        serving(first) as uri,
        serving(second) as other_uri,
        DbConnection(uri=uri, database="chat") as connection,
        DbConnection(uri=other_uri, database="chat") as other,
    ):
        await converse(connection, first)
        await converse(other, second)
    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(one)


async def test_no_socket_is_left_open() -> None:
    """An open one would warn when it is collected, and warnings are errors."""
    peer = Peer()
    async with serving(peer) as uri:
        async with DbConnection(uri=uri, database="chat") as connection:
            await converse(connection, peer)
        del connection
        gc.collect()
