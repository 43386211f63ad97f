"""The life of one connection: moves bytes between transport and core, and hands events on.

It owns no protocol: that is `_core.Connection`. Before this file: `connection.py`, what the user
sees. After it: `transport.py` towards the network, `dispatch.py` towards callbacks and awaits.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio
from typing_extensions import Buffer

from ._core import Closed, Connected
from ._core import Connection as Core
from ._core import Warning as CoreWarning
from .callbacks import Callback, Guard
from .dispatch import Dispatcher
from .exceptions import ConnectionClosed, ConnectionLost, ConnectTimeout, SpacetimeDBError
from .explain import Explain, is_our_close
from .pending import Pending, fresh, logger
from .transport import Driver, Endpoint, Event, Transport, TransportFactory, event_class

# Seconds that closing waits for the server, and for the last bytes when the user is cancelled.
_CLOSE_TIMEOUT = 2.0
_HURRIED_CLOSE_TIMEOUT = 0.1


class Link:
    """Made when the connection is entered, since only then the event loop is known."""

    def __init__(
        self,
        connection: object,
        core: Core,
        dispatcher: Dispatcher,
        guard: Guard,
        explain: Explain,
        on_connect: Callback | None,
        on_disconnect: Callback | None,
    ) -> None:
        self._connection = connection
        self._core = core
        self._dispatcher = dispatcher
        self._guard = guard
        self._explain = explain
        self._on_connect = on_connect
        self._on_disconnect = on_disconnect
        self._transport: Transport | None = None
        self._is_closing = False
        self._is_receiving = False
        self._socket_error: Exception | None = None
        self._ended_by: SpacetimeDBError | None = None
        self.greeting: Connected | None = None
        self.new_event: Callable[[], Event] = event_class()
        self._ended = self.new_event()
        self._greeted: Pending[None] = Pending("connection", "greeting", self.new_event)
        # Entering raises what went wrong, so that the log need not tell.
        self._greeted.is_watched = True

    @property
    def is_active(self) -> bool:
        return self.greeting is not None and self._ended_by is None and not self._is_closing

    async def open(
        self, factory: TransportFactory, endpoint: Endpoint, timeout: float | None
    ) -> None:
        """Connect and wait for the greeting. Raises ConnectError, ProtocolError."""
        driver = Driver(self._on_data, self._on_end, self._core.data_to_send)
        transport = factory(endpoint, driver)
        await transport.__aenter__()
        self._transport = transport
        try:
            await self._greet(transport, timeout)
        except BaseException as error:
            if isinstance(error, SpacetimeDBError):
                self._end(error)
            await self.leave(orderly=False)
            raise

    async def _greet(self, transport: Transport, timeout: float | None) -> None:
        with anyio.move_on_after(timeout):
            try:
                await transport.connect()
            except OSError as error:
                raise self._explain.unreachable(error) from error
            transport.flush()
            await self._greeted.wait()
        if not self._greeted.is_done:
            raise ConnectTimeout(f"{self._explain.uri} did not greet within {timeout:g} s")

    async def close(self) -> None:
        """The closing handshake, with a bounded wait for the server's part of it."""
        self._start_closing()
        with anyio.move_on_after(_CLOSE_TIMEOUT):
            await self._ended.wait()
        if not self._ended.is_set() and self._transport is not None:
            self._transport.abort()
            await self._ended.wait()

    async def leave(self, orderly: bool) -> None:
        """Close and release the transport. One who is cancelled says goodbye without waiting."""
        transport = self._transport
        if transport is None:
            return
        with anyio.CancelScope(shield=True):
            if orderly:
                await self.close()
            else:
                self._start_closing()
            transport.close()
            timeout = _CLOSE_TIMEOUT if orderly else _HURRIED_CLOSE_TIMEOUT
            with anyio.move_on_after(timeout) as patience:
                await transport.wait_ended()
            if patience.cancelled_caught:
                transport.abort()
                await transport.wait_ended()
        await transport.__aexit__(None, None, None)

    def _start_closing(self) -> None:
        if self.is_active and self._transport is not None:
            self._is_closing = True
            self._core.close()
            self._transport.flush()

    async def wait_closed(self) -> None:
        """Raises what ended the connection, unless this side closed it."""
        await self._ended.wait()
        if self._ended_by is not None and not is_our_close(self._ended_by):
            raise fresh(self._ended_by) from self._ended_by

    def check_usable(self) -> None:
        """Raises what ended the connection."""
        if self._ended_by is not None:
            raise fresh(self._ended_by) from self._ended_by
        if self._is_closing:
            raise ConnectionClosed(None, "", by_us=True)

    def send(self) -> None:
        """Send what was queued in the core. While events are taken, one flush follows them all."""
        if not self._is_receiving and self._transport is not None:
            self._transport.flush_soon()

    def _on_data(self, data: Buffer) -> None:
        if self._ended_by is not None or self._transport is None:
            return
        self._is_receiving = True
        try:
            self._core.receive_data(data)
            self._take_events()
        except Exception as error:
            self._end(self._explain.fault(error))
        finally:
            self._is_receiving = False
        self._transport.flush()

    def _on_end(self, error: Exception | None) -> None:
        self._socket_error = error
        try:
            self._core.receive_eof()
            self._take_events()
        except Exception as fault:
            self._end(self._explain.fault(fault))
        self._end(ConnectionLost(None, "", by_us=self._is_closing))

    def _take_events(self) -> None:
        while (event := self._core.next_event()) is not None:
            if isinstance(event, Connected):
                self.greeting = event
                self._tell(self._on_connect, "on_connect", event.identity, event.token)
                self._greeted.resolve(None)
            elif isinstance(event, Closed):
                self._end(self._explain.closed(event))
            elif isinstance(event, CoreWarning):
                logger.warning("%s", event.message)
            else:
                self._dispatcher.dispatch(event)

    def _end(self, error: SpacetimeDBError) -> None:
        """The connection has ended. The first reason counts."""
        if self._ended_by is not None:
            return
        if isinstance(error, ConnectionLost):
            error.__cause__ = self._socket_error
        if self.greeting is None:
            error = self._ended_by = self._explain.before_greeting(error)
            self._greeted.fail(error)
        else:
            self._ended_by = error
            told = None if is_our_close(error) else error
            self._tell(self._on_disconnect, "on_disconnect", told)
        self._dispatcher.end(error)
        self._ended.set()
        if self._transport is not None:
            self._transport.close()

    def _tell(self, callback: Callback | None, place: str, *args: object) -> None:
        if callback is not None:
            self._guard.call(place, callback, self._connection, *args)
