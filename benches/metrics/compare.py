"""Two runs against each other: what became worse by more than both of them vary.

The noise of a metric is three standard errors of the difference of its medians, by the deviation
of the rounds in both files. A change counts when it is larger than that and than a floor: two runs
on one machine differ by more than rounds of one run do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .model import Metric, Run

Verdict = Literal["regression", "improvement", "same", "missing", "new", "too few rounds"]

ERRORS = 3.0
MIN_ROUNDS = 3
FAILING: tuple[Verdict, ...] = ("regression", "missing")
# The standard error of a median, in those of a mean.
_MEDIAN = 1.2533


@dataclass(frozen=True)
class Comparison:
    """One metric of both runs."""

    name: str
    unit: str
    before: float | None
    after: float | None
    worse: float
    """The part by which it became worse; negative when it became better."""
    noise: float
    """What a change must exceed, as such a part."""
    verdict: Verdict

    @property
    def is_failing(self) -> bool:
        return self.verdict in FAILING


def compare(before: Run, after: Run, floor: float = 0.05) -> list[Comparison]:
    """Every metric that has a better and a worse, in the order of the first run."""
    return [
        *(_compare(metric, after.metric(metric.name), floor) for metric in _judged(before.metrics)),
        *(_new(metric) for metric in _judged(after.metrics) if before.metric(metric.name) is None),
    ]


def _judged(metrics: Iterable[Metric]) -> list[Metric]:
    return [metric for metric in metrics if metric.better != "neither"]


def _new(metric: Metric) -> Comparison:
    return Comparison(metric.name, metric.unit, None, metric.median, 0.0, 0.0, "new")


def _compare(before: Metric, after: Metric | None, floor: float) -> Comparison:
    if after is None:
        return Comparison(before.name, before.unit, before.median, None, 0.0, 0.0, "missing")
    scale = abs(before.median)
    change = after.median - before.median
    worse = _part(change if before.better == "lower" else -change, scale)
    noise = max(floor, _part(ERRORS * math.hypot(_error(before), _error(after)), scale))
    return Comparison(
        before.name,
        before.unit,
        before.median,
        after.median,
        worse,
        noise,
        _verdict(worse, noise, min(len(before.rounds), len(after.rounds))),
    )


def _verdict(worse: float, noise: float, rounds: int) -> Verdict:
    if rounds < MIN_ROUNDS:
        return "too few rounds"
    if worse > noise:
        return "regression"
    return "improvement" if worse < -noise else "same"


def _error(metric: Metric) -> float:
    """The standard error of the median of the rounds."""
    return _MEDIAN * metric.deviation / math.sqrt(len(metric.rounds))


def _part(value: float, scale: float) -> float:
    """Of nothing, anything is infinitely much."""
    if value == 0.0:
        return 0.0
    return value / scale if scale else math.copysign(math.inf, value)
