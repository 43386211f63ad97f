"""Subscriptions of a synchronous connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typing_extensions import Self

from ..context import EventContext
from ..exceptions import SubscriptionError
from ..query import Query
from ..subscription import SubscriptionBuilder, SubscriptionHandle
from .thread import LoopThread


class SyncSubscriptionHandle:
    """As `SubscriptionHandle`, and its methods return when it is done."""

    def __init__(self, handle: SubscriptionHandle, thread: LoopThread) -> None:
        self._handle = handle
        self._thread = thread

    @property
    def queries(self) -> tuple[str, ...]:
        return self._handle.queries

    @property
    def is_active(self) -> bool:
        """Whether its rows are in the cache and kept up to date."""
        return self._handle.is_active

    @property
    def is_ended(self) -> bool:
        """Whether it was unsubscribed, or the server or the end of the connection ended it."""
        return self._handle.is_ended

    def applied(self, timeout: float | None = None) -> None:
        """Wait until its rows are in the cache. Raises as `SubscriptionHandle.applied`."""
        self._thread.run(lambda: self._handle.applied(timeout))

    def unsubscribe(self, timeout: float | None = None) -> None:
        """End it, and wait until its rows have left. Raises as `SubscriptionHandle.unsubscribe`."""
        self._thread.run(lambda: self._handle.unsubscribe(timeout))

    def __repr__(self) -> str:
        return repr(self._handle).replace("SubscriptionHandle", type(self).__name__)


class SyncSubscriptionBuilder:
    """As `SubscriptionBuilder`: subscribe without waiting, in callbacks as well."""

    def __init__(self, builder: SubscriptionBuilder, thread: LoopThread) -> None:
        self._builder = builder
        self._thread = thread

    def on_applied(self, callback: Callable[[EventContext[Any]], object]) -> Self:
        """Call `callback(context)` when the rows are in the cache, before the row callbacks."""
        self._builder.on_applied(callback)
        return self

    def on_error(self, callback: Callable[[EventContext[Any], SubscriptionError], object]) -> Self:
        """Call `callback(context, error)` when the server refuses the subscription or ends it."""
        self._builder.on_error(callback)
        return self

    def subscribe(self, *queries: str | Query[Any, Any]) -> SyncSubscriptionHandle:
        """Subscribe without waiting. Raises ValueError without a query, ConnectionClosed."""
        handle = self._thread.call(lambda: self._builder.subscribe(*queries))
        return SyncSubscriptionHandle(handle, self._thread)

    def subscribe_to_all_tables(self) -> SyncSubscriptionHandle:
        """Subscribe to every table that this identity may read. Meant for small databases."""
        return self.subscribe("SELECT * FROM *")
