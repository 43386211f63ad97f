"""From the rounds of a line to what is told of it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """The median over the rounds, and the ends."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Round by round, for the sides of one round ran one after the other."""
    return Spread.of([one / max(other, 1e-9) for one, other in zip(ours, theirs, strict=True)])
