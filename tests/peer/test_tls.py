"""TLS in front of the live peer: a forwarder that ends it, as a reverse proxy does."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from anyio.abc import ByteReceiveStream, ByteSendStream, ByteStream, SocketAttribute
from anyio.streams.tls import TLSListener

from examples.chat.module_bindings import DbConnection
from spacetime_py import ConnectError

from .forwarding import ForwardingProxy
from .process import Peer

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]
TLS = Path(__file__).parents[1] / "scripted/tls"


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer(databases={"chat": "chat"}) as peer:
        yield peer


@asynccontextmanager
async def tls_in_front_of(peer: Peer) -> AsyncIterator[str]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")

    async def forward(outside: ByteStream) -> None:
        async with (
            outside,
            await anyio.connect_tcp("127.0.0.1", peer.port) as inside,
            anyio.create_task_group() as both,
        ):
            both.start_soon(copy, outside, inside, both.cancel_scope)
            both.start_soon(copy, inside, outside, both.cancel_scope)

    async def copy(
        source: ByteReceiveStream, sink: ByteSendStream, scope: anyio.CancelScope
    ) -> None:
        try:
            async for data in source:
                await sink.send(data)
        except anyio.BrokenResourceError:
            pass
        scope.cancel()

    with anyio.fail_after(30):
        async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
            port = listener.extra(SocketAttribute.local_port)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(TLSListener(listener, context, False).serve, forward)
                yield f"https://localhost:{port}"
                tasks.cancel_scope.cancel()


@pytest.mark.parametrize("protocol", ["v3", "v2", "v1"])
@pytest.mark.parametrize("trusting", ["ca_file", "ssl_context"])
async def test_a_conversation(
    peer: Peer, protocol: Literal["v3", "v2", "v1"], trusting: str
) -> None:
    ca_file = TLS / "ca.pem"
    context = ssl.create_default_context(cafile=ca_file)
    options: dict[str, Any] = {"ca_file": ca_file, "ssl_context": context}
    chosen = {trusting: options[trusting]}
    async with (
        tls_in_front_of(peer) as uri,
        DbConnection(uri=uri, database="chat", protocols=(protocol,), **chosen) as connection,
    ):
        await connection.subscribe("SELECT * FROM message")
        text = f"{protocol} by {trusting} " + "x" * 100_000
        await connection.reducers.send_message(text)
        mine = [row.text for row in connection.db.message if row.sender == connection.identity]
        assert mine == [text]


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_through_a_proxy(peer: Peer, scheme: str) -> None:
    """The proxy sees the names of hosts and TLS, and the certificate is the server's."""
    with ForwardingProxy("user", "password") as proxy:
        options: dict[str, Any] = {"database": "chat", "proxy": proxy.url(scheme, "user:password@")}
        async with (
            tls_in_front_of(peer) as uri,
            DbConnection(uri=uri, ca_file=TLS / "ca.pem", **options) as connection,
        ):
            await connection.subscribe("SELECT * FROM message")
            text = f"by {scheme} " + "x" * 100_000
            await connection.reducers.send_message(text)
            mine = [row.text for row in connection.db.message if row.sender == connection.identity]
            assert mine == [text]
            with pytest.raises(ConnectError, match=r"certificate verify failed.*`ca_file`"):
                async with DbConnection(uri=uri, ca_file=TLS / "stranger.pem", **options):
                    pass


async def test_the_certificates_of_somebody_else(peer: Peer) -> None:
    async with tls_in_front_of(peer) as uri:
        with pytest.raises(ConnectError, match=r"certificate verify failed.*`ca_file`"):
            async with DbConnection(uri=uri, database="chat", ca_file=TLS / "stranger.pem"):
                pass
