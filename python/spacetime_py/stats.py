"""What a connection has done so far, in numbers: `connection.stats`.

The core counts (crates/spacetime_py_core/src/client/stats.rs); this adds what only Python knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from ._core import Connection as Core
from .callbacks import Guard
from .dispatch import Dispatcher


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations in seconds, of all that were measured since the connection was made.

    Percentiles are those of a histogram with four steps for each doubling: right to an eighth.
    """

    count: int
    total: float
    max: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class CallStats:
    """Calls of one kind."""

    sent: int
    answered: int
    """Failed ones included."""
    failed: int
    """The server's answer was an error."""
    latency: Timing
    """From the call to its answer, which the cache has by then."""


@dataclass(frozen=True, slots=True)
class TableStats:
    """The cache of one table."""

    rows: int
    bytes: int
    """Memory held for the rows and for finding them by unique columns."""


@dataclass(frozen=True, slots=True)
class StreamStats:
    """The streams that are open now."""

    open: int
    waiting: int
    """Entries that can be read without waiting."""
    dropped: int
    """Entries that these streams left out by their `overflow` policies."""


@dataclass(frozen=True, slots=True)
class ConnectionStats:
    """One moment of a connection. Numbers count from its making on, over all reconnects."""

    bytes_received: int
    """From the socket, the WebSocket's own included."""
    bytes_expanded: int
    """The server's messages after decompression."""
    bytes_sent: int
    messages_received: int
    messages_sent: int
    messages_queued: int
    """Requests that wait for the socket."""
    rows_received: int
    """Rows in the server's messages: one that two queries cover comes twice."""
    rows_inserted: int
    """Rows that came into the cache, as `on_insert` hears of them; so the next two."""
    rows_updated: int
    rows_deleted: int
    rows_happened: int
    """Rows of event tables."""
    transactions: int
    """Committed ones that this client was told of."""
    decode: Timing
    """Decompressing, decoding and checking one message."""
    apply: Timing
    """Putting the rows of one message into the cache."""
    callbacks: Timing
    """Telling of one message: callbacks, live rows and streams; with `frame_tick`, queueing."""
    frames: Timing
    """The calls of `frame_tick`."""
    callbacks_failed: int
    """Those that raised."""
    callbacks_waiting: int
    """For the next `frame_tick`."""
    reducers: CallStats
    procedures: CallStats
    queries: CallStats
    calls_in_flight: int
    calls_lost: int
    """Calls whose connection ended before the answer."""
    subscriptions: int
    """Those that have not ended."""
    streams: StreamStats
    tables: dict[str, TableStats]
    """By name."""
    reconnects: int
    """Greetings after the first."""
    pings_sent: int
    pings_received: int

    @property
    def cached_rows(self) -> int:
        return sum(table.rows for table in self.tables.values())

    @property
    def cached_bytes(self) -> int:
        return sum(table.bytes for table in self.tables.values())


def snapshot(core: Core, dispatcher: Dispatcher, guard: Guard) -> ConnectionStats:
    """May be taken from any thread."""
    values = core.stats()
    sizes: list[tuple[str, int, int]] = values.pop("tables")
    values["callbacks"] = values.pop("dispatch")
    values["reconnects"] = max(0, values.pop("greetings") - 1)
    for name in ("decode", "apply", "callbacks", "frames"):
        values[name] = Timing(*values[name])
    for name in ("reducers", "procedures", "queries"):
        sent, answered, failed, latency = values[name]
        values[name] = CallStats(sent, answered, failed, Timing(*latency))
    streams = dispatcher.hub.streams()
    return ConnectionStats(
        **values,
        callbacks_failed=guard.failures,
        callbacks_waiting=0 if guard.queue is None else len(guard.queue),
        calls_in_flight=len(dispatcher.calls),
        calls_lost=dispatcher.calls_lost,
        subscriptions=len(dispatcher.subscriptions),
        streams=StreamStats(
            len(streams),
            sum(stream.waiting for stream in streams),
            sum(stream.dropped for stream in streams),
        ),
        tables={name: TableStats(rows, memory) for name, rows, memory in sizes},
    )
