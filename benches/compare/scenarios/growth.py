"""How cost grows with rows, tables and connections: cost of each at several sizes, and the slope.

The slope is that of the line through the logarithms of size and whole time: 1 is linear.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..loops import run_in
from ..measure import Result, Run, Stopwatch
from ..memory_wire import connected, subscribe
from .connections import connecting, opened
from .subscribe import body_of


async def _fed(run: Run, file: str, queries: list[str]) -> float:
    """CPU seconds of the answer to one subscription; the best of three."""
    body, times = body_of(run.folder / file), []
    for _ in range(3):
        async with connected(run.bindings) as (connection, wire):
            subscribe(connection, *queries)
            frame, watch = wire.applied(body), Stopwatch()
            with watch.running(1):
                wire.feed(frame)
            times.append(watch.cpu)
    return min(times)


async def _rows(run: Run, size: int) -> float:
    return await _fed(run, f"applied.{size}", ["SELECT * FROM message"])


async def _tables(run: Run, size: int) -> float:
    queries = [f"SELECT * FROM message_{number}" for number in range(1, size + 1)]
    return await _fed(run, f"applied.{size * run.options['rows_each']}.{size}", queries)


async def _connections(run: Run, size: int) -> float:
    watch = Stopwatch()
    async with opened(connecting(run), size, watch):
        return watch.cpu


_COSTS = {"rows": _rows, "tables": _tables, "connections": _connections}


async def _run(run: Run) -> Result:
    cost = _COSTS[run.options["of"]]
    seconds = {size: await cost(run, size) for size in run.options["sizes"]}
    values = {f"at_{size}": time / size * 1e6 for size, time in seconds.items()}
    return Result(values={**values, "slope": slope(seconds)})


def slope(seconds: Mapping[int, float]) -> float:
    """By least squares."""
    points = [(math.log(size), math.log(max(time, 1e-9))) for size, time in seconds.items()]
    mean_x, mean_y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    above: float = sum((x - mean_x) * (y - mean_y) for x, y in points)
    below: float = sum((x - mean_x) ** 2 for x, _ in points)
    return above / below


def run(run: Run) -> Result:
    """Options: `of` rows, tables or connections, `sizes`, and what the data needs."""
    return run_in("asyncio", _run(run))
