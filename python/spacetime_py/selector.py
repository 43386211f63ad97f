"""TCP without TLS on asyncio's own event loop: the socket is read and written as soon as it is ready.

A message costs about half of what it costs through asyncio's transports, which add a call_soon and
an object for each read. uvloop's transports have no such cost, and TLS needs them.
"""

from __future__ import annotations

import asyncio
import socket

from .sockets import AsyncioTransport


class SelectorTransport(AsyncioTransport):
    """asyncio makes the connection; from then on the loop only tells when the socket is ready."""

    _has_taken_over = False
    _socket: socket.socket | None = None
    _unsent = memoryview(b"")
    _is_ending = False

    async def connect(self) -> None:
        await super().connect()
        self._take_over()

    def _take_over(self) -> None:
        """A second descriptor of the socket replaces that of asyncio's transport."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._has_taken_over = True
        self._transport = None
        self._socket = transport.get_extra_info("socket").dup()
        self._socket.setblocking(False)
        transport.abort()
        self._loop.add_reader(self._socket, self._on_readable)

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
            self._driver.on_data(self._buffer[:count])
        else:
            self._end(None)

    def flush(self) -> None:
        # What the socket has not taken goes first; more is fetched only after it.
        if self._socket is None or self._unsent:
            return
        if data := self._driver.next_data():
            self._send(memoryview(data))

    def _send(self, data: memoryview) -> None:
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
            self._loop.add_writer(self._socket, self._on_writable)
        self._unsent = data[sent:]

    def _on_writable(self) -> None:
        if self._socket is None:
            return
        data, self._unsent = self._unsent, memoryview(b"")
        self._loop.remove_writer(self._socket)
        self._send(data)
        if not self._unsent:
            self.flush()
        if self._is_ending and not self._unsent:
            self._end(None)

    def close(self) -> None:
        if not self._has_taken_over:
            super().close()
            return
        if self._socket is None or self._is_ending:
            return
        self.flush()
        self._is_ending = True
        if self._socket is None:
            return
        self._loop.remove_reader(self._socket)
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
        self._loop.remove_reader(ended)
        self._loop.remove_writer(ended)
        self._loop.call_soon(self._finish, ended, error)

    def _finish(self, ended: socket.socket, error: Exception | None) -> None:
        ended.close()
        self._ended.set()
        self._driver.on_end(error)


def fits(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop is asyncio's own with a selector."""
    return isinstance(loop, asyncio.SelectorEventLoop)
