"""What a callback is told besides the row: the connection, and the event that changed the row."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast

from ._core import ConnectionId, Identity, ReducerInfo, Timestamp
from .exceptions import SubscriptionError

_C_co = TypeVar("_C_co", covariant=True)
_T_co = TypeVar("_T_co", covariant=True)
_T = TypeVar("_T")


class ReducerEvent:
    """A reducer ran and was committed. Servers before 2.0 tell this of other clients' calls too."""

    __slots__ = ("_info", "_is_own")

    def __init__(self, info: ReducerInfo, is_own: bool) -> None:
        self._info = info
        self._is_own = is_own

    @property
    def name(self) -> str:
        return self._info.name

    @property
    def args(self) -> tuple[Any, ...]:
        """Decoded on each access; empty when the bindings do not know the reducer."""
        return self._info.args

    @property
    def timestamp(self) -> Timestamp:
        """When the reducer started, by the server's clock."""
        return self._info.timestamp

    @property
    def caller_identity(self) -> Identity:
        """Who called; the database itself for a scheduled reducer."""
        return self._info.caller_identity

    @property
    def caller_connection_id(self) -> ConnectionId | None:
        """None when the call came over HTTP or from the scheduler."""
        return self._info.caller_connection_id

    @property
    def is_own(self) -> bool:
        """Whether this connection made the call."""
        return self._is_own

    def __repr__(self) -> str:
        return f"ReducerEvent(name={self.name!r}, is_own={self.is_own})"


class _SubscriptionEvent:
    __slots__ = ("_queries",)

    def __init__(self, queries: tuple[str, ...]) -> None:
        self._queries = queries

    @property
    def queries(self) -> tuple[str, ...]:
        return self._queries

    def __repr__(self) -> str:
        return f"{type(self).__name__}(queries={self.queries!r})"


class SubscribeAppliedEvent(_SubscriptionEvent):
    """A subscription was applied: its rows came into the cache."""

    __slots__ = ()


class UnsubscribeAppliedEvent(_SubscriptionEvent):
    """A subscription was ended by `unsubscribe()`: rows that no other one covers left the cache."""

    __slots__ = ()


class SubscribeErrorEvent(_SubscriptionEvent):
    """The server refused or ended a subscription."""

    __slots__ = ("_error",)

    def __init__(self, error: SubscriptionError) -> None:
        super().__init__(error.queries)
        self._error = error

    @property
    def error(self) -> SubscriptionError:
        return self._error


class ReconnectedEvent:
    """The connection is back: rows came, changed and left while it was down."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ReconnectedEvent()"


class UnknownTransactionEvent:
    """A transaction of which the server does not tell what caused it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UnknownTransactionEvent()"


Event: TypeAlias = (
    ReducerEvent
    | SubscribeAppliedEvent
    | UnsubscribeAppliedEvent
    | SubscribeErrorEvent
    | ReconnectedEvent
    | UnknownTransactionEvent
)


class _HasDb(Protocol[_T_co]):
    @property
    def db(self) -> _T_co: ...


class _HasReducers(Protocol[_T_co]):
    @property
    def reducers(self) -> _T_co: ...


class _HasIdentity(Protocol):
    @property
    def identity(self) -> Identity: ...


class EventContext(Generic[_C_co]):
    """The first argument of a callback: one object for all callbacks of one message."""

    __slots__ = ("_connection", "_event")

    def __init__(self, connection: _C_co, event: Event) -> None:
        self._connection = connection
        self._event = event

    @property
    def connection(self) -> _C_co:
        return self._connection

    @property
    def event(self) -> Event:
        """What happened."""
        return self._event

    @property
    def db(self: EventContext[_HasDb[_T]]) -> _T:
        """`connection.db`, as the whole message left it."""
        return self._connection.db

    @property
    def reducers(self: EventContext[_HasReducers[_T]]) -> _T:
        """`connection.reducers`"""
        return self._connection.reducers

    @property
    def identity(self) -> Identity:
        """Whose connection this is."""
        return cast(_HasIdentity, self._connection).identity
