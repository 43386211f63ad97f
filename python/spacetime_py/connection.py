"""DbConnection, with which a program connects, subscribes and calls. What runs it is `link.py`."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, ClassVar, Literal

from typing_extensions import Self

from ._core import Connected, ConnectionId, Identity, Module
from ._core import Connection as Core
from .builder import DbConnectionBuilder
from .callbacks import Callback, Guard, check_callback
from .dispatch import Dispatcher
from .exceptions import SpacetimeDBError
from .explain import Explain
from .link import Link
from .pending import Pending
from .reducer import ProcedureCall, Procedures, ReducerCall, Reducers
from .sockets import socket_transport
from .subscription import Subscription, SubscriptionBuilder, SubscriptionHandle
from .table import Tables
from .transport import TransportFactory, parse_uri


class DbConnection:
    """A connection to a database. Programs use the class of this name in their generated bindings.

    It connects on `async with` and closes at the block's end, once. Callbacks may be registered
    before; cached rows stay readable after. It belongs to the event loop (asyncio or trio) and the
    thread that entered it: using it from another one is not supported.

    Args:
        uri: http://, https://, ws:// or wss://HOST[:PORT], or HOST:PORT.
        database: Name or identity of the database.
        token: What `token` gave on an earlier connection, to be the same identity; None: a new one.
        compression: What the server may use.
        connect_timeout: Seconds until the server's greeting must be there; None for no limit.
        call_timeout: Seconds for the await of a call that has no `timeout` of its own.
        max_message_size: Bytes that one message may have, unpacked: all rows of a subscription
            come in one.
        ssl_context: For https:// and wss://; None for the system's certificates.
        transport: Replaces the network, as `MemoryTransport` does in tests.
        on_connect: Called with (connection, identity, token).
        on_connect_error: Called with (connection, error) when entering fails; also raised.
        on_disconnect: Called with (connection, error); the error is None when this side closed.
        on_callback_error: Called with what a callback raised, after it was logged.

    Raises ValueError for a bad uri, database or token, TypeError for an async callback.
    """

    _module: ClassVar[Module]
    _parts: ClassVar[tuple[type[Tables], type[Reducers], type[Procedures]]]
    # Generated classes declare these with their own types.
    db: Any
    reducers: Any
    procedures: Any

    def __init__(
        self,
        *,
        uri: str,
        database: str,
        token: str | None = None,
        compression: Literal["none", "gzip", "brotli"] = "gzip",
        connect_timeout: float | None = 10.0,
        call_timeout: float | None = None,
        max_message_size: int = 1 << 30,
        ssl_context: ssl.SSLContext | None = None,
        transport: TransportFactory | None = None,
        on_connect: Callable[[Any, Identity, str], object] | None = None,
        on_connect_error: Callable[[Any, SpacetimeDBError], object] | None = None,
        on_disconnect: Callable[[Any, SpacetimeDBError | None], object] | None = None,
        on_callback_error: Callable[[Exception], object] | None = None,
    ) -> None:
        if not hasattr(self, "_module"):
            raise TypeError("use the DbConnection of bindings made by `spacetime-py generate`")
        if not database:
            raise ValueError("database is the name or identity of a database, not empty")
        self._endpoint = parse_uri(uri)
        self._connect_timeout = connect_timeout
        self._call_timeout = call_timeout
        self._open_transport = transport or partial(socket_transport, ssl_context=ssl_context)
        self._on_connect = _checked(on_connect, "on_connect")
        self._on_connect_error = _checked(on_connect_error, "on_connect_error")
        self._on_disconnect = _checked(on_disconnect, "on_disconnect")
        self._guard = Guard(on_callback_error)
        self._explain = Explain(uri, database)
        self._core = Core(
            self._module,
            authority=self._endpoint.authority,
            database=database,
            token=token,
            compression=compression,
            max_message_size=max_message_size,
        )
        self._dispatcher = Dispatcher(self, self._core, self._module, self._guard)
        tables, reducers, procedures = self._parts
        self.db = tables(self._core, self._dispatcher.rows)
        self.reducers = reducers(self._call_reducer)
        self.procedures = procedures(self._call_procedure)
        self._link: Link | None = None

    @classmethod
    def builder(cls) -> DbConnectionBuilder[Self]:
        """The constructor's options in the style of SpacetimeDB's other SDKs."""
        return DbConnectionBuilder(cls)

    @property
    def identity(self) -> Identity:
        """This client's identity. Raises RuntimeError before the connection is made."""
        return self._greeting().identity

    @property
    def connection_id(self) -> ConnectionId:
        """Raises RuntimeError before the connection is made."""
        return self._greeting().connection_id

    @property
    def token(self) -> str:
        """The secret that proves `identity`: keep it to be the same one again.

        Raises RuntimeError before the connection is made.
        """
        return self._greeting().token

    @property
    def is_active(self) -> bool:
        """Whether it can be used: the server has greeted, and neither side has closed."""
        return self._link is not None and self._link.is_active

    async def subscribe(self, *queries: str, timeout: float | None = None) -> SubscriptionHandle:
        """Subscribe to SQL queries, and wait until their rows are cached and callbacks have run.

        `timeout` in seconds. When it ends, or the await is cancelled, the subscription goes on:
        use `subscription_builder()` to have its handle in that case.
        Raises SubscriptionError, CallTimeout, ConnectionClosed; ValueError without a query.
        """
        handle = self._subscribe(queries, (), ())
        await handle.applied(timeout)
        return handle

    def subscription_builder(self) -> SubscriptionBuilder:
        """Subscribe without waiting."""
        return SubscriptionBuilder(self._subscribe)

    async def close(self) -> None:
        """Close in order; waits up to 2 s for the server. Leaving `async with` does the same.

        Every await on this connection ends with ConnectionClosed.
        """
        await self._entered().close()

    async def wait_closed(self) -> None:
        """Return when this side has closed.

        Raises what ended the connection otherwise: ConnectionClosed, ConnectionLost, ProtocolError.
        """
        await self._entered().wait_closed()

    async def __aenter__(self) -> Self:
        """Connect.

        Raises ConnectError (HandshakeRejected, AuthenticationError, ConnectTimeout), ProtocolError,
        SchemaMismatchError.
        """
        if self._link is not None:
            raise RuntimeError("a connection is entered once: make a new one")
        link = self._link = Link(
            self,
            self._core,
            self._dispatcher,
            self._guard,
            self._explain,
            self._on_connect,
            self._on_disconnect,
        )
        try:
            await link.open(self._open_transport, self._endpoint, self._connect_timeout)
        except SpacetimeDBError as error:
            if self._on_connect_error is not None:
                self._guard.call("on_connect_error", self._on_connect_error, self, error)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._entered().leave(orderly=exc is None or isinstance(exc, Exception))

    def _call_reducer(
        self, name: str, args: Sequence[object], timeout: float | None
    ) -> ReducerCall:
        link = self._usable()
        pending: Pending[None] = Pending("reducer", name, link.new_event)
        self._dispatcher.calls[self._core.call_reducer(name, args)] = pending
        link.send()
        return ReducerCall(pending, self._call_timeout if timeout is None else timeout)

    def _call_procedure(
        self, name: str, args: Sequence[object], timeout: float | None
    ) -> ProcedureCall[Any]:
        link = self._usable()
        pending: Pending[Any] = Pending("procedure", name, link.new_event)
        self._dispatcher.calls[self._core.call_procedure(name, args)] = pending
        link.send()
        return ProcedureCall(pending, self._call_timeout if timeout is None else timeout)

    def _subscribe(
        self,
        queries: tuple[str, ...],
        on_applied: tuple[Callback, ...],
        on_error: tuple[Callback, ...],
    ) -> SubscriptionHandle:
        link = self._usable()
        if not queries:
            raise ValueError("subscribe() takes at least one query: 'SELECT * FROM message'")
        subscription = Subscription(queries, link.new_event, on_applied, on_error)
        query_set = self._core.subscribe(queries)
        self._dispatcher.subscriptions[query_set] = subscription
        link.send()
        return SubscriptionHandle(subscription, partial(self._unsubscribe, query_set))

    def _unsubscribe(self, query_set: int) -> None:
        link = self._usable()
        self._core.unsubscribe(query_set)
        link.send()

    def _entered(self) -> Link:
        if self._link is None:
            raise _not_connected()
        return self._link

    def _greeting(self) -> Connected:
        greeting = self._entered().greeting
        if greeting is None:
            raise _not_connected()
        return greeting

    def _usable(self) -> Link:
        link = self._entered()
        link.check_usable()
        if link.greeting is None:
            raise _not_connected()
        return link


def _checked(callback: Callable[..., object] | None, place: str) -> Callback | None:
    if callback is not None:
        check_callback(callback, place)
    return callback


def _not_connected() -> RuntimeError:
    return RuntimeError("not connected: enter it, `async with DbConnection(...) as connection:`")
