"""Subscriptions: queries whose rows the server sends and keeps up to date."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from typing_extensions import Self

from .callbacks import Callback, CallbackList
from .context import EventContext
from .exceptions import (
    AlreadyEnded,
    AlreadyUnsubscribed,
    ConnectionClosed,
    SpacetimeDBError,
    SubscriptionError,
)
from .pending import NewPending, Pending, fresh
from .query import Query, sql_of


class Subscription:
    """What the connection knows of one query set: pending, then active, then ended."""

    def __init__(
        self,
        queries: tuple[str, ...],
        on_applied: tuple[Callback, ...],
        on_error: tuple[Callback, ...],
        new_pending: NewPending = Pending,
    ) -> None:
        self.queries = queries
        self.asked_at = time.monotonic()
        # Those that it brought into the cache when it was applied.
        self.new_rows = 0
        self.on_applied = on_applied
        self.on_error = on_error
        name = "; ".join(queries)
        self.applied: Pending[None] = new_pending("subscription", name)
        self.ended: Pending[None] = Pending("end of subscription", name)
        self.error: SpacetimeDBError | None = None
        self.is_unsubscribing = False

    @property
    def is_active(self) -> bool:
        return self.applied.is_done and not self.ended.is_done

    def end(self) -> None:
        """It was unsubscribed, perhaps before the server came to apply it."""
        if not self.applied.is_done:
            self.applied._is_watched = True
            message = "it was unsubscribed before it was applied"
            self.applied._fail(AlreadyUnsubscribed(self.queries, message))
        self.ended._resolve(None)

    def fail(self, error: SpacetimeDBError) -> None:
        """The server, or the end of the connection, ended it."""
        self.error = error
        if not self.applied.is_done:
            # Of the two outcomes one is enough to hear of, also in the log.
            self.ended._is_watched = True
            self.applied._fail(error)
        self.ended._fail(error)


class SubscriptionHandle:
    """A subscription to one or more queries. Dropping the handle does not end it."""

    def __init__(self, subscription: Subscription, unsubscribe: Callable[[], None]) -> None:
        self._subscription = subscription
        self._unsubscribe = unsubscribe

    @property
    def queries(self) -> tuple[str, ...]:
        return self._subscription.queries

    @property
    def is_active(self) -> bool:
        """Whether its rows are in the cache and kept up to date."""
        return self._subscription.is_active

    @property
    def is_ended(self) -> bool:
        """Whether it was unsubscribed, or the server or the end of the connection ended it."""
        return self._subscription.ended.is_done

    async def applied(self, timeout: float | None = None) -> None:
        """Return once its rows are in the cache and their callbacks have run. `timeout` in seconds.

        Raises SubscriptionError when the server refuses it, AlreadyUnsubscribed when it was
        unsubscribed before that, CallTimeout, ConnectionClosed.
        """
        await self._subscription.applied._wait(timeout)

    async def unsubscribe(self, timeout: float | None = None) -> None:
        """End it; returns once its rows have left the cache and their callbacks have run.

        `timeout` in seconds. Neither its end nor cancelling takes the request back.
        Raises AlreadyUnsubscribed, AlreadyEnded, CallTimeout, ConnectionClosed.
        """
        subscription = self._subscription
        if subscription.is_unsubscribing:
            raise AlreadyUnsubscribed(subscription.queries)
        if isinstance(subscription.error, SubscriptionError):
            raise AlreadyEnded(subscription.queries) from subscription.error
        if subscription.error is not None:
            raise fresh(subscription.error) from subscription.error
        subscription.is_unsubscribing = True
        # One that the server has not yet applied is ended when it is.
        self._unsubscribe()
        await subscription.ended._wait(timeout)

    def _abandon(self) -> None:
        """Nobody will ever hold it: it ends when it can."""
        subscription = self._subscription
        if not self.is_ended and not subscription.is_unsubscribing:
            subscription.is_unsubscribing = subscription.ended._is_watched = True
            # A connection that is being closed takes it along; what was raised goes on.
            with suppress(ConnectionClosed):
                self._unsubscribe()

    def __repr__(self) -> str:
        state = "ended" if self.is_ended else "active" if self.is_active else "pending"
        return f"<SubscriptionHandle {state}: {'; '.join(self.queries)}>"


class SubscriptionBuilder:
    """Subscribe with callbacks instead of awaiting, as in SpacetimeDB's other SDKs."""

    def __init__(
        self,
        subscribe: Callable[
            [tuple[str, ...], tuple[Callback, ...], tuple[Callback, ...]], SubscriptionHandle
        ],
    ) -> None:
        self._subscribe = subscribe
        self._on_applied = CallbackList("on_applied of a subscription")
        self._on_error = CallbackList("on_error of a subscription")

    def on_applied(self, callback: Callable[[EventContext[Any]], object]) -> Self:
        """Call `callback(context)` when the rows are in the cache, before the row callbacks."""
        self._on_applied.add(callback)
        return self

    def on_error(self, callback: Callable[[EventContext[Any], SubscriptionError], object]) -> Self:
        """Call `callback(context, error)` when the server refuses the subscription or ends it."""
        self._on_error.add(callback)
        return self

    def subscribe(self, *queries: str | Query[Any, Any]) -> SubscriptionHandle:
        """Subscribe without waiting. Raises ValueError without a query, ConnectionClosed."""
        texts = tuple(map(sql_of, queries))
        return self._subscribe(texts, self._on_applied.callbacks, self._on_error.callbacks)

    def subscribe_to_all_tables(self) -> SubscriptionHandle:
        """Subscribe to every table that this identity may read. Meant for small databases."""
        return self.subscribe("SELECT * FROM *")
