"""OpenTelemetry: spans and durations of what a program asks the database, metrics of connections.

Needs the extra `spacetime-py[otel]`, which is the API alone: without an SDK that the program sets
up nothing is recorded. Names follow OpenTelemetry's conventions for database clients, and begin
with `spacetimedb.client.` where these have none; docs/topics/observing.md lists them.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

try:
    from opentelemetry import metrics, trace
    from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
    from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider
except ImportError as error:
    raise ImportError(
        f"spacetime_py.otel needs OpenTelemetry: pip install 'spacetime-py[otel]' ({error})"
    ) from error

from . import __version__
from .connection import DbConnection
from .pending import OnDone
from .state import ConnectionStatus
from .sync import SyncConnection

if TYPE_CHECKING:
    from ._core import Connection as Core

__all__ = ["instrument"]

_Attributes: TypeAlias = dict[str, str | int]

_SCOPE = "spacetime_py"
# What the conventions advise for `db.client.operation.duration`, in seconds.
_BOUNDARIES = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)

_OPERATIONS = {
    "connection": "connect",
    "subscription": "subscribe",
    "query": "query",
    "reducer": "call_reducer",
    "procedure": "call_procedure",
}
"""The kinds of what is waited for, and `db.operation.name`."""


def instrument(
    target: DbConnection | SyncConnection[Any] | type[DbConnection],
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    query_text: bool = False,
) -> None:
    """Make spans and metrics of a connection, or of all that are made of a class from now on.

    A span lasts from the request to the moment when awaiting it returns; its parent is the span in
    which the request was made. A connection that is instrumented already stays as it is.

    Args:
        target: A connection, entered or not (only then has connecting a span), or a class of them.
        tracer_provider: None for the global one.
        meter_provider: None for the global one.
        query_text: Give spans the SQL of queries and subscriptions, which may hold values.
    """
    tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider)
    meters = _meters_of(meter_provider)

    def watch(connection: DbConnection) -> None:
        dispatcher = connection._dispatcher
        if dispatcher.calls.watch is None:
            attributes = _attributes(connection)
            dispatcher.calls.watch = _Watch(tracer, meters.duration, attributes, query_text)
            meters.add(connection, attributes)

    if isinstance(target, type):
        target._on_made = (*target._on_made, watch)
    elif isinstance(target, SyncConnection):
        watch(target._inner)
    else:
        watch(target)


def _attributes(connection: DbConnection) -> _Attributes:
    endpoint = connection._options.endpoint
    return {
        "db.system.name": "spacetimedb",
        "db.namespace": connection._explain.database,
        "server.address": endpoint.host,
        "server.port": endpoint.port,
    }


class _Watch:
    """Begins a span for what is waited for, and gives what ends it."""

    def __init__(
        self,
        tracer: trace.Tracer,
        duration: metrics.Histogram,
        attributes: _Attributes,
        query_text: bool,
    ) -> None:
        self._tracer = tracer
        self._duration = duration
        self._attributes = attributes
        self._query_text = query_text

    def __call__(self, kind: str, name: str) -> OnDone:
        operation = _OPERATIONS[kind]
        attributes: _Attributes = {**self._attributes, "db.operation.name": operation}
        about = attributes["db.namespace"]
        if kind in ("reducer", "procedure"):
            about = attributes["db.stored_procedure.name"] = name
        span = self._tracer.start_span(
            f"{operation} {about}", kind=SpanKind.CLIENT, attributes=attributes
        )
        if self._query_text and kind in ("query", "subscription"):
            span.set_attribute("db.query.text", name)
        return _Operation(span, self._duration, attributes).end


class _Operation:
    """One span, and the duration of the same."""

    def __init__(
        self, span: trace.Span, duration: metrics.Histogram, attributes: _Attributes
    ) -> None:
        self._span = span
        self._duration = duration
        self._attributes = attributes
        self._began = time.perf_counter()

    def end(self, error: Exception | None) -> None:
        attributes = self._attributes
        if error is not None:
            name = f"{type(error).__module__}.{type(error).__qualname__}"
            attributes = {**attributes, "error.type": name}
            self._span.set_attribute("error.type", name)
            self._span.set_status(Status(StatusCode.ERROR, str(error)))
        self._duration.record(time.perf_counter() - self._began, attributes)
        self._span.end()


# Metrics, without their prefix, and their units. Those that only grow:
_COUNTED = {
    "io": "By",
    "expanded": "By",
    "messages": "{message}",
    "rows.received": "{row}",
    "rows": "{row}",
    "transactions": "{transaction}",
    "time": "s",
    "reconnects": "{reconnect}",
    "pings": "{ping}",
}
# Those of what there is now:
_MEASURED = {
    "connections": "{connection}",
    "subscriptions": "{subscription}",
    "calls.in_flight": "{call}",
    "queue": "{entry}",
    "cache.rows": "{row}",
    "cache.size": "By",
}
_Point: TypeAlias = tuple[str, str, str]
"""A metric, an attribute of its own and its value; both empty where it has none."""


def _counts(core: Core) -> Iterator[tuple[_Point, float]]:
    """Of the core's numbers alone, which outlive a connection."""
    numbers = core.stats()
    for way, done in (("receive", "received"), ("transmit", "sent")):
        yield ("io", "network.io.direction", way), numbers[f"bytes_{done}"]
        yield ("messages", "network.io.direction", way), numbers[f"messages_{done}"]
        yield ("pings", "network.io.direction", way), numbers[f"pings_{done}"]
    yield ("expanded", "", ""), numbers["bytes_expanded"]
    yield ("rows.received", "", ""), numbers["rows_received"]
    for change in ("inserted", "updated", "deleted", "happened"):
        yield ("rows", "change", change), numbers[f"rows_{change}"]
    yield ("transactions", "", ""), numbers["transactions"]
    for part in ("decode", "apply", "callbacks", "frames"):
        seconds = numbers["dispatch" if part == "callbacks" else part][1]
        yield ("time", "part", part), seconds
    yield ("reconnects", "", ""), max(0, numbers["greetings"] - 1)


def _measures(connection: DbConnection) -> Iterator[tuple[_Point, float]]:
    stats, now = connection.stats, connection.state.status
    for status in ConnectionStatus:
        if status is not ConnectionStatus.CLOSED:
            yield ("connections", "state", status.value), int(status is now)
    yield ("subscriptions", "", ""), stats.subscriptions
    yield ("calls.in_flight", "", ""), stats.calls_in_flight
    yield ("queue", "queue", "messages"), stats.messages_queued
    yield ("queue", "queue", "streams"), stats.streams.waiting
    yield ("queue", "queue", "callbacks"), stats.callbacks_waiting
    for name, table in stats.tables.items():
        yield ("cache.rows", "db.collection.name", name), table.rows
        yield ("cache.size", "db.collection.name", name), table.bytes


class _Group:
    """The connections to one database, whose metrics are one sum, as of a pool."""

    def __init__(self, attributes: _Attributes) -> None:
        self._attributes = attributes
        self._connections: weakref.WeakSet[DbConnection] = weakref.WeakSet()
        # What connections had counted that are gone.
        self._retired: dict[_Point, float] = {}
        # What there was once, and is told as 0 when no connection has it any more, or none is left.
        self._measured: set[_Point] = set()

    def add(self, connection: DbConnection) -> None:
        self._connections.add(connection)
        self._measured.update(point for point, _ in _measures(connection))
        weakref.finalize(connection, self._retire, connection._core).atexit = False

    def _retire(self, core: Core) -> None:
        _add(self._retired, _counts(core))

    def observe(self, metric: str) -> Iterator[Observation]:
        is_counted = metric in _COUNTED
        sums = dict(self._retired) if is_counted else dict.fromkeys(self._measured, 0.0)
        for connection in list(self._connections):
            _add(sums, _counts(connection._core) if is_counted else _measures(connection))
        if not is_counted:
            self._measured.update(sums)
        for (name, attribute, value), total in sums.items():
            if name == metric:
                own = {attribute: value} if attribute else {}
                yield Observation(total, {**self._attributes, **own})


def _add(sums: dict[_Point, float], points: Iterable[tuple[_Point, float]]) -> None:
    for point, value in points:
        sums[point] = sums.get(point, 0) + value


class _Meters:
    """The instruments of one meter provider."""

    def __init__(self, provider: MeterProvider | None) -> None:
        meter = metrics.get_meter(_SCOPE, __version__, provider)
        self._groups: dict[tuple[str | int, ...], _Group] = {}
        self.duration = meter.create_histogram(
            "db.client.operation.duration",
            "s",
            "How long requests to the database took.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        for metric, unit in _COUNTED.items():
            name, observe = f"spacetimedb.client.{metric}", partial(self._observe, metric)
            meter.create_observable_counter(name, [observe], unit)
        for metric, unit in _MEASURED.items():
            name, observe = f"spacetimedb.client.{metric}", partial(self._observe, metric)
            meter.create_observable_up_down_counter(name, [observe], unit)

    def _observe(self, metric: str, options: CallbackOptions) -> Iterator[Observation]:
        for group in list(self._groups.values()):
            yield from group.observe(metric)

    def add(self, connection: DbConnection, attributes: _Attributes) -> None:
        self._groups.setdefault(tuple(attributes.values()), _Group(attributes)).add(connection)


_meters: dict[MeterProvider | None, _Meters] = {}


def _meters_of(provider: MeterProvider | None) -> _Meters:
    """One set for each provider, since instruments of one name must be made once."""
    if provider not in _meters:
        _meters[provider] = _Meters(provider)
    return _meters[provider]
