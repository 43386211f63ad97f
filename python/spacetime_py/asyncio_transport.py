"""TCP and TLS on asyncio.

asyncio and uvloop set TCP_NODELAY themselves.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
from functools import partial
from typing import cast

from .event_loop import Event
from .proxies import Proxy
from .transport import Driver, Endpoint

_READ_SIZE = 65536


class _Buffers(threading.local):
    """One for all connections of a thread: what is read is with the core before the next read."""

    def __init__(self) -> None:
        self.incoming = memoryview(bytearray(_READ_SIZE))


_buffers = _Buffers()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class AsyncioTransport(asyncio.BufferedProtocol):
    """asyncio calls straight into the driver: no task, no copy and no allocation per read."""

    def __init__(
        self,
        endpoint: Endpoint,
        driver: Driver,
        tls: ssl.SSLContext | None,
        proxy: Proxy | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._driver = driver
        self._on_data, self._next_data = driver.on_data, driver.next_data
        self._tls = tls
        self._proxy = proxy
        self._buffer = _buffers.incoming
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._flush_is_scheduled = False
        self._peer_is_slow = False
        self._ended = Event()

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *exc_info: object) -> None:
        return None

    async def connect(self) -> None:
        host, port = self._endpoint.host, self._endpoint.port
        if self._proxy is not None:
            await self._connect_over(await self._proxy.tunnel(host, port))
            return
        connect = partial(self._loop.create_connection, lambda: self, host, port, ssl=self._tls)
        # One address has nothing to race with, and uvloop tries one after the other.
        if isinstance(self._loop, asyncio.BaseEventLoop) and not _is_address(host):
            await connect(happy_eyeballs_delay=0.25)
        else:
            await connect()

    async def _connect_over(self, tunnel: socket.socket) -> None:
        name = None if self._tls is None else self._endpoint.host
        try:
            await self._loop.create_connection(
                lambda: self, sock=tunnel, ssl=self._tls, server_hostname=name
            )
        except BaseException:
            tunnel.close()
            raise

    def flush(self) -> None:
        transport = self._transport
        if transport is None or self._peer_is_slow:
            return
        if (data := self._next_data()) and not transport.is_closing():
            transport.write(data)

    def flush_soon(self) -> None:
        if not self._flush_is_scheduled:
            self._flush_is_scheduled = True
            self._loop.call_soon(self._scheduled_flush)

    def _scheduled_flush(self) -> None:
        self._flush_is_scheduled = False
        self.flush()

    def close(self) -> None:
        if self._transport is None:
            self._ended.set()
        else:
            self._peer_is_slow = False
            self.flush()
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
        self._on_data(self._buffer[:nbytes])

    def pause_writing(self) -> None:
        self._peer_is_slow = True

    def resume_writing(self) -> None:
        self._peer_is_slow = False
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set()
        self._driver.on_end(exc)


class BytesTransport(AsyncioTransport, asyncio.Protocol):
    """TCP without TLS on uvloop, which calls once for a read, and not before it as well."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # It would write at the end of the loop's turn. What goes together is together already.
        cast(asyncio.Transport, transport).set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        self._on_data(data)


class SelectorTransport(AsyncioTransport):
    """TCP without TLS on asyncio's own loop, which only tells when the socket is ready.

    A message costs about half of what it costs through asyncio's transports, which add an object
    and a turn of the loop. uvloop's have no such cost, and TLS needs them.
    """

    _has_taken_over = False
    _socket: socket.socket | None = None
    _unsent = memoryview(b"")
    _is_ending = False

    async def connect(self) -> None:
        host, port = self._endpoint.host, self._endpoint.port
        if self._proxy is None and _is_address(host):
            self._use(await self._connected(host, port))
            return
        await super().connect()
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        # A second descriptor of the socket replaces that of asyncio's transport.
        self._use(transport.get_extra_info("socket").dup())
        transport.abort()

    async def _connected(self, host: str, port: int) -> socket.socket:
        """No name to look up, no addresses to race: a socket is all there is to it."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.sock_connect(made, (host, port))
        except BaseException:
            made.close()
            raise
        return made

    def _use(self, taken: socket.socket) -> None:
        """One that does not block."""
        self._has_taken_over = True
        self._transport = None
        self._socket = taken
        # By number: asyncio describes in words a socket that its selector does not have yet.
        self._loop.add_reader(taken.fileno(), self._on_readable)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._has_taken_over:
            super().connection_lost(exc)

    def _on_readable(self) -> None:
        if self._socket is None:
            return
        try:
            count = self._socket.recv_into(self._buffer)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        if count:
            self._on_data(self._buffer[:count])
        else:
            self._end(None)

    def flush(self) -> None:
        # What the socket has not taken goes first; more is fetched only after it.
        if self._socket is None or self._unsent:
            return
        if data := self._next_data():
            self._send(data)

    def _send(self, data: bytes | memoryview) -> None:
        if self._socket is None:
            return
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._end(error)
            return
        if sent == len(data):
            return
        if not self._unsent:
            self._loop.add_writer(self._socket.fileno(), self._on_writable)
        self._unsent = memoryview(data)[sent:]

    def _on_writable(self) -> None:
        if self._socket is None:
            return
        data, self._unsent = self._unsent, memoryview(b"")
        self._loop.remove_writer(self._socket.fileno())
        self._send(data)
        if not self._unsent:
            self.flush()
        if self._is_ending:
            self._finish_sending()

    def close(self) -> None:
        if not self._has_taken_over:
            super().close()
            return
        if not self._is_ending:
            self._is_ending = True
            self.flush()
            self._finish_sending()

    def _finish_sending(self) -> None:
        if self._socket is None:
            return
        self._loop.remove_reader(self._socket.fileno())
        if not self._unsent:
            self._end(None)

    def abort(self) -> None:
        if not self._has_taken_over:
            super().abort()
        else:
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        """The driver hears of it in a turn of its own, as from asyncio's transports."""
        if self._socket is None:
            return
        ended, self._socket = self._socket, None
        self._unsent = memoryview(b"")
        self._loop.remove_reader(ended.fileno())
        self._loop.remove_writer(ended.fileno())
        ended.close()
        self._loop.call_soon(self._finish, error)

    def _finish(self, error: Exception | None) -> None:
        self._ended.set()
        self._driver.on_end(error)
