"""Histograms keep three digits of every value, and survive a file."""

from __future__ import annotations

import random

import pytest

from benches.metrics.histogram import HIGHEST, Histogram

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("percent", [0, 1, 50, 90, 99, 99.9, 100])
def test_percentiles_are_those_of_the_values(percent: float) -> None:
    """Against the sorted values, from nanoseconds to minutes."""
    chance = random.Random(percent)
    values = sorted(int(10 ** chance.uniform(0, 11)) for _ in range(5_000))
    found = Histogram(values).percentile(percent)
    expected = values[max(0, -(-len(values) * percent // 100).__int__() - 1)]
    assert abs(found - expected) <= expected / 1000 + 1


def test_count_mean_and_highest() -> None:
    histogram = Histogram([100, 200, 300])
    assert histogram.count == 3
    assert histogram.mean == pytest.approx(200, rel=0.002)
    assert histogram.highest == pytest.approx(300, rel=0.001)


def test_nothing_recorded() -> None:
    histogram = Histogram()
    assert (histogram.count, histogram.mean, histogram.percentile(99)) == (0, 0.0, 0)


def test_what_is_too_large_counts_as_the_largest() -> None:
    histogram = Histogram([HIGHEST * 2])
    assert histogram.count == 1
    assert histogram.percentile(100) == pytest.approx(HIGHEST, rel=0.001)


def test_two_together() -> None:
    histogram = Histogram([10] * 99)
    histogram.add(Histogram([1_000_000]))
    assert histogram.count == 100
    assert histogram.percentile(99) == 10
    assert histogram.percentile(100) == pytest.approx(1_000_000, rel=0.001)


def test_through_a_file() -> None:
    histogram = Histogram(range(1, 10_000, 7))
    again = Histogram.decode(histogram.encode())
    assert again.count == histogram.count
    assert [again.percentile(p) for p in (1, 50, 99)] == [
        histogram.percentile(p) for p in (1, 50, 99)
    ]


def test_not_a_histogram() -> None:
    with pytest.raises(ValueError, match="not an encoded HdrHistogram"):
        Histogram.decode("nonsense")
