"""What every benchmark has in common."""

from __future__ import annotations

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    # One run a round: of several, pytest-codspeed 5.0.4 divides by their number once too often for
    # the table that it prints. Here no run is so short that it would need others around it.
    item.add_marker(pytest.mark.benchmark(min_time=0, max_time=1))
    # Simulation has one round, however many a benchmark asks for, and warns of it.
    item.add_marker(pytest.mark.filterwarnings("ignore:Simulation instrument ignores rounds"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # What an event loop does hangs on the time, and what it leaves of the heap decides which lines
    # of the cache the next ones share.
    items.sort(key=lambda item: item.get_closest_marker("event_loop") is not None)
