"""The synchronous connection: the async one, in the thread of `thread.py`, seen from another."""

from __future__ import annotations

import atexit
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Literal, Protocol, TypeVar, cast, overload

from typing_extensions import Self

from .. import dynamic
from .._core import ConnectionId, Identity
from ..callbacks import Changes
from ..changes import Transaction
from ..connection import DbConnection
from ..context import EventContext
from ..conversion import all_into
from ..debug import DebugView
from ..query import Query
from ..queues import Overflow
from ..reducer import Call, ProcedureCall, ReducerCall
from ..state import ConnectionState
from ..stats import ConnectionStats
from ..stream import Stream
from ..token_source import TokenSource
from .subscription import SyncSubscriptionBuilder, SyncSubscriptionHandle
from .thread import shared_thread, stop_shared_thread

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
_C = TypeVar("_C", bound=DbConnection)
_C_co = TypeVar("_C_co", covariant=True)


class _HasDb(Protocol[_T_co]):
    @property
    def db(self) -> _T_co: ...


class _HasReducers(Protocol[_T_co]):
    @property
    def reducers(self) -> _T_co: ...


class _HasProcedures(Protocol[_T_co]):
    @property
    def procedures(self) -> _T_co: ...


@overload
def connect(
    connection: _C, *, callbacks: Literal["thread", "frame_tick"] = "thread"
) -> SyncConnection[_C]: ...


@overload
def connect(
    connection: str,
    database: str,
    *,
    callbacks: Literal["thread", "frame_tick"] = "thread",
    **options: Any,
) -> SyncConnection[dynamic.DynamicConnection]: ...


def connect(
    connection: Any,
    database: str | None = None,
    *,
    callbacks: Literal["thread", "frame_tick"] = "thread",
    **options: Any,
) -> SyncConnection[Any]:
    """Connect, and return when the server has greeted; `close()` or a `with` ends it.

    Args:
        connection: Not entered yet: `DbConnection(uri=..., database=...)` of the generated package.
            Or, without one, address and name of the database, and options as those of
            `spacetime_py.connect`.
        callbacks: "thread": they run in the background thread, at once. "frame_tick": they wait
            until the program calls `frame_tick()`, and run in its thread.

    Raises what entering the connection raises: ConnectError and its kinds, ProtocolError.
    """
    if callbacks not in ("thread", "frame_tick"):
        raise ValueError(f"callbacks is 'thread' or 'frame_tick', not {callbacks!r}")
    if isinstance(connection, str):
        if database is None:
            raise TypeError("connect(uri, database) takes the name of the database as well")
        connection = dynamic.connection(connection, database, **options)
    elif database is not None or options:
        given = ", ".join(options) or "database"
        raise TypeError(f"{given}: the options of a connection are given to its DbConnection")
    made = SyncConnection(connection, is_ticked=callbacks == "frame_tick")
    made._open()
    return made


class SyncConnection(Generic[_C_co]):
    """A connection whose methods return when it is done. Made by `connect()`.

    It may be used from any thread. Cached rows are read without waiting. Callbacks must not wait:
    what they call is sent, and subscribing takes the builder.
    """

    def __init__(self, connection: _C_co, *, is_ticked: bool) -> None:
        inner = self._inner = cast(DbConnection, connection)
        self._thread = shared_thread()
        inner._lend(self, self._thread)
        self._queue = inner._guard.queue = deque() if is_ticked else None
        self._db = inner.db
        self._reducers = type(inner.reducers)(self._call_reducer)
        self._sending = type(inner.reducers)(self._send_reducer)
        self._procedures = type(inner.procedures)(self._call_procedure)

    @property
    def db(self: SyncConnection[_HasDb[_T]]) -> _T:
        """The tables, as those of an async connection."""
        return cast(_T, self._db)

    @property
    def reducers(self: SyncConnection[_HasReducers[_T]]) -> _T:
        """The reducers. A call returns when it is committed and its row callbacks have run.

        It raises what awaiting it would: SenderError, InternalError, CallTimeout, ConnectionClosed.
        In a callback it returns at once. `.result()` has the value of a reducer that gives one.
        """
        return cast(_T, self._reducers)

    @property
    def send(self: SyncConnection[_HasReducers[_T]]) -> _T:
        """The reducers again: a call is sent and returns at once. `wait(call)` gives its outcome.

        The failure of a call that nobody waits for is logged.
        """
        return cast(_T, self._sending)

    @property
    def procedures(self: SyncConnection[_HasProcedures[_T]]) -> _T:
        """The procedures. A call returns when it is done; `.result()` has its value."""
        return cast(_T, self._procedures)

    @property
    def identity(self) -> Identity:
        """This client's identity."""
        return self._inner.identity

    @property
    def connection_id(self) -> ConnectionId:
        return self._inner.connection_id

    @property
    def token(self) -> str:
        """The secret that proves `identity`: keep it to be the same one again."""
        return self._inner.token

    @property
    def is_active(self) -> bool:
        """Whether it can be used: it is `CONNECTED`, and is not being closed."""
        return self._inner.is_active

    @property
    def protocol(self) -> str | None:
        """The version that the server chose: "v3", "v2" or "v1"."""
        return self._inner.protocol

    @property
    def state(self) -> ConnectionState:
        """What it is doing."""
        return self._inner.state

    @property
    def stats(self) -> ConnectionStats:
        """What it has done so far, in numbers."""
        return self._inner.stats

    def debug(self) -> DebugView:
        """State, subscriptions, tables, calls and numbers, to be printed. It holds no token."""
        return self._inner.debug()

    def __repr__(self) -> str:
        return repr(self._inner)

    def states(self) -> Iterator[ConnectionState]:
        """The state of now and every later one, waited for; the last is `CLOSED`."""
        states = self._thread.call(self._inner.states)
        with suppress(StopAsyncIteration):
            while True:
                # A coroutine is what a task takes, and `__anext__` may be any awaitable.
                yield self._thread.run(lambda: _awaited(states.__anext__))

    def subscribe(
        self, *queries: str | Query[Any, Any], timeout: float | None = None
    ) -> SyncSubscriptionHandle:
        """Subscribe to queries, and wait until their rows are cached and callbacks have run.

        `timeout` in seconds. Raises SubscriptionError, CallTimeout, ConnectionClosed; ValueError
        without a query, RuntimeError in a callback.
        """
        handle = self._thread.run(lambda: self._inner.subscribe(*queries, timeout=timeout))
        return SyncSubscriptionHandle(handle, self._thread)

    def subscription_builder(self) -> SyncSubscriptionBuilder:
        """Subscribe without waiting."""
        return SyncSubscriptionBuilder(self._inner.subscription_builder(), self._thread)

    @overload
    def query(self, query: str, *, timeout: float | None = None) -> list[Any]: ...

    @overload
    def query(self, query: Query[_T, Any], *, timeout: float | None = None) -> list[_T]: ...

    @overload
    def query(
        self, query: str | Query[Any, Any], *, into: type[_T], timeout: float | None = None
    ) -> list[_T]: ...

    def query(
        self, query: Any, *, into: type[Any] | None = None, timeout: float | None = None
    ) -> list[Any]:
        """The rows that one query finds now, without subscribing; the cache is not touched.

        `timeout` in seconds. `into`: a class of your own to make of each row. Raises QueryError,
        CallTimeout, ConnectionClosed; ConversionError.
        """
        rows = self._thread.run(lambda: self._inner.query(query, timeout=timeout))
        return rows if into is None else all_into(rows, into)

    def wait(self, call: Call[_T], timeout: float | None = None) -> _T:
        """The outcome of a call that was sent. `timeout` in seconds. Raises as awaiting it does."""
        return self._thread.run(lambda: call._wait(timeout))

    def read(self, function: Callable[[], _T]) -> _T:
        """Run it between two messages, so that all rows that it reads belong together.

        It runs in the background thread, and everything else waits for it.
        """
        return self._thread.call(function)

    def transactions(
        self, *, size: int = 1000, overflow: Overflow = "error"
    ) -> Stream[Transaction]:
        """A stream of the transactions from now on, to be read by `for`. See `DbConnection`."""
        return self._inner.transactions(size=size, overflow=overflow)

    def on_transaction(
        self, callback: Callable[[EventContext[Any], Changes], object]
    ) -> Callable[[EventContext[Any], Changes], object]:
        """Call `callback(context, changes)` once for each message that changed rows."""
        return self._inner.on_transaction(callback)

    def remove_on_transaction(self, callback: Callable[..., object]) -> None:
        """Undo one `on_transaction`. Raises ValueError when the callback is not registered."""
        self._inner.remove_on_transaction(callback)

    def frame_tick(self, budget: float | None = None) -> int:
        """Run callbacks that wait, in this thread, and tell how many are left.

        Those that wait when it is called, in their order. When `budget` seconds are used up, no
        further one is begun; one runs at least. Rows in the cache may be newer than what a callback
        is told. Also after the end of the connection, for what came until then.

        Raises RuntimeError unless connected with `callbacks="frame_tick"`.
        """
        queue = self._queue
        if queue is None:
            raise RuntimeError('connect(..., callbacks="frame_tick") to run callbacks yourself')
        began = time.perf_counter_ns()
        end = None if budget is None else began + 1e9 * budget
        for _ in range(len(queue)):
            try:
                place, callback, args = queue.popleft()
            except IndexError:  # another thread ticks as well
                break
            self._inner._guard.call_now(place, callback, *args)
            if end is not None and time.perf_counter_ns() >= end:
                break
        self._inner._core.add_frame(time.perf_counter_ns() - began)
        return len(queue)

    def set_token(
        self, token: TokenSource, *, new_identity: bool = False, timeout: float | None = None
    ) -> None:
        """Connect again with this token, and return when the cache is up to date.

        Cache, subscriptions and callbacks stay. See `DbConnection.set_token`, and for what it
        raises; RuntimeError in a callback.
        """
        self._thread.run(
            lambda: self._inner.set_token(token, new_identity=new_identity, timeout=timeout)
        )

    def wait_connected(self, timeout: float | None = None) -> None:
        """Return once it is `CONNECTED`. `timeout` in seconds.

        Raises CallTimeout, and what ended the connection for good.
        """
        self._thread.run(lambda: self._inner.wait_connected(timeout))

    def wait_closed(self) -> None:
        """Return when this side has closed. Raises what ended the connection otherwise."""
        self._thread.run(self._inner.wait_closed)

    def close(self) -> None:
        """Close in order; waits up to 2 s for the server. Leaving `with` does the same."""
        self.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.run(lambda: self._inner.__aexit__(exc_type, exc, traceback))
        _open.discard(self)

    def _open(self) -> None:
        try:
            self._thread.run(self._inner.__aenter__)
        except BaseException:
            if self._queue is not None:
                self.frame_tick()  # on_connect_error: nobody has the connection to do it
            raise
        _open.add(self)

    def _call_reducer(
        self, name: str, args: Sequence[object], timeout: float | None
    ) -> ReducerCall[Any]:
        call = self._send_reducer(name, args, timeout)
        if not self._thread.is_here:
            self._thread.run(call._wait)
        return call

    def _send_reducer(
        self, name: str, args: Sequence[object], timeout: float | None
    ) -> ReducerCall[Any]:
        return self._thread.call(lambda: self._inner._calls.call_reducer(name, args, timeout))

    def _call_procedure(
        self, name: str, args: Sequence[object], timeout: float | None
    ) -> ProcedureCall[Any]:
        call = self._thread.call(lambda: self._inner._calls.call_procedure(name, args, timeout))
        if not self._thread.is_here:
            self._thread.run(call._wait)
        return call


async def _awaited(start: Callable[[], Any]) -> Any:
    return await start()


_open: weakref.WeakSet[SyncConnection[Any]] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """What the program left open, so that the server hears of it and the thread ends in order."""
    for connection in list(_open):
        with suppress(Exception):
            connection.close()
    stop_shared_thread()
