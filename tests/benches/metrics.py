"""Runs made up for tests of the metrics."""

from __future__ import annotations

import random
from collections.abc import Sequence

from benches.metrics.model import Better, Metric, Run


def noisy(
    middle: float, noise: float, seed: int, rounds: int = 7, better: Better = "lower"
) -> Metric:
    """Rounds around a value, the same ones for each seed; `noise` is a part of it."""
    chance = random.Random(seed)
    values = tuple(middle * (1 + chance.gauss(0, noise)) for _ in range(rounds))
    return Metric("latency", "ns", better, values)


def exact(values: Sequence[float], better: Better = "lower", name: str = "latency") -> Metric:
    return Metric(name, "ns", better, tuple(values))


def run(*metrics: Metric) -> Run:
    return Run("a test", metrics, environment={"python": "CPython 3.13", "cores": "2"})
