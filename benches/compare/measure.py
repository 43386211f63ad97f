"""What one process measures, and how it tells: used by every scenario of the Python side.

`typescript/measure.mjs` is the same for the other side.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WARM_SECONDS = 0.4
"""Of CPU, as all of what a run takes: on a busy machine the wall clock would end it too early."""
SECONDS = 0.6
WINDOW = 0.001
"""Seconds between two looks at the clocks, which take as long as the shortest bodies."""


@dataclass
class Run:
    """One scenario, once."""

    options: Mapping[str, Any]
    folder: Path
    """The data files."""
    bindings: Any
    is_quick: bool = False

    @property
    def warm_seconds(self) -> float:
        return 0.0 if self.is_quick else WARM_SECONDS

    @property
    def seconds(self) -> float:
        return 0.0 if self.is_quick else SECONDS


@dataclass
class Result:
    """`rates` are work with the seconds it took, `values` numbers of any other kind."""

    rates: dict[str, dict[str, float]] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    checksum: float = 0

    def as_json(self) -> dict[str, Any]:
        return {"rates": self.rates, "values": self.values, "checksum": self.checksum}


class Stopwatch:
    """Adds up work and the time it took, by the process's CPU and by the wall."""

    def __init__(self) -> None:
        self.work = 0
        self.cpu = 0.0
        self.wall = 0.0

    @contextmanager
    def running(self, work: int) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.cpu += time.process_time() - cpu
        self.wall += time.perf_counter() - wall
        self.work += work

    def rate(self) -> dict[str, float]:
        return {"work": self.work, "cpu": self.cpu, "wall": self.wall}


def repeat(run: Run, work: int, body: Callable[[], float]) -> Result:
    """A body that does so much work each time, until it is warm and then for a while."""
    checksum, bodies = body(), 1
    end = time.process_time() + run.warm_seconds
    while time.process_time() < end:
        body()
        bodies += 1
    at_once = max(1, int(bodies * WINDOW / WARM_SECONDS))
    watch = Stopwatch()
    while watch.cpu < run.seconds or not watch.work:
        with watch.running(work * at_once):
            for _ in range(at_once):
                again = body()
        assert again == checksum, f"the checksum {checksum} has become {again}"
    return Result(rates={"rate": watch.rate()}, checksum=checksum)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p99, in microseconds."""
    ordered = sorted(seconds)
    return {
        name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e6
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }
