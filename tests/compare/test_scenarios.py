"""Every scenario of benches/compare runs on both sides, tiny, and both read the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet

from benches.compare.builds import RunError
from benches.compare.driver import Bench, key_of, run_round
from benches.compare.goals import all_lines
from benches.compare.line import Line
from benches.compare.place import bench

pytestmark = pytest.mark.slow

# One line for each run: other lines tell other things of the same one.
RUNS = {key_of(line): line for line in reversed(all_lines(is_quick=True))}.values()


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
    if line.options.get("mode") == "array":
        with pytest.raises(RunError, match="no buffer or array"):
            run_round(place, line, 0)
        return
    answers = run_round(place, line, 0)
    assert set(answers) == set(line.sides)
    for answer in answers.values():
        assert line.metric in (answer["rates"] if line.is_rate else answer["values"])
        assert answer["values"].get("served", 1) == 1
