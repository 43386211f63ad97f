"""One socket, from connecting to its end: moves bytes between transport and core.

It owns no protocol: that is `_core.Connection`. Before this file: `link.py`, which runs one session
after the other. After it: `transport.py` towards the network.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

import anyio

from ._core import Calls, Delivery, Receiver
from ._core import Connection as Core
from .background import quietly
from .event_loop import Event
from .exceptions import ConnectionClosed, ConnectionLost, ConnectTimeout, SpacetimeDBError
from .explain import Explain
from .transport import Driver, Endpoint, Transport, TransportFactory

if TYPE_CHECKING:
    from ._core import Event as CoreEvent

# Seconds that closing waits for the server, and that a socket of no use may take to end.
_CLOSE_TIMEOUT = 2.0
_HURRIED_CLOSE_TIMEOUT = 0.1


class Session:
    """A session is greeted or not, and ends with the first error that it meets."""

    def __init__(
        self,
        core: Core,
        explain: Explain,
        prepare: Callable[[], Awaitable[None]],
        on_event: Callable[[CoreEvent], None],
        delivery: Delivery | None,
        calls: Calls,
        on_end: Callable[[SpacetimeDBError], None],
    ) -> None:
        self._core = core
        self._explain = explain
        self._prepare = prepare
        self._on_event = on_event
        self._delivery = delivery
        self._calls = calls
        calls.send_by(self.send)
        self._on_session_end = on_end
        self._transport: Transport | None = None
        self._wake = Event()
        self._connecting = anyio.CancelScope()
        self._close_by: float | None = None
        self._receiver = Receiver(core, delivery, self._on_rest, calls.waiters)
        self._socket_error: Exception | None = None
        self.is_greeted = False
        # Whether requests reach the server: greeted, and neither closing nor ended.
        self.is_usable = False
        self.error: SpacetimeDBError | None = None

    async def run(
        self, factory: TransportFactory, endpoint: Endpoint, connect_timeout: float | None
    ) -> None:
        """Connect and serve the connection until it ends."""
        driver = Driver(self._receiver.take, self._on_end, self._core.data_to_send)
        transport = self._transport = factory(endpoint, driver)
        self._receiver.is_open = self.error is None
        async with transport:
            try:
                await self._connect(transport, connect_timeout)
                await self._serve(transport)
            finally:
                await self._release(transport)

    async def _connect(self, transport: Transport, timeout: float | None) -> None:
        with self._connecting, anyio.move_on_after(timeout):
            try:
                await self._prepare()
                await transport.connect()
                transport.flush()
                while not self.is_greeted and self.error is None:
                    await self._sleep(None)
            except OSError as error:
                self.end(self._explain.unreachable(error))
            except SpacetimeDBError as error:
                self.end(error)
            return
        if self._close_by is not None:
            self.end(ConnectionClosed(None, "", by_us=True))
        self.end(ConnectTimeout(f"{self._explain.uri} did not greet within {timeout or 0:g} s"))

    async def _serve(self, transport: Transport) -> None:
        while self.error is None:
            now = time.monotonic()
            if self._close_by is not None and now >= self._close_by:
                transport.abort()
            due = self._core.tick(now)
            self._take_events()
            transport.flush()
            if self.error is None:
                dues = [moment for moment in (due, self._close_by) if moment is not None]
                await self._sleep(min(dues, default=None))

    async def _sleep(self, until: float | None) -> None:
        """Until a moment of the monotonic clock, or until something happens."""
        self._wake = Event()
        with anyio.move_on_after(None if until is None else max(0.0, until - time.monotonic())):
            await self._wake.wait()

    async def _release(self, transport: Transport) -> None:
        transport.close()
        is_orderly = isinstance(self.error, ConnectionClosed) and self.error.code is not None
        timeout = _CLOSE_TIMEOUT if is_orderly else _HURRIED_CLOSE_TIMEOUT
        if not await quietly(transport.wait_ended, timeout):
            transport.abort()
            await quietly(transport.wait_ended, _CLOSE_TIMEOUT)

    def close(self) -> None:
        """Start the closing handshake, or stop connecting. The server has 2 s for its part."""
        if self._close_by is not None or self.error is not None:
            return
        self._close_by = time.monotonic() + _CLOSE_TIMEOUT
        self.is_usable = self._calls.is_ready = False
        if not self.is_greeted:
            self._connecting.cancel()
            return
        self._core.close()
        if self._transport is not None:
            self._transport.flush()
        self._wake.set()

    def drop(self, error: SpacetimeDBError) -> None:
        """End it from this side, in favour of another session."""
        if self.is_greeted:
            self._core.close()
        self.end(error)
        self._connecting.cancel()

    def send(self, at_once: bool = False) -> None:
        """Send what was queued in the core. While events are taken, one flush follows them all."""
        if self._receiver.is_taking or self._transport is None:
            return
        if at_once:
            self._transport.flush()
        else:
            self._transport.flush_soon()

    def end(self, error: SpacetimeDBError) -> None:
        """The session has ended. The first reason counts."""
        if self.error is not None:
            return
        if isinstance(error, ConnectionLost):
            error.__cause__ = self._socket_error
        if not self.is_greeted:
            error = self._explain.before_greeting(error, self._core.protocol is not None)
        self.error = error
        self.is_usable = self._calls.is_ready = self._receiver.is_open = False
        self._wake.set()
        self._on_session_end(self.error)
        if self._transport is not None:
            self._transport.close()

    def look(self) -> None:
        """Take events that nothing from the network has caused."""
        self._take_events()

    def greet(self) -> None:
        """The server has greeted."""
        self.is_greeted = True
        self.is_usable = self.error is None and self._close_by is None
        self._wake.set()

    def _on_rest(
        self, event: CoreEvent | Literal[True] | None, fault: BaseException | None
    ) -> None:
        """What the receiver leaves of the bytes that have come."""
        assert self._transport is not None, "they came from it"
        try:
            if fault is not None:
                raise fault
            if event is not True:
                self._follow(event)
        except Exception as error:
            self.end(self._explain.fault(error))
        except BaseException:
            # KeyboardInterrupt goes through callbacks, and the connection lives on.
            self._transport.flush_soon()
            raise
        finally:
            self._receiver.is_taking = False
        self._transport.flush()

    def _on_end(self, error: Exception | None) -> None:
        if self.error is not None:
            return
        self._socket_error = error
        self._core.receive_eof()
        self._take_events()
        self.end(ConnectionLost(None, "", by_us=self._close_by is not None))

    def _take_events(self) -> None:
        try:
            self._follow(self._core.next_event(self._delivery))
        except Exception as error:
            self.end(self._explain.fault(error))

    def _follow(self, event: CoreEvent | None) -> None:
        """This event, and those after it."""
        while event is not None:
            self._on_event(event)
            if self.error is not None:
                return
            event = self._core.next_event(self._delivery)
