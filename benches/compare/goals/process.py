"""Goals for the numbers themselves: operations a second, look-ups, growth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..line import Goal, Line
from ..servers import Server
from .cache import transaction_options
from .codec import lines as codec_lines
from .sizes import Sizes

OPERATIONS = Goal(400_000, is_ratio=False)
NEAR_LINEAR = Goal(1.15, is_ratio=False, is_least=False)
ROWS_EACH = 10_000
"""Of a table where tables grow."""


def lines(sizes: Sizes) -> Iterator[Line]:
    yield from _operations(sizes)
    yield from _in_process(sizes)
    yield from _growth(sizes)


def _operations(sizes: Sizes) -> Iterator[Line]:
    for size in (1, 10, 1000):
        options = transaction_options(sizes, size)
        files = (options["data"], options["there"], options["back"])
        name = f"row events to a callback that reads 4 fields, {size:,} in a transaction"
        yield Line(name, "transactions", options, "rows/s", OPERATIONS, data=files)
    named = {line.name: line for line in codec_lines(sizes)}
    encoding, decoding = "encode message, reducer arguments", "decode message, each, every field"
    yield replace(named[encoding], name="BSATN encode of made messages", goal=OPERATIONS)
    yield replace(named[decoding], name="BSATN decode of messages, every field", goal=OPERATIONS)
    data = f"rows.message.{sizes.batch}"
    stream: Server = "stream"
    for loop in ("asyncio", "uvloop"):
        name, options = f"reducer calls handed to the socket, {loop}", {"loop": loop, "data": data}
        yield Line(name, "handing", options, "calls/s", OPERATIONS, data=(data,), server=stream)


def _in_process(sizes: Sizes) -> Iterator[Line]:
    rows = sizes.of(100_000)
    messages, count = f"rows.message.{sizes.batch}", sizes.of(1_000)
    there, back = f"changes.{count}.1", f"changes_back.{count}.1"
    files = {"data": f"applied_indexed.{rows}", "messages": messages, "there": there, "back": back}
    options = {"rows": rows, **files}

    def line(name: str, metric: str, limit: float) -> Line:
        goal, data = Goal(limit, is_ratio=False, is_least=False), tuple(files.values())
        return Line(name, "in_process", options, "us", goal, metric, other=None, data=data)

    yield line("look-up by a unique u64, CPU", "find_u64_mean", 1)
    yield line("look-up by a unique identity, CPU", "find_identity_mean", 1)
    yield line("look-up of 2 rows by an index, CPU", "filter_mean", 1)
    operations = {
        "find_u64": "look-up by a unique u64",
        "filter": "look-up of 2 rows by an index",
        "encode": "BSATN encode of a made message",
        "decode": "BSATN decode of a message, every field",
        "call": "reducer call handed over",
        "transaction": "transaction of one row with a callback",
    }
    for operation, name in operations.items():
        yield line(f"{name}, p99", f"{operation}_p99", 1000)


def _growth(sizes: Sizes) -> Iterator[Line]:
    rows = [sizes.of(count) // part for count, part in _parts(sizes)]
    data = tuple(f"applied.{count}" for count in rows)
    yield from _curve(Line("rows", "growth", {"of": "rows", "sizes": rows}, "", data=data))
    each = sizes.of(ROWS_EACH)
    tables = [1, 10, 100]
    options = {"of": "tables", "sizes": tables, "rows_each": each, "bindings": "bindings_of_100"}
    data = tuple(f"applied.{each * count}.{count}" for count in tables)
    yield from _curve(Line("tables", "growth", {**options, "tables": 100}, "", data=data))
    counts = [1, 10, 20] if sizes.most < 100 else [1, 10, 100, 1000, 2000]
    options = {"of": "connections", "sizes": counts}
    yield from _curve(Line("connections", "growth", options, "", server="peer"))


def _parts(sizes: Sizes) -> list[tuple[int, int]]:
    """Of quick sizes fractions, for there must be several."""
    if sizes.most < 1000:
        return [(sizes.most, 5), (sizes.most, 2), (sizes.most, 1)]
    return [(10**power, 1) for power in range(3, 7)] + [(5_000_000, 1)]


def _curve(line: Line) -> Iterator[Line]:
    """A line for each size, and one for the slope of them all."""
    of, common = line.options["of"], replace(line, other=None, rounds=2)
    for size in line.options["sizes"]:
        name = f"growth, {size:,} {of}: CPU for each"
        yield replace(common, name=name, unit="us", metric=f"at_{size}")
    name = f"growth, {of}: slope"
    yield replace(common, name=name, unit="1 is linear", metric="slope", goal=NEAR_LINEAR)
