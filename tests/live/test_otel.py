"""OpenTelemetry with its real SDK: what a connection to a real server gives to exporters."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv.attributes import (
    db_attributes,
    error_attributes,
    server_attributes,
)
from opentelemetry.semconv.metrics import db_metrics
from opentelemetry.trace import SpanKind, StatusCode

from spacetime_py import SenderError, SubscriptionError
from spacetime_py.otel import instrument

from .target import Target, until

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]

PREFIX = "spacetimedb.client."


class Sdk:
    """The SDK as a program sets it up, with exporters that can be read."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader])

    def instrument(self, target: Any, **options: Any) -> None:
        inner = getattr(target, "_connection", target)
        instrument(inner, tracer_provider=self.tracers, meter_provider=self.meters, **options)

    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def points(self, name: str) -> list[tuple[Mapping[str, Any], Any]]:
        """Attributes and value, or histogram point, of a metric."""
        data = self._reader.get_metrics_data()
        found: list[tuple[Mapping[str, Any], Any]] = []
        for resource in data.resource_metrics if data is not None else ():
            for metric in (one for scope in resource.scope_metrics for one in scope.metrics):
                if metric.name == name:
                    points: Iterable[Any] = metric.data.data_points
                    found += [(dict(one.attributes), getattr(one, "value", one)) for one in points]
        return found

    def value(self, name: str, **wanted: str) -> Any:
        """The one value of a metric that has these attributes."""
        items = {key.replace("__", "."): value for key, value in wanted.items()}.items()
        (value,) = [one for has, one in self.points(PREFIX + name) if items <= has.items()]
        return value


@pytest.fixture
def sdk() -> Sdk:
    return Sdk()


def place_of(target: Target) -> dict[str, Any]:
    host, _, port = target.database.url.removeprefix("http://").partition(":")
    return {
        db_attributes.DB_SYSTEM_NAME: "spacetimedb",
        db_attributes.DB_NAMESPACE: target.database.name,
        server_attributes.SERVER_ADDRESS: host,
        server_attributes.SERVER_PORT: int(port),
    }


async def test_spans_of_all_that_is_asked(chat: Target, sdk: Sdk) -> None:
    connection = chat.connect()
    sdk.instrument(connection)
    tracer = sdk.tracers.get_tracer("test")
    with tracer.start_as_current_span("outer") as outer:
        async with connection:
            await connection.subscribe("SELECT * FROM user")
            await connection.reducers.set_name("Ada")
            await connection.query("SELECT * FROM user")
    *spans, last = sdk.spans()
    assert last.name == "outer"
    name = chat.database.name
    assert [span.name for span in spans] == [
        f"connect {name}",
        f"subscribe {name}",
        "call_reducer set_name",
        f"query {name}",
    ]
    for span, operation in zip(
        spans, ("connect", "subscribe", "call_reducer", "query"), strict=True
    ):
        wanted = {**place_of(chat), db_attributes.DB_OPERATION_NAME: operation}
        if operation == "call_reducer":
            wanted[db_attributes.DB_STORED_PROCEDURE_NAME] = "set_name"
        assert dict(span.attributes or {}) == wanted
        assert span.kind is SpanKind.CLIENT
        assert span.status.status_code is StatusCode.UNSET
        assert span.parent is not None
        assert span.parent.span_id == outer.get_span_context().span_id
        assert (span.end_time or 0) > (span.start_time or 0)


async def test_spans_of_failures(chat: Target, sdk: Sdk) -> None:
    connection = chat.connect()
    sdk.instrument(connection, query_text=True)
    async with connection:
        with pytest.raises(SenderError) as caught:
            await connection.reducers.set_name("")
        with pytest.raises(SubscriptionError):
            await connection.subscribe("SELECT * FROM nothing")
        token = connection.token
    _, call, subscription = sdk.spans()
    for span, error in ((call, "SenderError"), (subscription, "SubscriptionError")):
        assert span.status.status_code is StatusCode.ERROR
        assert (span.attributes or {})[error_attributes.ERROR_TYPE] == f"spacetime_py.{error}"
    assert call.status.description == str(caught.value)
    text = (subscription.attributes or {})[db_attributes.DB_QUERY_TEXT]
    assert text == "SELECT * FROM nothing"
    assert token not in "".join(span.to_json() for span in sdk.spans())
    durations = sdk.points(db_metrics.DB_CLIENT_OPERATION_DURATION)
    failed = {
        has[db_attributes.DB_OPERATION_NAME]: has.get(error_attributes.ERROR_TYPE)
        for has, _ in durations
    }
    assert failed == {
        "connect": None,
        "call_reducer": "spacetime_py.SenderError",
        "subscribe": "spacetime_py.SubscriptionError",
    }


async def test_metrics_are_the_numbers_of_the_connection(all_types: Target, sdk: Sdk) -> None:
    connection = all_types.connect()
    sdk.instrument(connection)
    async with connection:
        await connection.subscribe("SELECT * FROM bulk")
        await connection.reducers.bulk_insert(0, 100, 0)
        await connection.reducers.bulk_update(0, 40, 1)
        stats = connection.stats
        received = {"network__io__direction": "receive"}
        assert sdk.value("io", **received) == stats.bytes_received > 0
        assert sdk.value("messages", **received) == stats.messages_received == 4
        assert sdk.value("rows", change="inserted") == 100
        assert sdk.value("rows", change="updated") == 40
        assert sdk.value("transactions") == 2
        assert sdk.value("cache.rows", db__collection__name="bulk") == 100
        assert sdk.value("cache.size", db__collection__name="bulk") == stats.tables["bulk"].bytes
        assert sdk.value("connections", state="connected") == 1
        assert sdk.value("time", part="apply") == pytest.approx(stats.apply.total)
        assert sdk.value("subscriptions") == 1
        assert sdk.value("reconnects") == 0
        ((has, _),) = sdk.points(f"{PREFIX}transactions")
        assert has == place_of(all_types)
        durations = {
            has.get(db_attributes.DB_STORED_PROCEDURE_NAME, has[db_attributes.DB_OPERATION_NAME]): (
                point.count
            )
            for has, point in sdk.points(db_metrics.DB_CLIENT_OPERATION_DURATION)
        }
        assert durations == dict.fromkeys(("connect", "subscribe", "bulk_insert", "bulk_update"), 1)
    assert sdk.value("connections", state="connected") == 0


async def test_what_a_gone_connection_counted_stays(chat: Target, sdk: Sdk) -> None:
    """All connections of the class are watched; what they counted only grows."""

    class Watched(chat.bindings.DbConnection):  # type: ignore[misc, name-defined]
        pass

    sdk.instrument(Watched)
    options = {"uri": chat.database.url, "database": chat.database.name}

    gone: list[weakref.finalize[[], Any]] = []

    async def once() -> None:
        async with Watched(**options, protocols=chat.place.protocols) as connection:
            sdk.instrument(connection)  # again: nothing happens
            gone.append(weakref.finalize(connection, lambda: None))
            await connection.reducers.set_name("Ada")

    await once()
    await once()
    await until(lambda: gc.collect() >= 0 and not any(one.alive for one in gone))
    assert sdk.value("connections", state="connected") == 0
    sent = sdk.value("messages", network__io__direction="transmit")
    assert sent == 2
    assert len([span for span in sdk.spans() if span.name == "call_reducer set_name"]) == 2
    async with Watched(**options, protocols=chat.place.protocols) as connection:
        await connection.reducers.set_name("Eve")
        assert sdk.value("messages", network__io__direction="transmit") == 3


async def test_calls_through_a_facade_keep_their_parents(chat: Target, sdk: Sdk) -> None:
    """The facade makes requests in its own thread; the span of the caller is the parent."""
    connection = chat.connect()
    sdk.instrument(connection)
    async with connection:
        with sdk.tracers.get_tracer("test").start_as_current_span("outer") as outer:
            await connection.reducers.set_name("Ada")
    (call,) = [span for span in sdk.spans() if span.name == "call_reducer set_name"]
    assert call.parent is not None
    assert call.parent.span_id == outer.get_span_context().span_id
