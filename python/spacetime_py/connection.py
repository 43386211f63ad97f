"""DbConnection, with which a program connects, subscribes and calls. What runs it is `link.py`."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, TypeVar, overload

import anyio
from typing_extensions import Self, Unpack

from ._core import Connected, ConnectionId, Identity, Module
from ._core import Connection as Core
from .addresses import from_environment, from_url
from .builder import DbConnectionBuilder
from .callbacks import Callback, Changes, Guard, check_callback
from .capture import CaptureFile
from .changes import Transaction
from .context import EventContext
from .conversion import all_into
from .debug import DebugView, summary
from .dispatch import Dispatcher
from .exceptions import CallTimeout, SpacetimeDBError
from .explain import Explain
from .fit import Fit
from .link import Link, LinkOptions
from .logs import subscription_log
from .options import AddressedOptions, ConnectionOptions, checked_seconds
from .query import Query, sql_of
from .queues import Overflow
from .reconnect import ReconnectAttempt, ReconnectPolicy, policy_of
from .reducer import Procedures, Reducers, new_calls
from .session import Session
from .sockets import network
from .state import ConnectionState, ConnectionStatus
from .stats import ConnectionStats, snapshot
from .stream import Elsewhere, Stream
from .subscription import Subscription, SubscriptionBuilder, SubscriptionHandle
from .table import Tables
from .token_source import TokenSource
from .tokens import Tokens
from .transport import TransportFactory, checked_headers, parse_uri

Row = TypeVar("Row")
Model = TypeVar("Model")


class DbConnection:
    """A connection to a database. Programs use the class of this name in their generated bindings.

    It connects on `async with` and closes at the block's end, once. A connection that is lost in
    between is made again (docs/topics/reconnect.md): rows, handles and callbacks stay. Callbacks
    may be registered before; cached rows stay readable after. It belongs to the event loop (asyncio
    or trio) and the thread that entered it: using it from another one is not supported.

    Args:
        uri: http://, https://, ws:// or wss://HOST[:PORT], or HOST:PORT.
        database: Name or identity of the database.
        token: What `token` gave on an earlier connection, to be the same identity; None: a new one.
            Or where to have it from: a `TokenStore`, which also keeps what the server gives, or a
            function, async or not, that is called at each attempt to connect.
        token_refresh: Seconds before a token expires at which a function is called for a newer one;
            None for never.
        reconnect: True for the back-off of `Reconnect()`, False for never, or a policy: a
            `Reconnect` or a function from `ReconnectAttempt` to seconds, None to give up.
        compression: What the server may use.
        protocols: The protocol versions that are offered; the server takes the newest it knows.
        confirmed_reads: Whether the server tells of changes only once they are on disk; None: as
            the server does by default (2.x: yes, 1.x: no).
        connect_timeout: Seconds until the server's greeting must be there; None for no limit.
        call_timeout: Seconds for the await of a call that has no `timeout` of its own.
        max_message_size: Bytes that one message may have, unpacked: all rows of a subscription
            come in one.
        ping_interval: Seconds of the server's silence before it is pinged; None for never.
        ping_timeout: Seconds until a ping must be answered, else the connection counts as lost;
            None for no limit.
        headers: Further headers of the upgrade request, for a proxy in front of the server say.
        ca_file: A file of PEM certificates to trust instead of the system's.
        ssl_context: For https:// and wss://; None for one that checks certificates.
        proxy: http://, socks5:// or socks5h://[USER:PASSWORD@]HOST[:PORT] to connect through; True
            for what the environment says (HTTPS_PROXY, ALL_PROXY, NO_PROXY), False for none. Takes
            the extra `proxy`.
        transport: Replaces the network, as `MemoryTransport` does in tests.
        on_connect: Called with (connection, identity, token).
        on_connect_error: Called with (connection, error) when entering fails; also raised.
        check_schema: Compare the bindings with the database while connecting, by one HTTP request
            beside: False for never. What differs is logged and refused when it is used.
        capture: A file to write all traffic to, for `spacetime-py replay`; tokens are left out.
        on_disconnect: Called with (connection, error) when it has ended for good; the error is None
            when this side closed.
        on_reconnecting: Called with (connection, attempt) when the connection was lost, and when an
            attempt has failed, before the next one is waited for.
        on_reconnected: Called with (connection) when the cache is up to date again.
        on_callback_error: Called with what a callback raised, after it was logged.

    Raises ValueError for a bad uri, database, token, proxy or number of seconds, TypeError for an
    async callback and for seconds that are no number, MissingExtra for a proxy without the extra.
    """

    _module: ClassVar[Module]
    _parts: ClassVar[tuple[type[Tables], type[Reducers], type[Procedures]]]
    # What wants to see each connection of the class: `otel.instrument`.
    _on_made: ClassVar[tuple[Callable[[DbConnection], object], ...]] = ()
    _remedies: ClassVar[Mapping[str, str]] = {}
    # Generated classes declare these with their own types.
    db: Any
    reducers: Any
    procedures: Any

    def __init__(
        self,
        *,
        uri: str,
        database: str,
        token: TokenSource = None,
        token_refresh: float | None = 60.0,
        reconnect: bool | ReconnectPolicy = True,
        compression: Literal["none", "gzip", "brotli"] = "gzip",
        protocols: Sequence[Literal["v3", "v2", "v1"]] = ("v3", "v2", "v1"),
        confirmed_reads: bool | None = None,
        connect_timeout: float | None = 10.0,
        call_timeout: float | None = None,
        max_message_size: int = 1 << 30,
        ping_interval: float | None = 20.0,
        ping_timeout: float | None = 20.0,
        headers: Mapping[str, str] | None = None,
        ca_file: str | Path | None = None,
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | bool = True,
        transport: TransportFactory | None = None,
        check_schema: bool = True,
        capture: str | Path | None = None,
        on_connect: Callable[[Any, Identity, str], object] | None = None,
        on_connect_error: Callable[[Any, SpacetimeDBError], object] | None = None,
        on_disconnect: Callable[[Any, SpacetimeDBError | None], object] | None = None,
        on_reconnecting: Callable[[Any, ReconnectAttempt], object] | None = None,
        on_reconnected: Callable[[Any], object] | None = None,
        on_callback_error: Callable[[Exception], object] | None = None,
    ) -> None:
        if not hasattr(self, "_module"):
            raise TypeError("use the DbConnection of bindings made by `spacetime-py generate`")
        if not database:
            raise ValueError("database is the name or identity of a database, not empty")
        endpoint = parse_uri(uri)
        headers = checked_headers(headers or {})
        self._on_connect_error = _checked(on_connect_error, "on_connect_error")
        self._guard = Guard(on_callback_error)
        token_refresh = checked_seconds("token_refresh", token_refresh)
        self._tokens = Tokens(token, endpoint.uri, token_refresh)
        self._explain = Explain(uri, database, self._tokens.secrets.hide, self._remedies)
        # A transport of the user's own leads to whatever it likes.
        self._fit: Fit | None = None
        if check_schema and transport is None:
            self._fit = Fit(self._module, endpoint, database, headers)
        self._options = LinkOptions(
            endpoint=endpoint,
            transport=transport or network(endpoint, ca_file, ssl_context, proxy),
            connect_timeout=checked_seconds("connect_timeout", connect_timeout),
            policy=policy_of(reconnect),
            fit=self._fit,
            capture=CaptureFile(capture, database, protocols, headers, max_message_size)
            if capture
            else None,
            tokens=self._tokens,
            on_connect=_checked(on_connect, "on_connect"),
            on_disconnect=_checked(on_disconnect, "on_disconnect"),
            on_reconnecting=_checked(on_reconnecting, "on_reconnecting"),
            on_reconnected=_checked(on_reconnected, "on_reconnected"),
        )
        self._core = Core(
            self._module,
            authority=endpoint.authority,
            database=database,
            headers=list(headers.items()),
            protocols=protocols,
            compression=compression,
            confirmed_reads=confirmed_reads,
            max_message_size=max_message_size,
            ping_interval=checked_seconds("ping_interval", ping_interval),
            ping_timeout=checked_seconds("ping_timeout", ping_timeout),
        )
        # What callbacks are given as the connection: the facade, if there is one.
        self._face: object = self
        call_timeout = checked_seconds("call_timeout", call_timeout)
        self._calls = new_calls(self._core, call_timeout, self._prepare)
        self._dispatcher = Dispatcher(self, self._module, self._guard, self._calls)
        tables, reducers, procedures = self._parts
        self.db = tables(self._core, self._dispatcher.rows)
        self.reducers = reducers(self._calls.call_reducer)
        self.procedures = procedures(self._calls.call_procedure)
        self._link: Link | None = None
        for on_made in self._on_made:
            on_made(self)

    @classmethod
    def builder(cls) -> DbConnectionBuilder[Self]:
        """The constructor's options in the style of SpacetimeDB's other SDKs."""
        return DbConnectionBuilder(cls)

    @classmethod
    def from_url(cls, url: str, **options: Unpack[ConnectionOptions]) -> Self:
        """From https://HOST[:PORT]/DATABASE?OPTION=VALUE&..., as in `?compression=brotli`.

        What is given here wins over what the URL says. Raises ValueError with the part of the URL
        that is wrong; see docs/topics/addresses.md for its options.
        """
        found: dict[str, Any] = {**from_url(url), **options}
        return cls(**found)

    @classmethod
    def from_env(cls, **options: Unpack[AddressedOptions]) -> Self:
        """From SPACETIMEDB_URI, SPACETIMEDB_DATABASE and SPACETIMEDB_TOKEN (may be missing).

        What is given here wins over the environment. Raises ValueError with the variable that is
        missing or wrong.
        """
        return cls(**from_environment(dict(options)))

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

        The newest one, where a function gives tokens. Raises RuntimeError before the connection is
        made.
        """
        greeted = self._greeting().token
        return self._tokens.current or greeted

    @property
    def is_active(self) -> bool:
        """Whether it can be used: it is `CONNECTED`, and is not being closed."""
        return self._link is not None and self._link.is_active

    @property
    def protocol(self) -> str | None:
        """The version that the server chose: "v3", "v2" or "v1"; None before the connection."""
        return self._core.protocol

    @property
    def state(self) -> ConnectionState:
        """What it is doing."""
        if self._link is None:
            return ConnectionState(ConnectionStatus.CONNECTING)
        return self._link.states.current

    @property
    def stats(self) -> ConnectionStats:
        """What it has done so far, in numbers. May be taken from any thread."""
        return snapshot(self._core, self._dispatcher, self._guard)

    def debug(self) -> DebugView:
        """State, subscriptions, tables, calls and numbers, to be printed. It holds no token."""
        return DebugView(self)

    def __repr__(self) -> str:
        return summary(self)

    def states(self) -> AsyncIterator[ConnectionState]:
        """The state of now and every later one; the last is `CLOSED`."""
        return self._entered().states.listen()

    async def wait_connected(self, timeout: float | None = None) -> None:
        """Return once it is `CONNECTED`, at once if it is. `timeout` in seconds.

        Raises CallTimeout, and what ended the connection for good.
        """
        link = self._entered()
        with anyio.move_on_after(timeout):
            async for state in link.states.listen():
                if state.status is ConnectionStatus.CONNECTED:
                    return
            link.check_open()
        raise CallTimeout(f"there was no connection within {timeout or 0:g} s")

    async def subscribe(
        self, *queries: str | Query[Any, Any], timeout: float | None = None
    ) -> SubscriptionHandle:
        """Subscribe to queries, and wait until their rows are cached and callbacks have run.

        Queries are SQL, or built with `query` of the generated package.
        `timeout` in seconds. When it ends, or the await is cancelled, the subscription ends as
        well, since nobody holds its handle: `subscription_builder()` gives it without waiting.
        While the connection is being made again, it waits for that.
        Raises SubscriptionError, CallTimeout, ConnectionClosed; ValueError without a query.
        """
        handle = self._subscribe(tuple(map(sql_of, queries)), (), ())
        try:
            await handle.applied(timeout)
        except BaseException:
            handle._abandon()
            raise
        return handle

    @overload
    async def query(self, query: str, *, timeout: float | None = None) -> list[Any]: ...

    @overload
    async def query(self, query: Query[Row, Any], *, timeout: float | None = None) -> list[Row]: ...

    @overload
    async def query(
        self, query: str | Query[Any, Any], *, into: type[Model], timeout: float | None = None
    ) -> list[Model]: ...

    async def query(
        self,
        query: str | Query[Any, Any],
        *,
        into: type[Any] | None = None,
        timeout: float | None = None,
    ) -> list[Any]:
        """The rows that one SQL query finds now, without subscribing; the cache is not touched.

        The query is `SELECT * FROM table [WHERE ...]`, as for subscriptions. `timeout` in seconds.
        `into`: a class of your own to make of each row, as `spacetime_py.into` does.
        Raises QueryError, CallTimeout, ConnectionClosed; ConversionError.
        """
        rows = await self._calls.query(sql_of(query), timeout)
        return rows if into is None else all_into(rows, into)

    async def set_token(
        self, token: TokenSource, *, new_identity: bool = False, timeout: float | None = None
    ) -> None:
        """Connect again with this token, and return when the cache is up to date.

        Cache, subscriptions and callbacks stay, as on any reconnect; calls in flight raise
        ConnectionLost. A token that the server refuses, or that is another identity's, is given up
        for the one before, which raises once that stands again: AuthenticationError,
        IdentityChanged, TokenUnavailable.

        Args:
            token: As in the constructor; None to become somebody new.
            new_identity: Whether the token may be another identity's. Rows are then those that it
                may see, and callbacks hear the difference.
            timeout: Seconds to wait. The attempts go on after it.

        Raises also CallTimeout, ConnectionClosed, CredentialsError; ValueError for None without
        `new_identity`.
        """
        link = self._entered()
        link.check_open()
        self._greeting()
        if token is None and not new_identity:
            raise ValueError("without a token the identity is a new one: new_identity=True")
        await link.set_token(token, new_identity, timeout)

    def on_transaction(
        self, callback: Callable[[EventContext[Any], Changes], object]
    ) -> Callable[[EventContext[Any], Changes], object]:
        """Call `callback(context, changes)` once for each message that changed rows, after the
        callbacks of its rows.

        Returns the callback, so that it works as a decorator. Raises TypeError for an async one.
        """
        self._dispatcher.on_transaction.add(callback)
        return callback

    def remove_on_transaction(self, callback: Callable[..., object]) -> None:
        """Undo one `on_transaction`. Raises ValueError when the callback is not registered."""
        self._dispatcher.on_transaction.remove(callback)

    def transactions(
        self, *, size: int = 1000, overflow: Overflow = "error"
    ) -> Stream[Transaction]:
        """A stream of what `on_transaction` is called for, from now on.

        Of at most `size` transactions that wait to be read. One more ends the stream with
        StreamOverflow, or costs the oldest with `overflow="drop_oldest"`.
        """
        return self._dispatcher.transactions.open(size, overflow, None)

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
        SchemaMismatchError; CredentialsError when the store given as `token` cannot keep one;
        OSError when the `capture` cannot be written.
        """
        if self._link is not None:
            raise RuntimeError("a connection is entered once: make a new one")
        link = self._link = Link(
            self._face, self._core, self._dispatcher, self._guard, self._explain, self._options
        )
        try:
            await link.open()
        except SpacetimeDBError as error:
            if self._on_connect_error is not None:
                self._guard.call("on_connect_error", self._on_connect_error, self._face, error)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._entered().leave(orderly=exc is None or isinstance(exc, Exception))

    def _lend(self, face: object, elsewhere: Elsewhere) -> None:
        """To a facade for other threads; `elsewhere` is the thread that will enter this."""
        if self._link is not None or self._face is not self:
            raise RuntimeError("a connection is used once: make a new one")
        self._face = face
        self._dispatcher.lend(face, elsewhere)

    def _prepare(self, kind: str, name: str) -> None:
        """Raises what keeps a call from being made."""
        if self._fit is not None and self._fit.found:
            self._fit.check_call(kind, name)
        self._usable()
        self._calls.is_ready = self._fit is None or not self._fit.found

    def _subscribe(
        self,
        queries: tuple[str, ...],
        on_applied: tuple[Callback, ...],
        on_error: tuple[Callback, ...],
    ) -> SubscriptionHandle:
        link = self._entered()
        link.check_open()
        self._greeting()
        if not queries:
            raise ValueError("subscribe() takes at least one query: 'SELECT * FROM message'")
        subscription_log.debug("subscribing: %s", queries)
        subscription = Subscription(queries, on_applied, on_error, self._dispatcher.new_pending)
        query_set = self._core.subscribe(queries)
        self._dispatcher.subscriptions[query_set] = subscription
        link.send()
        return SubscriptionHandle(subscription, partial(self._unsubscribe, query_set))

    def _unsubscribe(self, query_set: int) -> None:
        link = self._entered()
        link.check_open()
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

    def _usable(self) -> Session:
        link = self._entered()
        link.check_open()
        self._greeting()
        return link.usable_session()


def _checked(callback: Callable[..., object] | None, place: str) -> Callback | None:
    if callback is not None:
        check_callback(callback, place)
    return callback


def _not_connected() -> RuntimeError:
    return RuntimeError("not connected: enter it, `async with DbConnection(...) as connection:`")
