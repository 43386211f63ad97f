"""Latencies in nanoseconds, kept by HdrHistogram: three digits of each value, at any size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hdrh.histogram import HdrHistogram
from typing_extensions import Self

HIGHEST = 3_600_000_000_000
"""An hour; what takes longer counts as that."""
DIGITS = 3


class Histogram:
    """Counts of values from 1 ns to an hour. Recording costs about 2 us: do so after the work."""

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._counts: Any = HdrHistogram(1, HIGHEST, DIGITS)
        self.record_all(values)

    def record(self, nanoseconds: int) -> None:
        self._counts.record_value(min(max(nanoseconds, 0), HIGHEST))

    def record_all(self, nanoseconds: Iterable[int]) -> None:
        for value in nanoseconds:
            self.record(value)

    def add(self, other: Histogram) -> None:
        """Its values too."""
        self._counts.add(other._counts)

    @property
    def count(self) -> int:
        return int(self._counts.get_total_count())

    @property
    def mean(self) -> float:
        """0.0 without values."""
        return float(self._counts.get_mean_value())

    @property
    def highest(self) -> int:
        """The largest value, up to the three digits; 0 without values."""
        return int(self._counts.get_max_value())

    def percentile(self, percent: float) -> int:
        """The value that so many percent do not exceed; 0 without values."""
        return int(self._counts.get_value_at_percentile(percent))

    def encode(self) -> str:
        """The histogram in the format that all implementations of HdrHistogram read."""
        encoded: bytes = self._counts.encode()
        return encoded.decode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """What `encode` gave. Raises ValueError."""
        made = cls()
        try:
            made._counts.decode_and_add(text.encode())
        except Exception as error:
            raise ValueError(f"not an encoded HdrHistogram: {text[:40]!r}") from error
        return made
