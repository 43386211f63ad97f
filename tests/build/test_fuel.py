"""Fuel is what users pay for: it stays what was written down, and the guide says the same."""

from __future__ import annotations

import statistics
import urllib.request
from uuid import uuid4

import pytest

from benches import fuel
from tests.server.api import Api, Database
from tests.server.python_modules import python_module

pytestmark = pytest.mark.runtime

ENERGY_OF_FUEL = 1_000
REMEDY = "when that is meant to be: python -m benches.fuel --update"


@pytest.mark.real_server  # the twin in Rust needs its compiler
def test_operations_cost_what_is_written_down() -> None:
    assert list(fuel.changes(fuel.expected(), fuel.measure_all())) == [], REMEDY


def test_a_change_is_noticed() -> None:
    before = fuel.expected()
    name, cost = next(iter(before["python"].items()))
    for factor, is_noticed in ((1.03, True), (0.97, True), (1.01, False)):
        python = {**before["python"], name: round(cost * factor)}
        found = list(fuel.changes(before, {**before, "python": python}))
        assert bool(found) == is_noticed, found
        assert all(one.startswith(f"python, {name}: ") for one in found)


def test_the_guide_has_the_same_table() -> None:
    assert fuel.GUIDE.read_text() == fuel.guide_with(fuel.expected()), REMEDY


@pytest.mark.real_server
def test_a_server_counts_the_same(server: Api) -> None:
    database = server.publish(f"fuel-{uuid4().hex}", python_module("all_types"))
    used = statistics.median(energy_of_noop(database) for _ in range(fuel.ROUNDS))
    server.delete(database.name)
    written = fuel.expected()["python"]["an empty reducer"]
    assert used == pytest.approx(written * ENERGY_OF_FUEL, rel=0.02)


def energy_of_noop(database: Database) -> int:
    headers = {"Content-Type": "application/json"}
    headers["Authorization"] = f"Bearer {database.owner.token}"
    url = f"{database.url}/v1/database/{database.name}/call/noop"
    request = urllib.request.Request(url, b"[]", headers, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.headers["spacetime-energy-used"])
