"""The Rust core: BSATN, WebSocket and SpacetimeDB protocol, row cache. No sockets, clocks or
threads.

What users meet is re-exported by `spacetime_py`; generated code uses `spacetime_py.bindings`.
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextvars import Context
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, Generic, Literal, Protocol, TypeVar, final

from typing_extensions import Buffer, Self, dataclass_transform, disjoint_base

from .context import Event as _ContextEvent
from .event_loop import Event as _WaitEvent
from .pending import Failure as _Failure
from .pending import Pending as _Pending
from .pending import Watch as _Watch
from .reducer import ProcedureCall as _ProcedureCall
from .reducer import ReducerCall as _ReducerCall

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
_C_co = TypeVar("_C_co", covariant=True)
_E = TypeVar("_E", bound=Enum)

__version__: Final[str]

@final
class Identity:
    """A user or database: 256 bits. `str()` is 64 hex digits, as in every SpacetimeDB tool."""

    def __new__(cls, hex: str) -> Identity:
        """From 64 hex digits, `0x` allowed. Raises ValueError."""

    @staticmethod
    def from_bytes(data: bytes) -> Identity:
        """From 32 bytes, most significant first. Raises ValueError."""

    @property
    def hex(self) -> str: ...
    def __bytes__(self) -> bytes: ...
    def __int__(self) -> int: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __lt__(self, other: Identity, /) -> bool: ...
    def __le__(self, other: Identity, /) -> bool: ...
    def __gt__(self, other: Identity, /) -> bool: ...
    def __ge__(self, other: Identity, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class ConnectionId:
    """One connection of a client: 128 bits. `str()` is 32 hex digits."""

    def __new__(cls, hex: str) -> ConnectionId:
        """From 32 hex digits, `0x` allowed. Raises ValueError."""

    @staticmethod
    def from_bytes(data: bytes) -> ConnectionId:
        """From 16 bytes, most significant first. Raises ValueError."""

    @property
    def hex(self) -> str: ...
    def __bytes__(self) -> bytes: ...
    def __int__(self) -> int: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __lt__(self, other: ConnectionId, /) -> bool: ...
    def __le__(self, other: ConnectionId, /) -> bool: ...
    def __gt__(self, other: ConnectionId, /) -> bool: ...
    def __ge__(self, other: ConnectionId, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class TimeDuration:
    """A signed span of time in whole microseconds."""

    def __new__(cls, micros: int) -> TimeDuration:
        """From microseconds, a signed 64-bit number. Raises OverflowError."""

    @staticmethod
    def from_timedelta(delta: timedelta) -> TimeDuration: ...
    def to_timedelta(self) -> timedelta:
        """Raises OverflowError where timedelta ends (about 2.7 million years)."""

    @property
    def micros(self) -> int: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __lt__(self, other: TimeDuration, /) -> bool: ...
    def __le__(self, other: TimeDuration, /) -> bool: ...
    def __gt__(self, other: TimeDuration, /) -> bool: ...
    def __ge__(self, other: TimeDuration, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Timestamp:
    """A moment: microseconds since 1970-01-01 UTC, a signed 64-bit number."""

    def __new__(cls, micros: int) -> Timestamp:
        """From microseconds since 1970-01-01 UTC. Raises OverflowError."""

    @staticmethod
    def from_datetime(moment: datetime) -> Timestamp:
        """From an aware datetime. Raises ValueError for a naive one."""

    def to_datetime(self) -> datetime:
        """The moment in UTC. Raises OverflowError outside of the years 1 to 9999."""

    @property
    def micros(self) -> int: ...
    def __hash__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __lt__(self, other: Timestamp, /) -> bool: ...
    def __le__(self, other: Timestamp, /) -> bool: ...
    def __gt__(self, other: Timestamp, /) -> bool: ...
    def __ge__(self, other: Timestamp, /) -> bool: ...
    def __reduce__(self) -> tuple[Any, ...]: ...

@final
class Module:
    """A module's schema, compiled once: types, tables, reducers, procedures."""

    def __new__(cls, description: bytes) -> Module:
        """From a BSATN RawModuleDef (version 10), as `spacetime-py generate` writes it.

        Raises SchemaMismatchError.
        """

    @property
    def table_names(self) -> list[str]:
        """In the order of the numbers by which `TableDiff.table` names a table."""

    @property
    def parts(self) -> int:
        """The number of tables, reducers and procedures."""

    def misfits(self, schema: str) -> list[tuple[str, str, str, bool]]:
        """What is not so in the database that serves `schema` (JSON).

        Of each part the kind ("table", "reducer", "procedure"), the name, the problem in words, and
        whether the database has no such part. Raises CodegenError, SchemaMismatchError.
        """

@dataclass_transform(eq_default=True, frozen_default=True)
def product(module: Module, ref: int) -> Callable[[type[_T]], type[_T]]:
    """Decorator of a class with annotations only: builds the class of product type `ref` of the
    typespace.

    Instances are immutable BSATN bytes, decoded field by field on access.
    """

@dataclass_transform(eq_default=True, frozen_default=True)
def variant(module: Module, ref: int, tag: int) -> Callable[[type[_T]], type[_T]]:
    """Decorator of one variant of sum type `ref`.

    No annotation for a unit payload, else one named `value`.
    """

def plain_enum(module: Module, ref: int) -> Callable[[type[_E]], type[_E]]:
    """Decorator that ties an Enum to sum type `ref`.

    Its values are the tags; no variant of the type has a payload.
    """

def to_bsatn(value: object) -> bytes:
    """The BSATN of an instance of a generated class, or of a list of rows of one class: an array.

    Of a variant, that of its sum type. Raises TypeError.
    """

def from_bsatn(cls: type[_T], data: Buffer) -> _T:
    """A value of a generated class from its BSATN, or of `list[Row]` from that of an array.

    Raises DecodeError, which names the byte; TypeError for other classes.
    """

def packed_format(cls: type) -> list[Any]:
    """The fields of a row class as `numpy.dtype` takes them.

    Raises TypeError, with the field's name, when rows have no fixed size.
    """

def packed_rows(cls: type, data: Buffer) -> bytearray:
    """The rows of the BSATN of an array, one after the other. Raises DecodeError."""

@final
class Connection:
    """The protocol of one connection. Bytes in, events and bytes out; the caller moves them."""

    def __new__(
        cls,
        module: Module,
        *,
        authority: str,
        database: str,
        token: str | None = None,
        headers: Sequence[tuple[str, str]] = ...,
        protocols: Sequence[str] = ...,
        compression: str = "gzip",
        confirmed_reads: bool | None = None,
        max_message_size: int = ...,
        ping_interval: float | None = None,
        ping_timeout: float | None = None,
    ) -> Connection:
        """`authority` is HOST:PORT for the request, `headers` are added to it.

        `protocols` "v3", "v2", "v1"; `compression` "none", "gzip" or "brotli"; sizes in bytes,
        times in seconds. Raises ValueError.
        """

    def receive_data(self, data: Buffer) -> None:
        """Take bytes from the socket. A fault of the peer becomes the last event."""

    def receive_eof(self) -> None:
        """The socket has ended."""

    def next_event(self, delivery: Delivery | None = None) -> Event | None:
        """Apply one message to the cache and tell what it did; None when there is none yet.

        With a `delivery` the row callbacks of messages that it can take have run before that.
        """

    def data_to_send(self) -> bytes:
        """Everything to be sent now; empty when there is nothing."""

    def tick(self, now: float) -> float | None:
        """Look after a silent server; gives when to come back. In seconds of a monotonic clock."""

    def reconnect(self, token: str | None = None, may_become_other: bool = False) -> None:
        """A new socket for the same cache and query sets, as the same identity unless told else.

        Raises ValueError for a token that is no header.
        """

    def subscribe(self, queries: Sequence[str]) -> int:
        """Queue a subscription; gives the query set id. It waits while there is no connection."""

    def unsubscribe(self, query_set: int) -> None:
        """`UnsubscribeApplied` follows, at once or when the query set has been applied."""

    def call_reducer(self, name: str, args: Sequence[object]) -> int:
        """Queue a call.

        Gives the request id. Raises EncodeError, SchemaMismatchError for an unknown reducer.
        """

    def call_procedure(self, name: str, args: Sequence[object]) -> int: ...
    def query(self, query: str) -> int:
        """Queue a one-off query; gives the request id."""

    def refuse_rows(self, misfits: Mapping[int, str]) -> None:
        """By the tables' numbers, what to say when rows of them come, or have come already."""

    @property
    def protocol(self) -> str | None:
        """What the server chose: "v3", "v2" or "v1"."""

    @property
    def token(self) -> str | None:
        """The secret that the last greeting holds, even one that ended the connection."""

    @property
    def pending(self) -> tuple[int, int]:
        """The numbers of requests without an answer and of query sets."""

    def stats(self) -> dict[str, Any]:
        """Numbers since it was made: the fields of `stats.py` that the core knows, by name.

        A timing is (count, total, max, p50, p99), times in seconds; calls are (sent, answered,
        failed, timing); tables are (name, rows, bytes of memory).
        """

    def add_frame(self, duration: int) -> None:
        """Nanoseconds that the owner took for a frame."""

    def query_set_sizes(self) -> list[tuple[int, int]] | None:
        """Id and number of rows of each query set. Looks at every row.

        None while the query sets are being made again, and with v1, where a row names none.
        """

    @property
    def message_head(self) -> tuple[str, int | None, int | None]:
        """Name, request id and query set of the message that was applied last."""

    def table_bsatn(self, name: str) -> list[bytes]:
        """The cached rows of a table as BSATN, in no order; needs no declared classes."""

    def start_capture(self) -> None: ...
    def stop_capture(self) -> None: ...
    def take_captured(self) -> list[tuple[bool, str, bytes]]:
        """What went over the socket since: sent by us, kind as in recordings, payload."""

    def close(self) -> None:
        """Start the closing handshake."""

    def table(self, name: str) -> TableCache: ...

@final
class TableCache:
    """The rows of one table that the live subscriptions cover.

    Rows are made on access and not kept.
    """

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]:
        """In no order. Raises RuntimeError when the table changed meanwhile."""

    def __contains__(self, row: object, /) -> bool: ...
    def unique(self, column: int) -> UniqueColumn:
        """What finds rows by the unique column of this number. Raises nothing: its method does."""

    def ordered(self, columns: tuple[int, ...]) -> OrderedIndex:
        """The index over these columns. Raises nothing: its methods do."""

    @property
    def row_type(self) -> type:
        """The class of the rows."""

    def packed(self) -> bytearray:
        """The BSATN of all rows, one after the other."""

    @property
    def missing_deletes(self) -> int:
        """How many deletes named a row that their query set did not hold.

        0 on a healthy connection.
        """

@final
class UniqueColumn:
    """What finds the row of a value of a unique column."""

    def find(self, value: object) -> Any | None:
        """The row of this value. Raises EncodeError, ValueError when the column is not unique."""

@final
class OrderedIndex:
    """The rows of a table in the order of some columns, from the first use of it.

    A key is the value of the column or, of several columns, a tuple of the first ones. All methods
    raise EncodeError for a wrong one, ValueError for too many or no values, and ValueError when the
    module has no index over the columns.
    """

    def filter(self, key: object) -> list[Any]:
        """The rows of a key, in order."""

    def count(self, key: object) -> int:
        """How many rows `filter` would give."""

    def range(
        self,
        start: object,
        end: object,
        *,
        include_start: bool,
        include_end: bool,
        reverse: bool,
        limit: int | None,
    ) -> list[Any]:
        """The rows between two keys, in order. None is an open end."""

class _HasDb(Protocol[_T_co]):
    @property
    def db(self) -> _T_co: ...

class _HasReducers(Protocol[_T_co]):
    @property
    def reducers(self) -> _T_co: ...

@final
class EventContext(Generic[_C_co]):
    """The first argument of a callback: one object for all callbacks of one message."""

    def __new__(cls, connection: _C_co, event: _ContextEvent) -> EventContext[_C_co]: ...
    @property
    def connection(self) -> _C_co: ...
    @property
    def event(self) -> _ContextEvent:
        """What happened."""

    @property
    def db(self: EventContext[_HasDb[_T]]) -> _T:
        """`connection.db`, as the whole message left it."""

    @property
    def reducers(self: EventContext[_HasReducers[_T]]) -> _T:
        """`connection.reducers`"""

    @property
    def identity(self) -> Identity:
        """Whose connection this is."""

@final
class Waiters:
    """What tasks of one connection wait on, on asyncio: as much of a future as tasks ask for.

    Those whose answers come in one read go on `together` at its end, without the loop's queue.
    """

    def __new__(cls, event_loop: AbstractEventLoop, together: bool) -> Waiters: ...
    def waiter(self) -> Waiter[Any]: ...
    def _wake(self) -> None:
        """Tasks that are due go on. Raises what one of them has raised through the loop."""

@final
class Waiter(Generic[_T]):
    """One task waits for one outcome. The first outcome counts; setting tells whether it did."""

    _asyncio_future_blocking: bool

    def __await__(self) -> Generator[Any, Any, _T]: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def send(self, _value: object) -> Any: ...
    def throw(self, error: Any, value: Any = None, traceback: Any = None) -> None: ...
    def close(self) -> None: ...
    def get_loop(self) -> AbstractEventLoop: ...
    def add_done_callback(
        self, callback: Callable[[Self], object], *, context: Context
    ) -> None: ...
    def done(self) -> bool: ...
    def result(self) -> _T: ...
    def cancel(self, msg: object = None) -> bool: ...
    def set_result(self, value: _T) -> bool: ...
    def set_exception(self, error: Exception) -> bool: ...

@disjoint_base
class Pending(Generic[_T]):
    """An answer that comes later: what every call needs of it. The rest is in `pending.py`."""

    _is_watched: bool
    """Whether somebody hears of its failure, so that the log need not tell."""
    _waiter: Waiter[_T] | None
    """Of the task that waits."""
    _event: _WaitEvent | None
    """Of all other tasks."""
    _on_done: Callable[[Exception | None], object] | None

    def __new__(
        cls,
        kind: str,
        name: str,
        waiters: Waiters | None = None,
        timeout: float | None = None,
    ) -> Self: ...
    @property
    def is_done(self) -> bool:
        """Whether the outcome is known, so that awaiting does not wait."""

    @property
    def _kind(self) -> str: ...
    @property
    def _name(self) -> str: ...
    @property
    def _waiters(self) -> Waiters | None: ...
    @property
    def _timeout(self) -> float | None: ...
    @property
    def _value(self) -> _T | None: ...
    @property
    def _failure(self) -> _Failure | None: ...
    def _resolve(self, value: _T) -> None: ...
    def _end(self, failure: _Failure, error: Exception) -> None:
        """It has failed, as the task that waits knows: tell all others."""

    def __await__(self) -> Generator[Any, Any, _T]:
        """As `_wait`, without a frame of its own for the first to wait."""

@final
class Calls:
    """Own calls in flight. Each is made, sent and given to its caller in one step.

    `classes` are those of a reducer's call, a procedure's and a query; `timeout` is for calls that
    have none of their own. `prepare(kind, name)` raises what keeps a call from being made. It is
    asked until it says `is_ready`.
    """

    is_ready: bool
    watch: _Watch | None

    def __new__(
        cls,
        core: Connection,
        classes: tuple[type[_ReducerCall[Any]], type[_ProcedureCall[Any]], type[_Pending[Any]]],
        timeout: float | None,
        prepare: Callable[[str, str], None],
    ) -> Calls: ...
    def enter(self, waiters: Waiters | None) -> None:
        """The event loop is known."""

    def send_by(self, send: Callable[[bool], None]) -> None:
        """A session begins, whose `send(at_once)` sends what is queued in the core."""

    @property
    def waiters(self) -> Waiters | None:
        """As entered."""

    @property
    def timeout(self) -> float | None: ...
    def call_reducer(
        self, name: str, args: Sequence[object], timeout: float | None
    ) -> _ReducerCall[Any]: ...
    def call_procedure(
        self, name: str, args: Sequence[object], timeout: float | None
    ) -> _ProcedureCall[Any]: ...
    def query(self, query: str, timeout: float | None) -> _Pending[list[Any]]: ...
    def pop(self, request_id: int) -> _Pending[Any] | None: ...
    def values(self) -> list[_Pending[Any]]:
        """In the order in which they were made."""

    def take_all(self) -> list[_Pending[Any]]: ...
    def __len__(self) -> int: ...

@disjoint_base
class Callbacks:
    """What a list of callbacks holds, where the core finds it for each row."""

    callbacks: tuple[Callable[..., object], ...]

    def __new__(cls, place: str, others: set[object] | None = None) -> Self: ...
    @property
    def place(self) -> str:
        """For messages: where the callbacks were given."""

@final
class Delivery:
    """The short way from transactions to row callbacks, and to who awaits an own call.

    `tables` is their number, `calls` are the own calls in flight. While there are `others`, who
    hear of messages in another way, it takes none. What a callback raises goes to
    `report(place, callback, error)`.
    """

    def __new__(
        cls,
        connection: object,
        tables: int,
        others: set[object],
        calls: Calls,
        report: Callable[[str, Callable[..., object], Exception], object],
    ) -> Delivery: ...
    def listen(
        self, table: int, inserts: Callbacks, deletes: Callbacks, updates: Callbacks
    ) -> None:
        """The callbacks of a table, by its position in `Module.table_names`. Given once."""

    def set_connection(self, connection: object) -> None:
        """What callbacks are given as the connection from now on."""

@final
class Receiver:
    """The way of a socket's bytes into a core, and of what they bring to a delivery.

    What is left goes to `rest(event, error)`: an event, True when there is none but data to be
    sent, or an error. `rest` says when it has done with it, by `is_taking`.
    """

    is_open: bool
    """Whether bytes are taken; else they are dropped."""
    is_taking: bool
    """Whether bytes are being taken, up to the end of their callbacks."""

    def __new__(
        cls,
        core: Connection,
        delivery: Delivery | None,
        rest: Callable[[Event | Literal[True] | None, BaseException | None], object],
        waiters: Waiters | None,
    ) -> Receiver: ...
    def take(self, data: Buffer) -> None:
        """Bytes from the socket. Tasks whose answers they bring go on before it returns."""

@final
class TableDiff:
    """What one message changed in one table. Each access makes new row objects."""

    @property
    def table(self) -> int:
        """Position in `Module.table_names`."""

    @property
    def is_event(self) -> bool:
        """Rows of an event table, as `inserts`: they are not in the cache."""

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many rows were inserted, updated and deleted; needs no declared classes."""

    @property
    def inserts(self) -> list[Any]: ...
    @property
    def deletes(self) -> list[Any]: ...
    @property
    def updates(self) -> list[tuple[Any, Any]]:
        """Pairs (old, new) of one primary key."""

    def tell(
        self,
        inserts: Callbacks,
        deletes: Callbacks,
        updates: Callbacks,
        context: object,
        report: Callable[[str, Callable[..., object], Exception], object],
    ) -> None:
        """Call row callbacks, and make each row just before. What one raises goes to `report`."""

@final
class Connected:
    @property
    def identity(self) -> Identity: ...
    @property
    def connection_id(self) -> ConnectionId: ...
    @property
    def token(self) -> str: ...

@final
class SubscribeApplied:
    @property
    def query_set(self) -> int: ...
    @property
    def diff(self) -> list[TableDiff]: ...

@final
class UnsubscribeApplied:
    @property
    def query_set(self) -> int: ...
    @property
    def diff(self) -> list[TableDiff]: ...

@final
class SubscriptionFailed:
    """The server refused or ended these query sets, and their rows have left."""

    @property
    def query_sets(self) -> list[int]: ...
    @property
    def message(self) -> str: ...
    @property
    def diff(self) -> list[TableDiff]: ...

@final
class Resynced:
    """After a reconnect the cache is up to date again; this is what differs from before."""

    @property
    def diff(self) -> list[TableDiff]: ...

@final
class Unasked:
    """An answer to no request of this client."""

@final
class TransactionUpdate:
    """A transaction, or the failed call of a reducer.

    `request_id` is that of an own call, else None. `error` is None when it was committed.
    """

    @property
    def request_id(self) -> int | None: ...
    @property
    def reducer(self) -> ReducerInfo | None:
        """None where the server does not tell."""

    @property
    def error(self) -> tuple[str, str] | None:
        """Kind ("sender".

        The reducer returned it; "internal": it could not run or trapped) and text.
        """

    @property
    def diff(self) -> list[TableDiff]: ...

@final
class ReducerInfo:
    @property
    def name(self) -> str: ...
    @property
    def args(self) -> tuple[Any, ...]:
        """Decoded anew on each access; empty when the schema does not know the reducer."""

    @property
    def returned(self) -> Any:
        """What the reducer returned, its value or its error; None where the server does not tell.

        Raises ProtocolError for what is not of the type in the schema.
        """

    @property
    def timestamp(self) -> Timestamp: ...
    @property
    def caller_identity(self) -> Identity: ...
    @property
    def caller_connection_id(self) -> ConnectionId | None: ...

@final
class ProcedureResult:
    @property
    def request_id(self) -> int: ...
    @property
    def error(self) -> str | None: ...
    @property
    def value(self) -> Any: ...

@final
class QueryResult:
    @property
    def request_id(self) -> int: ...
    @property
    def error(self) -> str | None: ...
    @property
    def rows(self) -> list[Any]: ...

@final
class Closed:
    """The last event of a connection."""

    @property
    def kind(self) -> str:
        """Why it ended.

        "refused": no upgrade, `code` is the HTTP status; "protocol": the peer broke the protocol,
        `reason` says how;
        "mismatch": bindings and database differ; "closed": a close frame, with its code and reason;
        "lost": the socket ended; "silent": the server did not answer a ping; "identity": a
        reconnect was greeted as somebody else.
        """

    @property
    def code(self) -> int | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def by_us(self) -> bool:
        """Whether this side closed first."""

@final
class Warning:
    """What the user should know and the connection survives.

    Rows of a table that the bindings lack.
    """

    @property
    def message(self) -> str: ...

Event = (
    Connected
    | SubscribeApplied
    | UnsubscribeApplied
    | SubscriptionFailed
    | TransactionUpdate
    | ProcedureResult
    | QueryResult
    | Resynced
    | Unasked
    | Warning
    | Closed
)

def open_envelope(payload: Buffer, limit: int) -> bytes:
    """The body of a server's message, expanded and without its compression byte.

    Raises ProtocolError when it cannot be expanded, or to more than `limit` bytes.
    """

def generate(schema: str, module_name: str, include_private: bool = False) -> list[tuple[str, str]]:
    """The Python package for a module description in JSON (version 9 or 10).

    (file name, text) pairs. Raises CodegenError.
    """

def schema_json(description: bytes) -> str:
    """What a module describes itself as, BSATN of a RawModuleDef, in JSON. Raises CodegenError."""

def describe(schema: str) -> bytes:
    """What `Module` takes, for a module description in JSON. Raises CodegenError."""
