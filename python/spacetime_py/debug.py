"""A connection for people: one line for `repr`, and a table to print. Neither has a token."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .state import ConnectionState, ConnectionStatus
from .stats import CallStats, ConnectionStats, Timing

if TYPE_CHECKING:
    from .connection import DbConnection

# Hex digits of an identity by which people tell it from others.
_SHORT = 12


def summary(connection: DbConnection) -> str:
    """The line for `repr`."""
    stats, state = connection.stats, connection.state
    explain, link = connection._explain, connection._link
    status = "not entered" if link is None else state.status.value
    who = (
        ""
        if link is None or link.greeting is None
        else f" as {str(link.greeting.identity)[:_SHORT]}"
    )
    by = "" if connection.protocol is None else f" by {connection.protocol}"
    counts = f"{stats.subscriptions} subscriptions, {stats.cached_rows} rows"
    return f"<DbConnection {status}, {explain.place}{by}{who}: {counts}>"


class DebugView:
    """What a connection was like at one moment. `print` it; a notebook shows it by itself."""

    def __init__(self, connection: DbConnection) -> None:
        self._text = "\n".join(_lines(connection))

    def __str__(self) -> str:
        return self._text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self._text)}</pre>"


def _lines(connection: DbConnection) -> Iterable[str]:
    stats = connection.stats
    yield summary(connection)
    yield from _table("state", [[_state(connection.state)]])
    yield from _table("subscriptions", _subscriptions(connection))
    held = {name: table for name, table in stats.tables.items() if table.rows}
    tables = [(name, f"{one.rows} rows", _size(one.bytes)) for name, one in held.items()]
    yield from _table("tables", tables)
    calls = connection._dispatcher.calls.values()
    yield from _table("calls in flight", [[str(call)] for call in calls])
    yield from _table("calls", _call_stats(stats))
    yield from _table("traffic", _traffic(stats))
    yield from _table("time", _times(stats))


def _table(title: str, rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Columns below each other; nothing for no rows."""
    if not rows:
        return
    yield title
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


def _state(state: ConnectionState) -> str:
    text = state.status.value
    if state.attempt:
        text += f", attempt {state.attempt} after {state.retry_in:.1f} s"
    if state.error is not None and state.status is not ConnectionStatus.CONNECTED:
        text += f": {type(state.error).__name__}: {state.error}"
    return text


def _subscriptions(connection: DbConnection) -> list[tuple[str, str, str]]:
    sizes = dict(connection._core.query_set_sizes() or ())
    rows: list[tuple[str, str, str]] = []
    for number, one in list(connection._dispatcher.subscriptions.items()):
        state = "ending" if one.is_unsubscribing else "active" if one.is_active else "pending"
        size = f"{sizes[number]} rows" if number in sizes else f"{one.new_rows} rows when applied"
        first, *others = one.queries
        rows += [(state, size, first), *(("", "", query) for query in others)]
    return rows


def _call_stats(stats: ConnectionStats) -> list[tuple[str, ...]]:
    def row(kind: str, calls: CallStats) -> tuple[str, ...]:
        counts = f"{calls.sent} sent", f"{calls.answered} answered", f"{calls.failed} failed"
        return kind, *counts, *_percentiles(calls.latency)

    kinds = {
        "reducers": stats.reducers,
        "procedures": stats.procedures,
        "queries": stats.queries,
    }
    return [row(kind, calls) for kind, calls in kinds.items() if calls.sent]


def _traffic(stats: ConnectionStats) -> list[tuple[str, str]]:
    received = f"{_size(stats.bytes_received)}, {stats.messages_received} messages"
    changes = f"{stats.rows_inserted} inserted, {stats.rows_updated} updated"
    streams = stats.streams
    return [
        ("received", f"{received}, {stats.rows_received} rows"),
        ("sent", f"{_size(stats.bytes_sent)}, {stats.messages_sent} messages"),
        ("transactions", f"{stats.transactions}: {changes}, {stats.rows_deleted} deleted"),
        ("streams", f"{streams.open} open, {streams.waiting} waiting, {streams.dropped} dropped"),
        ("waiting", f"{stats.messages_queued} messages, {stats.callbacks_waiting} callbacks"),
        ("lost", f"{stats.reconnects} reconnects, {stats.calls_lost} calls lost"),
    ]


def _times(stats: ConnectionStats) -> list[tuple[str, ...]]:
    parts = {
        "decode": stats.decode,
        "apply": stats.apply,
        "callbacks": stats.callbacks,
        "frames": stats.frames,
    }
    return [
        (name, f"{one.count} times", f"total {_duration(one.total)}", *_percentiles(one))
        for name, one in parts.items()
        if one.count
    ]


def _percentiles(timing: Timing) -> tuple[str, str, str]:
    named = (("p50", timing.p50), ("p99", timing.p99), ("max", timing.max))
    p50, p99, longest = (f"{name} {_duration(value)}" for name, value in named)
    return p50, p99, longest


def _duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} us"


def _size(count: int) -> str:
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.1f} KiB" if count < 1 << 20 else f"{count / (1 << 20):.1f} MiB"
