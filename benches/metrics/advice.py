"""What a program could do better. Nothing is advised without a figure that says so."""

from __future__ import annotations

from collections.abc import Callable

from .model import Facts

SLOW_CALLBACK = 10_000_000
"""Nanoseconds: meanwhile no message is read."""
CALLBACK_SHARE = 0.5
SCANNED_ROWS = 10_000
READS_PER_ROW = 8.0


def advice(facts: Facts) -> list[str]:
    """Sentences, the most urgent first; empty when all is well."""
    return [sentence for rule in _RULES for sentence in rule(facts)]


def _full_queue(facts: Facts) -> list[str]:
    if not facts.dropped and not facts.overflows:
        return []
    what = f"{facts.dropped:,} entries dropped, {facts.overflows} streams ended by StreamOverflow"
    return [
        f"a stream's queue was full ({what}): its reader is slower than the server. Give it a "
        'larger `size`, take `overflow="conflate"` where only the newest state matters, or read in '
        "a task that does nothing else (docs/topics/reacting.md)"
    ]


def _slow_callbacks(facts: Facts) -> list[str]:
    found: list[str] = []
    name = facts.slowest_callback or "a callback"
    if facts.callback_p99 is not None and facts.callback_p99 > SLOW_CALLBACK:
        found.append(
            f"{name} takes {facts.callback_p99 / 1e6:.1f} ms (p99), and meanwhile no message is "
            "read: hand the row to a task or a thread, or read a stream instead"
        )
    if facts.callback_seconds is not None and facts.work_seconds:
        share = facts.callback_seconds / facts.work_seconds
        if share > CALLBACK_SHARE:
            found.append(
                f"callbacks take {share:.0%} of the time, {name} most of it: on_transaction is "
                "called once for all rows of a message, and what nobody listens to costs no objects"
            )
    return found


def _unused_index(facts: Facts) -> list[str]:
    return [
        f"table {table} was iterated {times} times, {rows:,} rows in all, and its indexes were "
        "never asked: `find`, `filter` and `range` give the wanted rows without the others "
        "(docs/topics/indexes.md)"
        for table, (times, rows) in facts.scans.items()
        if times > 1
        and rows >= SCANNED_ROWS
        and table in facts.indexed
        and not sum(facts.lookups.get(table, (0, 0)))
    ]


def _missing_index(facts: Facts) -> list[str]:
    return [
        f"table {table} was iterated {times} times, {rows:,} rows in all, and has no index: give "
        "its columns one in the module, or keep `live` rows of those that are wanted"
        for table, (times, rows) in facts.scans.items()
        if times > 1 and rows >= SCANNED_ROWS and table not in facts.indexed
    ]


def _wrong_row_kind(facts: Facts) -> list[str]:
    if facts.reads_per_row is None or facts.reads_per_row <= READS_PER_ROW:
        return []
    return [
        f"fields of a row are read {facts.reads_per_row:.0f} times: rows are bytes and a field is "
        "decoded whenever it is read, which suits rows of which little is read once. Take what is "
        "needed more often into variables or a class of your own (docs/topics/rows.md)"
    ]


def _no_uvloop(facts: Facts) -> list[str]:
    if facts.loop != "asyncio" or facts.call_p50 is None:
        return []
    how = (
        "it is installed: `anyio.run(main, backend_options={'use_uvloop': True})`"
        if facts.is_uvloop_there
        else "`pip install uvloop`, then `anyio.run(main, backend_options={'use_uvloop': True})`"
    )
    return [
        f"a call takes {facts.call_p50 / 1e3:.0f} us (p50) on asyncio's own loop; uvloop takes "
        f"less for each read and write: {how}"
    ]


_RULES: tuple[Callable[[Facts], list[str]], ...] = (
    _full_queue,
    _slow_callbacks,
    _unused_index,
    _missing_index,
    _wrong_row_kind,
    _no_uvloop,
)
