"""Transports over TCP and TLS: asyncio's own on asyncio, anyio streams on trio.

asyncio, uvloop and anyio all set TCP_NODELAY themselves.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import cast

import anyio
from anyio.abc import ByteStream

from .transport import Driver, Endpoint, Transport, TransportFactory, on_asyncio

_READ_SIZE = 65536


def network(
    endpoint: Endpoint, ca_file: str | Path | None, ssl_context: ssl.SSLContext | None
) -> TransportFactory:
    """TCP or TLS transports. Raises ValueError for a `ca_file` that cannot be used."""
    ssl_context = trusted(ca_file, ssl_context)
    if endpoint.tls and ssl_context is None:
        ssl_context = ssl.create_default_context()
    return partial(socket_transport, ssl_context=ssl_context)


def trusted(
    ca_file: str | Path | None, ssl_context: ssl.SSLContext | None
) -> ssl.SSLContext | None:
    """What the user chose. Raises ValueError for a `ca_file` that cannot be used."""
    if ca_file is None:
        return ssl_context
    if ssl_context is not None:
        raise ValueError("give either ca_file or ssl_context: the context knows its own")
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ValueError(f"ca_file {ca_file} has no certificates in PEM: {error}") from error


def socket_transport(
    endpoint: Endpoint, driver: Driver, ssl_context: ssl.SSLContext | None = None
) -> Transport:
    """A TCP or TLS transport for the running event loop."""
    tls = ssl_context if endpoint.tls else None
    if on_asyncio():
        return AsyncioTransport(endpoint, driver, tls)
    return StreamTransport(endpoint, driver, tls)


class AsyncioTransport(asyncio.BufferedProtocol):
    """asyncio calls straight into the driver: no task, no copy and no allocation per read."""

    def __init__(self, endpoint: Endpoint, driver: Driver, tls: ssl.SSLContext | None) -> None:
        self._endpoint = endpoint
        self._driver = driver
        self._tls = tls
        self._buffer = memoryview(bytearray(_READ_SIZE))
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._flush_is_scheduled = False
        self._peer_is_slow = False
        self._ended = asyncio.Event()

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *exc_info: object) -> None:
        return None

    async def connect(self) -> None:
        connect = partial(
            self._loop.create_connection,
            lambda: self,
            self._endpoint.host,
            self._endpoint.port,
            ssl=self._tls,
        )
        # uvloop knows no happy eyeballs: it tries one address after the other.
        if isinstance(self._loop, asyncio.BaseEventLoop):
            await connect(happy_eyeballs_delay=0.25)
        else:
            await connect()

    def flush(self) -> None:
        if self._transport is not None and not self._peer_is_slow:
            self._write(self._transport)

    def flush_soon(self) -> None:
        if not self._flush_is_scheduled:
            self._flush_is_scheduled = True
            self._loop.call_soon(self._scheduled_flush)

    def _scheduled_flush(self) -> None:
        self._flush_is_scheduled = False
        self.flush()

    def _write(self, transport: asyncio.Transport) -> None:
        if (data := self._driver.next_data()) and not transport.is_closing():
            transport.write(data)

    def close(self) -> None:
        if self._transport is None:
            self._ended.set()
        else:
            self._write(self._transport)
            self._transport.close()

    def abort(self) -> None:
        if self._transport is None:
            self._ended.set()
        else:
            self._transport.abort()

    async def wait_ended(self) -> None:
        await self._ended.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._driver.on_data(self._buffer[:nbytes])

    def pause_writing(self) -> None:
        self._peer_is_slow = True

    def resume_writing(self) -> None:
        self._peer_is_slow = False
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()
        self._driver.on_end(exc)


class StreamTransport:
    """An anyio stream, with one task that receives and one that sends."""

    def __init__(self, endpoint: Endpoint, driver: Driver, tls: ssl.SSLContext | None) -> None:
        self._endpoint = endpoint
        self._driver = driver
        self._tls = tls
        self._tasks = anyio.create_task_group()
        # Cancelling the tasks is left to abort(): a cancelled user still gets an orderly end.
        self._scope = anyio.CancelScope(shield=True)
        self._something_to_do = anyio.Event()
        self._is_closing = False
        self._is_running = False
        self._ended = anyio.Event()

    async def __aenter__(self) -> None:
        await self._tasks.__aenter__()

    async def __aexit__(self, *exc_info: object) -> None:
        # The tasks have ended by now. Without the exception, so that the group has nothing to wrap.
        await self._tasks.__aexit__(None, None, None)

    async def connect(self) -> None:
        host, port = self._endpoint.host, self._endpoint.port
        try:
            stream: ByteStream
            if self._tls is None:
                stream = await anyio.connect_tcp(host, port)
            else:
                stream = await anyio.connect_tcp(
                    host, port, ssl_context=self._tls, tls_standard_compatible=False
                )
        except (anyio.BrokenResourceError, anyio.EndOfStream) as error:
            raise ConnectionAbortedError("the server ended the TLS handshake") from error
        self._is_running = True
        self._tasks.start_soon(self._run, stream)

    def flush(self) -> None:
        self._something_to_do.set()

    flush_soon = flush

    def close(self) -> None:
        self._is_closing = True
        self._something_to_do.set()
        if not self._is_running:
            self._ended.set()

    def abort(self) -> None:
        self._scope.cancel()
        if not self._is_running:
            self._ended.set()

    async def wait_ended(self) -> None:
        await self._ended.wait()

    async def _run(self, stream: ByteStream) -> None:
        error: Exception | None = None
        try:
            with self._scope:
                async with anyio.create_task_group() as both:
                    both.start_soon(self._send, stream)
                    error = await self._receive(stream)
                    both.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True), suppress(OSError):
                await anyio.aclose_forcefully(stream)
            self._ended.set()
            self._driver.on_end(error)

    async def _receive(self, stream: ByteStream) -> Exception | None:
        try:
            while True:
                self._driver.on_data(await stream.receive(_READ_SIZE))
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return None
        except (anyio.BrokenResourceError, OSError) as error:
            return error

    async def _send(self, stream: ByteStream) -> None:
        while True:
            await self._something_to_do.wait()
            self._something_to_do = anyio.Event()
            try:
                if data := self._driver.next_data():
                    await stream.send(data)
            except (anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
                # The receiving task learns of it too, and of its reason.
                return
            if self._is_closing:
                self._scope.cancel()
