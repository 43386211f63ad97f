"""What a callback is told besides the row: the connection, and the event that changed the row."""

from __future__ import annotations

from typing import Any, TypeAlias

from ._core import ConnectionId, EventContext, Identity, ReducerInfo, Timestamp
from .exceptions import SubscriptionError

__all__ = [
    "Event",
    "EventContext",
    "ReconnectedEvent",
    "ReducerEvent",
    "SubscribeAppliedEvent",
    "SubscribeErrorEvent",
    "UnknownTransactionEvent",
    "UnsubscribeAppliedEvent",
    "transaction_event",
]


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

_UNKNOWN_TRANSACTION = UnknownTransactionEvent()


def transaction_event(info: ReducerInfo | None, is_own: bool) -> Event:
    """The event of a transaction that was committed."""
    return _UNKNOWN_TRANSACTION if info is None else ReducerEvent(info, is_own)
