"""Events of the core -> callbacks and answers, in the order that docs/topics/callbacks.md promises.

The core has applied the whole message to the cache before it gives the event. Before this file:
`link.py`. After it: `callbacks.py` for the user's functions, `pending.py` for what the user awaits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._core import (
    Connection,
    Module,
    ProcedureResult,
    SubscribeApplied,
    SubscriptionFailed,
    TableDiff,
    TransactionUpdate,
    UnsubscribeApplied,
)
from .callbacks import Callback, Guard, RowCallbacks
from .context import (
    Event,
    EventContext,
    ReducerEvent,
    SubscribeAppliedEvent,
    SubscribeErrorEvent,
    UnknownTransactionEvent,
    UnsubscribeAppliedEvent,
)
from .exceptions import (
    ConnectionClosed,
    ConnectionLost,
    InternalError,
    ProcedureError,
    SenderError,
    SpacetimeDBError,
    SubscriptionError,
)
from .pending import Pending, fresh
from .subscription import Subscription

_UNKNOWN_TRANSACTION = UnknownTransactionEvent()


class Dispatcher:
    """Knows who waits for what: row callbacks, calls in flight, subscriptions."""

    def __init__(self, connection: object, core: Connection, module: Module, guard: Guard) -> None:
        self._connection = connection
        self._core = core
        self._guard = guard
        self.rows = {name: RowCallbacks(name) for name in module.table_names}
        self._rows_by_number = list(self.rows.values())
        self.calls: dict[int, Pending[Any]] = {}
        self.subscriptions: dict[int, Subscription] = {}

    def dispatch(
        self,
        event: TransactionUpdate
        | SubscribeApplied
        | UnsubscribeApplied
        | SubscriptionFailed
        | ProcedureResult,
    ) -> None:
        if isinstance(event, TransactionUpdate):
            self._transaction(event)
        elif isinstance(event, SubscribeApplied):
            self._subscribe_applied(event)
        elif isinstance(event, UnsubscribeApplied):
            self._unsubscribe_applied(event)
        elif isinstance(event, SubscriptionFailed):
            self._subscription_failed(event)
        else:
            self._procedure_result(event)

    def end(self, error: SpacetimeDBError) -> None:
        """The connection has ended: so does every wait."""
        calls, self.calls = self.calls, {}
        subscriptions, self.subscriptions = self.subscriptions, {}
        for call in calls.values():
            call.fail(_of_call_in_flight(error))
        for subscription in subscriptions.values():
            subscription.ended.is_watched |= not subscription.is_unsubscribing
            subscription.fail(fresh(error))

    def _transaction(self, event: TransactionUpdate) -> None:
        request_id = event.request_id
        call = None if request_id is None else self.calls.pop(request_id, None)
        if event.error is not None:
            if call is not None:
                kind, message = event.error
                failure = SenderError if kind == "sender" else InternalError
                call.fail(failure(call.name, message))
            return
        info = event.reducer
        cause = _UNKNOWN_TRANSACTION if info is None else ReducerEvent(info, request_id is not None)
        self._run_rows(event.diff, self._context(cause))
        if call is not None:
            call.resolve(None)

    def _subscribe_applied(self, event: SubscribeApplied) -> None:
        subscription = self.subscriptions[event.query_set]
        context = self._context(SubscribeAppliedEvent(subscription.queries))
        subscription.applied.resolve(None)
        self._call_all("on_applied of a subscription", subscription.on_applied, context)
        self._run_rows(event.diff, context)
        if subscription.is_unsubscribing:
            self._core.unsubscribe(event.query_set)

    def _unsubscribe_applied(self, event: UnsubscribeApplied) -> None:
        subscription = self.subscriptions.pop(event.query_set)
        subscription.ended.resolve(None)
        self._run_rows(event.diff, self._context(UnsubscribeAppliedEvent(subscription.queries)))

    def _subscription_failed(self, event: SubscriptionFailed) -> None:
        if event.query_set is None:
            failed, self.subscriptions = list(self.subscriptions.values()), {}
        else:
            failed = [self.subscriptions.pop(event.query_set)]
        for subscription in failed:
            error = SubscriptionError(subscription.queries, event.message)
            subscription.applied.is_watched |= bool(subscription.on_error)
            subscription.ended.is_watched |= bool(subscription.on_error)
            subscription.fail(error)
            context = self._context(SubscribeErrorEvent(error))
            self._call_all("on_error of a subscription", subscription.on_error, context, error)

    def _procedure_result(self, event: ProcedureResult) -> None:
        call = self.calls.pop(event.request_id, None)
        if call is None:
            return
        if event.error is not None:
            call.fail(ProcedureError(call.name, event.error))
            return
        try:
            call.resolve(event.value)
        except SpacetimeDBError as error:
            # A value that the bindings cannot decode is the caller's affair, not the connection's.
            call.fail(error)

    def _context(self, event: Event) -> EventContext[Any]:
        return EventContext(self._connection, event)

    def _run_rows(self, diffs: Sequence[TableDiff], context: EventContext[Any]) -> None:
        for diff in diffs:
            self._rows_by_number[diff.table].run(self._guard, context, diff)

    def _call_all(self, place: str, callbacks: tuple[Callback, ...], *args: object) -> None:
        for callback in callbacks:
            self._guard.call(place, callback, *args)


def _of_call_in_flight(error: SpacetimeDBError) -> ConnectionClosed:
    if isinstance(error, ConnectionClosed):
        failure = type(error)(error.code, error.reason, error.by_us, maybe_executed=True)
    else:
        failure = ConnectionLost(None, str(error), maybe_executed=True)
    failure.__cause__ = error
    return failure
