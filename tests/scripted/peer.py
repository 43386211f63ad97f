"""A server that does what a test tells it, in memory or behind a real socket."""

from __future__ import annotations

import math
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
from anyio.abc import ByteStream, ObjectReceiveStream, SocketAttribute
from anyio.streams.tls import TLSListener

from examples.chat.module_bindings import DbConnection
from spacetime_py import MemoryTransport
from spacetime_py.transport import Driver, Endpoint

from . import wire
from .wire import Call, ClientMessage, Close, Rows, Subscribe, Unsubscribe

# Seconds after which a test that hangs fails.
PATIENCE = 10.0


async def until(condition: Callable[[], bool]) -> None:
    """Within the test's own bound of time."""
    while not condition():
        await anyio.sleep(0.005)


class Peer:
    """Gives good answers unless told otherwise: greets, applies with `rows`, commits calls."""

    def __init__(self) -> None:
        self.send_bytes: Callable[[bytes], None] = _unconnected
        self.end: Callable[[], None] = lambda: None
        self.request = b""
        self.refusal: bytes | None = None
        self.schema: bytes | None = wire.refusal("404 Not Found", "")
        self.schema_requests: list[bytes] = []
        self.schema_is_known = anyio.Event()
        self.rows: Rows = {}
        self.greets = True
        self.identity = wire.ME
        self.token = wire.TOKEN
        self.protocol = "v1"
        self.answers = True
        self.answers_close = True
        self.resets = False
        self.on_ping: Callable[[], None] = lambda: None
        self.pongs: list[bytes] = []
        self.received: list[ClientMessage] = []
        self.writes = 0
        self._incoming = bytearray()

    def receive(self, data: bytes) -> None:
        self.writes += 1
        self._incoming += data
        if not self.request:
            self._upgrade()
        while self.request and (taken := wire.take_frame(self._incoming)) is not None:
            self._take(*taken)

    def _upgrade(self) -> None:
        head, separator, rest = bytes(self._incoming).partition(b"\r\n\r\n")
        if not separator:
            return
        self.request, self._incoming = head, bytearray(rest)
        if self.refusal is not None:
            self.send_bytes(self.refusal)
            self.end()
            return
        self.send_bytes(wire.upgrade_answer(head, f"{self.protocol}.bsatn.spacetimedb"))
        if self.greets:
            self.send(self.greeting())

    def greeting(self) -> bytes:
        """The first message."""
        return wire.identity_token(self.identity, self.token)

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 8:
            code = int.from_bytes(payload[:2], "big") if payload else None
            self.received.append(Close(code, payload[2:].decode()))
            if self.answers_close:
                self.send_bytes(wire.frame(8, payload))
        elif opcode == 9:
            self.on_ping()
        elif opcode == 10:
            self.pongs.append(payload)
        elif opcode == 2:
            self.take_message(payload)

    def tell_schema(self, answer: bytes) -> None:
        """To who has asked already, and to those to come."""
        self.schema = answer
        self.schema_is_known.set()

    def take_message(self, payload: bytes) -> None:
        """One binary message of the client."""
        message = wire.client_message(payload)
        self.received.append(message)
        if self.answers:
            self.answer(message)

    def answer(self, message: ClientMessage) -> None:
        """The good answer."""
        if isinstance(message, Call):
            self.commit(message)
        elif isinstance(message, Subscribe):
            self.send(wire.subscribe_applied(message, self.rows))
        elif isinstance(message, Unsubscribe):
            self.send(wire.unsubscribe_applied(message, self.rows))

    def commit(self, call: Call, inserts: Rows | None = None, deletes: Rows | None = None) -> None:
        """The call of this client is committed."""
        status = wire.committed(inserts or {}, deletes or {})
        self._outcome(call, status)

    def fail(self, call: Call, message: str) -> None:
        """The call of this client fails."""
        self._outcome(call, wire.failed(message))

    def _outcome(self, call: Call, status: bytes) -> None:
        update = wire.transaction_update(
            status, reducer=call.reducer, args=call.args, request_id=call.request_id
        )
        self.send(update)

    def change(self, inserts: Rows | None = None, deletes: Rows | None = None) -> None:
        """A transaction of unknown origin."""
        self.send(wire.light_update(inserts or {}, deletes or {}))

    def send(self, message: bytes) -> None:
        """One message, not compressed."""
        self.send_bytes(wire.frame(2, b"\0" + message))

    def close(self, code: int, reason: str) -> None:
        """The server starts the closing handshake."""
        self.send_bytes(wire.frame(8, code.to_bytes(2, "big") + reason.encode()))

    def last_call(self) -> Call:
        call = self.received[-1]
        assert isinstance(call, Call)
        return call


def _unconnected(data: bytes) -> None:
    raise AssertionError("nothing is connected to the peer")


def in_memory(peer: Peer, **options: Any) -> DbConnection:
    """A connection to the peer without a network, still to be entered."""
    return DbConnection(**in_memory_options(peer, **options))


def in_memory_options(peer: Peer, **options: Any) -> dict[str, Any]:
    """What a connection class takes to be connected to the peer without a network."""

    def transport(endpoint: Endpoint, driver: Driver) -> MemoryTransport:
        memory = MemoryTransport(driver, peer.receive)
        peer.send_bytes, peer.end = memory.feed, memory.end
        return memory

    address = {"uri": "http://localhost:3000", "database": "chat"}
    return {**address, "transport": transport, **options}


class Peers:
    """Another peer for each attempt to connect."""

    def __init__(self, *peers: Peer) -> None:
        self._peers = list(peers)
        self.first = peers[0]

    @property
    def left(self) -> int:
        return len(self._peers)

    def __call__(self, endpoint: Endpoint, driver: Driver) -> MemoryTransport:
        peer = self._peers.pop(0)
        transport: MemoryTransport = in_memory_options(peer)["transport"](endpoint, driver)
        return transport


@asynccontextmanager
async def connected(**options: Any) -> AsyncIterator[tuple[DbConnection, Peer]]:
    """A connection in memory and its peer."""
    peer = Peer()
    with anyio.fail_after(PATIENCE):
        async with in_memory(peer, **options) as connection:
            yield connection, peer


@asynccontextmanager
async def serving(
    peer: Peer, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """The peer behind a TCP port, for one client and its questions; gives its uri."""
    with anyio.fail_after(PATIENCE):
        listener = await anyio.create_tcp_listener(local_host=host)
        port = listener.extra(SocketAttribute.local_port)
        async with listener, anyio.create_task_group() as tasks:
            serve = partial(_serve, peer)
            if tls is None:
                tasks.start_soon(listener.serve, serve)
                yield f"http://127.0.0.1:{port}"
            else:
                tasks.start_soon(TLSListener(listener, tls, False).serve, serve)
                yield f"https://localhost:{port}"
            tasks.cancel_scope.cancel()


async def _serve(peer: Peer, stream: ByteStream) -> None:
    try:
        first = await stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return
    if b"/schema?" in first.partition(b"\r\n")[0]:
        await _serve_schema(peer, stream, first)
    else:
        await _serve_client(peer, stream, first)


async def _serve_schema(peer: Peer, stream: ByteStream, request: bytes) -> None:
    """The answer as it was given to the peer; without one the client waits."""
    peer.schema_requests.append(request)
    async with stream:
        if peer.schema is None:
            await peer.schema_is_known.wait()
        await stream.send(peer.schema or b"")


async def _serve_client(peer: Peer, stream: ByteStream, first: bytes) -> None:
    send, receive = anyio.create_memory_object_stream[bytes](math.inf)
    peer.send_bytes, peer.end = send.send_nowait, send.close
    async with stream, send, receive, anyio.create_task_group() as tasks:
        if peer.resets:
            raw_socket = stream.extra(SocketAttribute.raw_socket)
            raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        tasks.start_soon(_write, receive, stream, tasks.cancel_scope)
        try:
            peer.receive(first)
            while True:
                peer.receive(await stream.receive())
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            tasks.cancel_scope.cancel()


async def _write(
    outgoing: ObjectReceiveStream[bytes], stream: ByteStream, scope: anyio.CancelScope
) -> None:
    async for data in outgoing:
        await stream.send(data)
    scope.cancel()
