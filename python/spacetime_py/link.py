"""The life of a connection through all of its sessions: connecting, losing, reconnecting, closing.

Before this file: `connection.py`, what the user sees. After it: `session.py` towards the network,
`dispatch.py` towards callbacks and awaits, `reconnect.py` for when to try again.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import anyio

from ._core import Closed, Connected, Resynced
from ._core import Connection as Core
from ._core import Warning as CoreWarning
from .background import Background, quietly
from .callbacks import Callback, Guard
from .capture import CaptureFile
from .dispatch import Dispatcher
from .event_loop import Event, new_waiters
from .exceptions import (
    ConnectionClosed,
    ConnectionLost,
    SchemaMismatchError,
    SpacetimeDBError,
)
from .explain import Explain, is_our_close
from .fit import Fit
from .logs import connection_log
from .pending import Pending, fresh
from .reconnect import ReconnectAttempt, ReconnectPolicy, is_temporary
from .session import Session
from .state import ConnectionState, ConnectionStatus, StateStream
from .swap import Swap
from .token_source import TokenSource
from .tokens import Tokens
from .transport import Endpoint, TransportFactory

if TYPE_CHECKING:
    from ._core import Event as CoreEvent


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """What the user chose, as far as it concerns the life of the connection."""

    endpoint: Endpoint
    transport: TransportFactory
    connect_timeout: float | None
    policy: ReconnectPolicy | None
    fit: Fit | None
    capture: CaptureFile | None
    tokens: Tokens
    on_connect: Callback | None
    on_disconnect: Callback | None
    on_reconnecting: Callback | None
    on_reconnected: Callback | None


class Link:
    """Made when the connection is entered, since only then the event loop is known."""

    def __init__(
        self,
        connection: object,
        core: Core,
        dispatcher: Dispatcher,
        guard: Guard,
        explain: Explain,
        options: LinkOptions,
    ) -> None:
        self._connection = connection
        self._core = core
        self._dispatcher = dispatcher
        self._guard = guard
        self._explain = explain
        self._options = options
        self._tokens = options.tokens
        self._swap: Swap | None = None
        self._is_keeping_fresh = False
        self._background = Background()
        self.session: Session | None = None
        # Failed attempts since the last greeting, and when that connection was lost.
        self._failures = 0
        self._lost_at = time.monotonic()
        self._retry_in = 0.0
        self.greeting: Connected | None = None
        dispatcher.enter(new_waiters())
        self.states = StateStream()
        self._closing = Event()
        self._retry_now = Event()
        self._ended = Event()
        self._ended_by: SpacetimeDBError | None = None
        self._compared = Event()
        # Set once a session has a token to present, which the comparison takes as well.
        self._prepared = Event()
        self._presented: str | None = None
        self._greeted: Pending[None] = dispatcher.new_pending("connection", "greeting")
        # Entering raises what went wrong, so that the log need not tell.
        self._greeted._is_watched = True

    @property
    def is_active(self) -> bool:
        connected = self.states.current.status is ConnectionStatus.CONNECTED
        return connected and self.session is not None and self.session.is_usable

    async def open(self) -> None:
        """Connect and wait for the greeting, and for the comparison of the bindings.

        Raises ConnectError, ProtocolError, CredentialsError, and OSError for a capture that cannot
        be written.
        """
        if self._options.capture is not None:
            self._options.capture.open(self._core)
        connection_log.debug("connecting to %s", self._explain.place)
        await self._background.start(self._run)
        try:
            await self._greeted._wait()
            await self._compared.wait()
            if self._ended_by is not None and isinstance(self._ended_by, SchemaMismatchError):
                self.check_open()
            await self._keep_token()
        except BaseException:
            await self.leave(orderly=False)
            raise

    async def close(self) -> None:
        """The closing handshake, with a bounded wait for the server's part of it."""
        self._start_closing()
        await self._ended.wait()

    async def leave(self, orderly: bool) -> None:
        """Close and release everything. One who is cancelled says goodbye without waiting."""
        self._start_closing()
        with anyio.CancelScope(shield=True):
            if not orderly and not await quietly(self._ended.wait, 0.1):
                self._background.cancel()
            await self._background.wait()
        await self._background.release()

    async def set_token(
        self, source: TokenSource, may_become_other: bool, timeout: float | None
    ) -> None:
        """Another session, as whom the source says; the one before when the server refuses it."""
        before = self._tokens.replace(source)
        if self._swap is not None:
            before = self._swap.before
            self._swap.replaced()
        done: Pending[None] = Pending("connection", "set_token")
        swap = self._swap = Swap(self._tokens, before, may_become_other, done)
        why = ConnectionLost(None, "this side sets another token", by_us=True)
        if self.session is not None and self.session.error is None:
            self.session.drop(why)
        else:
            swap.skips_waiting(why)
            self._retry_in = 0.0
            self._retry_now.set()
        await done._wait(timeout)
        await self._keep_token()

    async def _keep_token(self) -> None:
        if self.greeting is not None:
            await self._tokens.keep(self.greeting)
        if self._tokens.is_refreshed and not self._is_keeping_fresh:
            self._is_keeping_fresh = True
            self._background.add(self._tokens.keep_fresh)

    async def wait_closed(self) -> None:
        """Raises what ended the connection, unless this side closed it."""
        await self._ended.wait()
        if self._ended_by is not None and not is_our_close(self._ended_by):
            raise fresh(self._ended_by) from self._ended_by

    def check_open(self) -> None:
        """Raises what ended the connection for good."""
        if self._ended_by is not None:
            raise fresh(self._ended_by) from self._ended_by
        if self._closing.is_set():
            raise ConnectionClosed(None, "", by_us=True)

    def usable_session(self) -> Session:
        """Raises ConnectionClosed unless requests reach the server."""
        self.check_open()
        if self.session is None or not self.session.is_usable:
            state = self.states.current
            raise ConnectionLost(
                None, f"not sent: attempt {state.attempt} to reconnect has not succeeded yet"
            ) from state.error
        return self.session

    def send(self) -> None:
        """Send what was queued in the core; without a connection, once there is one."""
        if self.session is not None:
            self.session.send()

    def _start_closing(self) -> None:
        self._closing.set()
        self._retry_now.set()
        if self.session is not None:
            self.session.close()

    async def _run(self) -> None:
        """The background task: one session after the other."""
        try:
            while True:
                self._retry_now = Event()
                await self._one_session()
                if self._ended_by is not None:
                    return
                with anyio.move_on_after(self._retry_in):
                    await self._retry_now.wait()
                if self._closing.is_set():
                    return
        except Exception as fault:
            self._finish(self._explain.fault(fault))
        finally:
            self._finish(ConnectionClosed(None, "", by_us=True))

    async def _one_session(self) -> None:
        options = self._options
        session = self.session = Session(
            self._core,
            self._explain,
            self._prepare,
            self._on_event,
            # A capture is written after each event.
            None if options.capture else self._dispatcher.delivery,
            self._dispatcher.calls,
            self._on_session_end,
        )
        if self._closing.is_set():
            session.close()
        if options.capture is not None:
            options.capture.start_session()
        self._prepared = Event()
        beside = Background()
        if options.fit is None:
            self._compared.set()
        else:
            await beside.start(partial(self._compare, options.fit, session))
        try:
            await session.run(options.transport, options.endpoint, options.connect_timeout)
        finally:
            self.session = None
            self._dispatcher.calls.is_ready = False
            beside.cancel()
            with anyio.CancelScope(shield=True):
                await beside.wait()
            await beside.release()

    async def _compare(self, fit: Fit, session: Session) -> None:
        """The bindings with the database, while the session connects and goes on."""
        try:
            await self._prepared.wait()
            found = await fit.ask(self._options.transport, self._presented)
            self._dispatcher.calls.is_ready = False
            if found is None:
                return
            if fit.is_another_module(found):
                session.end(fit.another_module())
            else:
                self._core.refuse_rows(fit.refused_rows(found))
                session.look()
        finally:
            self._compared.set()

    async def _prepare(self) -> None:
        """The upgrade request of a session. Raises TokenUnavailable."""
        token = await self._tokens.for_attempt()
        if self._options.capture is not None:
            self._options.capture.hide(token)
        self._core.reconnect(token, self._swap is not None and self._swap.may_become_other)
        self._presented = token
        self._prepared.set()

    def _on_session_end(self, error: SpacetimeDBError) -> None:
        """At once, so that nobody takes a lost connection for a living one."""
        if self._options.capture is not None:
            self._options.capture.end_session(self._core, error)
        now = time.monotonic()
        if self.session is not None and self.session.is_greeted:
            self._failures, self._lost_at = 0, now
        self._failures += 1
        attempt = ReconnectAttempt(self._failures, error, now - self._lost_at)
        delay = self._delay(attempt)
        if delay is None:
            self._finish(error)
            return
        self._retry_in = delay
        self._dispatcher.lose(error)
        self._tell_attempt(attempt, delay)

    def _delay(self, attempt: ReconnectAttempt) -> float | None:
        """Seconds to wait before the attempt; None when there will be none."""
        if self._closing.is_set():
            return None
        if self._swap is not None and self._swap.skips_waiting(attempt.error):
            return 0.0
        policy = self._options.policy
        if policy is None or not is_temporary(attempt.error):
            return None
        if self.greeting is None and not getattr(policy, "first", False):
            return None
        try:
            return policy(attempt)
        except Exception as error:
            self._guard.report("the reconnect policy", policy, error)
            return None

    def _tell_attempt(self, attempt: ReconnectAttempt, delay: float) -> None:
        if self.greeting is None:
            status = ConnectionStatus.CONNECTING
        else:
            status = ConnectionStatus.RECONNECTING
        level = logging.INFO if is_our_close(attempt.error) else logging.WARNING
        connection_log.log(level, "%s; attempt %d in %.1f s", attempt.error, attempt.number, delay)
        self.states.set(ConnectionState(status, attempt.number, delay, attempt.error))
        self._tell(self._options.on_reconnecting, "on_reconnecting", attempt)

    def _on_event(self, event: CoreEvent) -> None:
        if isinstance(event, Connected):
            self._greet(event)
        elif isinstance(event, Closed):
            if self.session is not None:
                self.session.end(self._explain.closed(event))
        elif isinstance(event, CoreWarning):
            connection_log.warning("%s", self._explain.advised(event.message))
        else:
            self._dispatcher.dispatch(event)
            if isinstance(event, Resynced):
                away = time.monotonic() - self._lost_at
                attempt = self.states.current.attempt
                connection_log.info("reconnected after %.1f s by attempt %d", away, attempt)
                self.states.set(ConnectionState(ConnectionStatus.CONNECTED))
                if self._swap is not None:
                    self._swap.connected()
                    self._swap = None
                self._tell(self._options.on_reconnected, "on_reconnected")
        if self._options.capture is not None:
            self._options.capture.write(self._core)

    def _greet(self, greeting: Connected) -> None:
        is_first, self.greeting = self.greeting is None, greeting
        self._tokens.greeted(greeting.token)
        if self.session is not None:
            self.session.greet()
        if is_first:
            took, me = time.monotonic() - self._lost_at, greeting.identity
            version, place = self._core.protocol, self._explain.place
            connection_log.info(
                "connected to %s by %s in %.1f ms as %s", place, version, 1000 * took, me
            )
            self.states.set(ConnectionState(ConnectionStatus.CONNECTED))
            self._tell(self._options.on_connect, "on_connect", greeting.identity, greeting.token)
            self._greeted._resolve(None)

    def _finish(self, error: SpacetimeDBError) -> None:
        """There will be no other session. The first reason counts."""
        if self._ended_by is not None:
            return
        self._ended_by = error
        told = None if is_our_close(error) else error
        if told is None:
            connection_log.info("closed: %s", self._explain.place)
        else:
            connection_log.info("ended for good: %s: %s", self._explain.place, error)
        self.states.set(ConnectionState(ConnectionStatus.CLOSED, error=told))
        if self.greeting is None:
            self._greeted._fail(error)
        else:
            self._tell(self._options.on_disconnect, "on_disconnect", told)
        self._dispatcher.end(error)
        if self._swap is not None:
            self._swap.done._fail(error)
        self._ended.set()
        if self._options.capture is not None:
            self._options.capture.close()

    def _tell(self, callback: Callback | None, place: str, *args: object) -> None:
        if callback is not None:
            self._guard.call(place, callback, self._connection, *args)
