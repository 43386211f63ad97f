"""What is told of a line: ratios of rounds, goals by both clocks, failures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benches.compare.builds import RunError
from benches.compare.driver import Bench, key_of, run_lines, run_round, selected
from benches.compare.goals import all_lines
from benches.compare.line import Goal, Line, at_least, at_most
from benches.compare.outcome import Outcome, outcome
from benches.compare.report import page, table
from benches.compare.scenarios.growth import slope
from benches.compare.statistics import Spread, ratios


def rates(*pairs: tuple[float, float]) -> list[dict[str, Any]]:
    """Answers of rounds that did 100 in so many seconds of CPU and of the wall."""
    return [
        {"rates": {"rate": {"work": 100, "cpu": cpu, "wall": wall}}, "values": {}, "checksum": 7}
        for cpu, wall in pairs
    ]


def values(name: str, *numbers: float) -> list[dict[str, Any]]:
    return [{"rates": {}, "values": {name: number}, "checksum": 7} for number in numbers]


@dataclass(frozen=True)
class Sides(Bench):
    """Gives prepared answers, or raises prepared errors, instead of running anything."""

    answers: dict[str, list[Any]] = field(default_factory=dict)

    def prepare(self, line: Line) -> None: ...

    def run(self, line: Line, side: str, options: Mapping[str, Any]) -> Any:
        answer = self.answers[side].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def told(line: Line, rounds: int = 1, **answers: list[Any]) -> Outcome:
    *_, found = run_lines(Sides(Path(), {}, "", answers=answers), [line], rounds, print)
    return outcome(line, found[key_of(line)])


def test_ratios_are_those_of_the_rounds() -> None:
    assert ratios([2, 8, 9], [1, 2, 1]) == Spread(4, 2, 9)


@pytest.mark.parametrize(("wall", "verdict"), [(0.2, "met"), (0.9, "missed")])
def test_a_rate_is_met_by_both_clocks(wall: float, verdict: str) -> None:
    line = Line("l", "s", {}, "rows/s", at_least(4))
    one = told(line, python=rates((0.2, wall)), typescript=rates((1, 1)))
    assert one.verdict == verdict
    assert one.ratio is not None
    assert one.ratio.median == pytest.approx(5)


def test_the_median_decides() -> None:
    line = Line("l", "s", {}, "us", at_most(0.7), "p50")
    ours, theirs = values("p50", 60, 90, 60), values("p50", 100, 100, 100)
    one = told(line, 3, python=ours, typescript=theirs)
    assert (one.verdict, one.ratio, one.rounds) == ("met", Spread(0.6, 0.6, 0.9), 3)
    assert one.ratio_by_wall is None


@pytest.mark.parametrize(("limit", "verdict"), [(180, "met"), (120, "missed")])
def test_a_number_has_a_goal_of_its_own(limit: float, verdict: str) -> None:
    goal = Goal(limit, is_ratio=False, is_least=False)
    line = Line("l", "s", {}, "bytes", goal, "memory", other=None)
    assert told(line, python=values("memory", 150)).verdict == verdict


def test_a_failure_is_told_and_ends_the_line() -> None:
    line = Line("l", "s", {}, "rows/s", at_least(1))
    ours: list[Any] = [*rates((1, 1)), RunError("no luck")]
    one = told(line, 3, python=ours, typescript=rates(*[(1, 1)] * 3))
    assert one.verdict == "failed: no luck"
    assert "| failed: no luck |" in table([one])


def test_different_checksums_fail_the_line() -> None:
    line = Line("l", "s", {}, "rows/s")
    other = [{**rates((1, 1))[0], "checksum": 8}]
    answers = {"python": rates((1, 1)), "typescript": other}
    with pytest.raises(RunError, match=r"the checksums differ: \{.*: 7.*\}"):
        run_round(Sides(Path(), {}, "", answers=answers), line, 0)


def test_a_page_is_made_of_the_json() -> None:
    line = Line("a line", "s", {}, "rows/s", at_least(4), note="of some kind")
    one = told(line, python=rates((0.2, 0.25)), typescript=rates((1, 1)))
    run = {
        "date": "2026-01-01",
        "versions": {"Node": "20"},
        "machine": {"cores": "2"},
        "command": "the command",
        "rounds": 5,
        "lines": [one.as_json()],
    }
    text = page(json.loads(json.dumps(run)))
    assert "1 goals: 1 met, 0 missed, 0 failed to run." in text
    assert "| a line | rows/s | 500 | 100 | **5.00** (5.00..5.00) | **4.00**" in text
    assert "- a line: of some kind" in text


def test_lines_have_names_of_their_own_and_can_be_selected() -> None:
    lines = all_lines()
    assert len({line.name for line in lines}) == len(lines)
    assert {line.scenario for line in selected(lines, ["first subscription"])} == {"subscribe"}


def test_a_slope_of_one_is_linear() -> None:
    assert slope({10: 1.0, 100: 10.0, 1000: 100.0}) == pytest.approx(1)
    assert slope({10: 1.0, 100: 100.0}) == pytest.approx(2)
