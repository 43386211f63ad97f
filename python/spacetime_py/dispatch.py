"""Events of the core -> callbacks and answers, in the order that docs/topics/callbacks.md promises.

The core has applied the whole message to the cache before it gives the event. Before this file:
`link.py`. After it: `callbacks.py` for the user's functions, `pending.py` for what the user awaits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from ._core import (
    Calls,
    Delivery,
    Module,
    ProcedureResult,
    QueryResult,
    ReducerInfo,
    Resynced,
    SubscribeApplied,
    SubscriptionFailed,
    TableDiff,
    TransactionUpdate,
    Unasked,
    UnsubscribeApplied,
    Waiters,
)
from .callbacks import Callback, CallbackList, Changes, Guard, TableChanges
from .changes import Transaction
from .context import (
    Event,
    EventContext,
    ReconnectedEvent,
    SubscribeAppliedEvent,
    SubscribeErrorEvent,
    UnsubscribeAppliedEvent,
    transaction_event,
)
from .exceptions import (
    ConnectionClosed,
    ConnectionLost,
    InternalError,
    ProcedureError,
    ProtocolError,
    QueryError,
    ReducerError,
    SenderError,
    SpacetimeDBError,
    SubscriptionError,
)
from .explain import is_our_close
from .listeners import Listeners, RowCallbacks
from .logs import calls_log, subscription_log
from .pending import Pending, fresh
from .queues import item_queue
from .stream import Elsewhere, Feed, Hub
from .subscription import Subscription

_RECONNECTED = ReconnectedEvent()


_Event: TypeAlias = (
    TransactionUpdate
    | SubscribeApplied
    | UnsubscribeApplied
    | SubscriptionFailed
    | ProcedureResult
    | QueryResult
    | Resynced
    | Unasked
)


class Dispatcher:
    """Knows who waits for what: listeners, calls in flight, subscriptions."""

    def __init__(self, connection: object, module: Module, guard: Guard, calls: Calls) -> None:
        self.connection = connection
        self.hub = Hub()
        self._guard = guard
        self.rows = Listeners(self._listen)
        self._names = module.table_names
        self._rows_by_number: list[RowCallbacks | None] = [None] * len(self._names)
        self.on_transaction = CallbackList("on_transaction", self.hub.others)
        self.transactions: Feed[Transaction] = Feed(self.hub, "transactions", item_queue)
        self.calls = calls
        self.calls_lost = 0
        self.subscriptions: dict[int, Subscription] = {}
        self._delivery = Delivery(
            connection, len(self._names), self.hub.others, self.calls, guard.report
        )

    def _listen(self, table: str) -> RowCallbacks:
        number, made = self._names.index(table), RowCallbacks(table, self.hub, self._guard)
        made.feed.follow(self.transactions)
        # One for all threads.
        rows = self._rows_by_number[number] = self.rows.setdefault(table, made)
        self._delivery.listen(number, rows.inserts, rows.deletes, rows.updates)
        return rows

    def lend(self, face: object, elsewhere: Elsewhere) -> None:
        """Tell callbacks of `face` as the connection; other threads come in by `elsewhere`."""
        self.connection = face
        self._delivery.set_connection(face)
        self.hub.elsewhere = elsewhere

    def enter(self, waiters: Waiters | None) -> None:
        """What is waited on from now on, in the event loop of the connection."""
        self.calls.enter(waiters)
        self.hub.waiters = waiters

    def new_pending(self, kind: str, name: str) -> Pending[Any]:
        """What is asked of the server from now on, with whoever watches over it."""
        pending: Pending[Any] = Pending(kind, name)
        watch = self.calls.watch
        if watch is not None:
            pending._on_done = watch(kind, name)
        return pending

    @property
    def delivery(self) -> Delivery | None:
        """The short way, unless calls of callbacks are put into a queue."""
        return self._delivery if self._guard.queue is None else None

    def dispatch(self, event: _Event) -> None:
        """Tell all who wait for it."""
        self.hub.message += 1
        if self._guard.queue is None:
            self._dispatch(event)
            return
        self._guard.begin_message()
        try:
            self._dispatch(event)
        finally:
            self._guard.end_message()

    def _dispatch(self, event: _Event) -> None:
        if isinstance(event, TransactionUpdate):
            self._transaction(event)
        elif isinstance(event, SubscribeApplied):
            self._subscribe_applied(event)
        elif isinstance(event, UnsubscribeApplied):
            self._unsubscribe_applied(event)
        elif isinstance(event, SubscriptionFailed):
            self._subscription_failed(event)
        elif isinstance(event, ProcedureResult):
            self._procedure_result(event)
        elif isinstance(event, QueryResult):
            self._query_result(event)
        elif isinstance(event, Resynced):
            self._run_rows(event.diff, self._context(_RECONNECTED))

    def lose(self, error: SpacetimeDBError) -> None:
        """The connection was lost and may come back; calls in flight are lost for good."""
        calls = self.calls.take_all()
        self.calls_lost += len(calls)
        for call in calls:
            call._fail(_of_call_in_flight(error))

    def end(self, error: SpacetimeDBError) -> None:
        """The connection has ended: so does every wait."""
        self.lose(error)
        subscriptions, self.subscriptions = self.subscriptions, {}
        for subscription in subscriptions.values():
            subscription.ended._is_watched |= not subscription.is_unsubscribing
            subscription.fail(fresh(error))
        told = None if is_our_close(error) else error
        self.transactions.end(told)
        for rows in list(self.rows.values()):
            rows.end(told)

    def _transaction(self, event: TransactionUpdate) -> None:
        request_id = event.request_id
        call = None if request_id is None else self.calls.pop(request_id)
        if event.error is not None:
            if call is not None:
                calls_log.debug("%s failed, %s error: %s", call, *event.error)
                call._fail(_failure(call._name, event.error, event.reducer))
            return
        info = event.reducer
        cause = transaction_event(info, request_id is not None)
        self._run_rows(event.diff, self._context(cause))
        if call is not None:
            _answer(call, lambda: None if info is None else info.returned)

    def _subscribe_applied(self, event: SubscribeApplied) -> None:
        subscription = self.subscriptions.get(event.query_set)
        if subscription is None:
            raise _not_asked("applied", event.query_set)
        rows = subscription.new_rows = sum(diff.counts[0] for diff in event.diff)
        took = 1000 * (time.monotonic() - subscription.asked_at)
        queries = "; ".join(subscription.queries)
        subscription_log.info("applied in %.1f ms with %d new rows: %s", took, rows, queries)
        context = self._context(SubscribeAppliedEvent(subscription.queries))
        subscription.applied._resolve(None)
        place = "on_applied of a subscription"
        # One that was unsubscribed meanwhile is told of by its end alone.
        on_applied = () if subscription.is_unsubscribing else subscription.on_applied
        told_first = partial(self._call_all, place, on_applied, context)
        self._run_rows(event.diff, context, told_first)

    def _unsubscribe_applied(self, event: UnsubscribeApplied) -> None:
        subscription = self.subscriptions.pop(event.query_set, None)
        if subscription is None:
            raise _not_asked("unsubscribed", event.query_set)
        subscription_log.info("unsubscribed: %s", "; ".join(subscription.queries))
        subscription.end()
        self._run_rows(event.diff, self._context(UnsubscribeAppliedEvent(subscription.queries)))

    def _subscription_failed(self, event: SubscriptionFailed) -> None:
        failed = [self.subscriptions.pop(query_set) for query_set in event.query_sets]
        queries = tuple(query for subscription in failed for query in subscription.queries)
        ended = SubscribeErrorEvent(SubscriptionError(queries, event.message))
        told_first = partial(self._fail_subscriptions, failed, event.message)
        self._run_rows(event.diff, self._context(ended), told_first)

    def _fail_subscriptions(self, failed: Sequence[Subscription], message: str) -> None:
        for subscription in failed:
            error = SubscriptionError(subscription.queries, message)
            subscription_log.info("refused or ended by the server: %s", error)
            subscription.applied._is_watched |= bool(subscription.on_error)
            subscription.ended._is_watched |= bool(subscription.on_error)
            subscription.fail(error)
            context = self._context(SubscribeErrorEvent(error))
            self._call_all("on_error of a subscription", subscription.on_error, context, error)

    def _procedure_result(self, event: ProcedureResult) -> None:
        call = self.calls.pop(event.request_id)
        if call is None:
            return
        if event.error is not None:
            calls_log.debug("%s failed: %s", call, event.error)
            call._fail(ProcedureError(call._name, event.error))
            return
        _answer(call, lambda: event.value)

    def _query_result(self, event: QueryResult) -> None:
        call = self.calls.pop(event.request_id)
        if call is None:
            return
        if event.error is not None:
            calls_log.debug("%s failed: %s", call, event.error)
            call._fail(QueryError(call._name, event.error))
        else:
            call._resolve(event.rows)

    def _context(self, event: Event) -> EventContext[Any]:
        return EventContext(self.connection, event)

    def _run_rows(
        self,
        diffs: Sequence[TableDiff],
        context: EventContext[Any],
        told_first: Callable[[], None] | None = None,
    ) -> None:
        by_number = self._rows_by_number
        for diff in diffs:
            if rows := by_number[diff.table]:
                rows.update(diff, context)
        if told_first is not None:
            told_first()
        for diff in diffs:
            if rows := by_number[diff.table]:
                rows.run(diff, context)
        for diff in diffs:
            if rows := by_number[diff.table]:
                rows.tell(context)
        if diffs and (self.on_transaction.callbacks or self.transactions.is_heard):
            self._tell_transaction(diffs, context)

    def _tell_transaction(self, diffs: Sequence[TableDiff], context: EventContext[Any]) -> None:
        tables = [(self._names[diff.table], diff) for diff in diffs]
        changes = Changes({name: TableChanges(name, diff) for name, diff in tables})
        self._call_all("on_transaction", self.on_transaction.callbacks, context, changes)
        self.transactions.push(Transaction(context.event, changes))

    def _call_all(self, place: str, callbacks: tuple[Callback, ...], *args: object) -> None:
        for callback in callbacks:
            self._guard.call(place, callback, *args)


def _not_asked(what: str, query_set: int) -> ProtocolError:
    return ProtocolError(f"the server {what} query set {query_set}, which it was not asked for")


def _answer(call: Pending[Any], decode: Callable[[], object]) -> None:
    try:
        call._resolve(decode())
    except SpacetimeDBError as error:
        # A value that the bindings cannot decode is the caller's affair, not the connection's.
        call._fail(error)


def _failure(name: str, error: tuple[str, str], info: ReducerInfo | None) -> ReducerError:
    kind, message = error
    if kind != "sender":
        return InternalError(name, message)
    value = None
    with suppress(SpacetimeDBError):  # undecodable: its bytes as text are in the message
        value = None if info is None else info.returned
    if value is None or isinstance(value, str):
        return SenderError(name, message)
    return SenderError(name, str(value), value)


def _of_call_in_flight(error: SpacetimeDBError) -> ConnectionClosed:
    if isinstance(error, ConnectionClosed):
        failure = type(error)(error.code, error.reason, error.by_us, maybe_executed=True)
    else:
        failure = ConnectionLost(None, str(error), maybe_executed=True)
    failure.__cause__ = error
    return failure
