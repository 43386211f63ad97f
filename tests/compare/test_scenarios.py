"""Every scenario of benches/compare runs on both sides, tiny, and both read the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet

from benches.compare.driver import Bench, run_round
from benches.compare.goals import all_lines
from benches.compare.goals.sizes import QUICK
from benches.compare.line import Line
from benches.compare.place import bench

pytestmark = pytest.mark.slow

# One line of each scenario, with each server and each other side: the rest differ in data and size.
RUNS = {
    (line.scenario, line.server, tuple(line.sides)): line for line in reversed(all_lines(QUICK))
}.values()


@pytest.fixture(scope="module")
def place() -> Iterator[Bench]:
    with bench(is_quick=True) as place:
        yield place


def params() -> Iterator[ParameterSet]:
    for line in RUNS:
        marks = [pytest.mark.real_server] if line.server == "chat-1.2.0" else []
        yield pytest.param(line, id=line.name, marks=marks)


@pytest.mark.parametrize("line", list(params()))
def test_both_sides_run(place: Bench, line: Line) -> None:
    place.prepare(line)
    answers = run_round(place, line, 0)
    assert set(answers) == set(line.sides)
    for answer in answers.values():
        assert line.metric in (answer["rates"] if line.is_rate else answer["values"])
        assert answer["values"].get("served", 1) == 1
