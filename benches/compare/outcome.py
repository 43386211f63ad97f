"""From the answers of both sides to what the table says of a line; and as JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .driver import Answer, Rounds
from .line import Line
from .statistics import Spread, ratios


@dataclass(frozen=True)
class Outcome:
    """A line with its numbers. Of a rate all are by CPU second, but `by_wall`."""

    name: str
    unit: str
    goal: str
    verdict: str
    """met, missed, or empty without a goal; ran; `failed: reason` when it could not run."""
    rounds: int = 0
    ours: Spread | None = None
    theirs: Spread | None = None
    ratio: Spread | None = None
    """Ours to theirs."""
    ours_by_wall: Spread | None = None
    ratio_by_wall: Spread | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Outcome:
        spreads = {
            name: None if given[name] is None else Spread(**given[name])
            for name in ("ours", "theirs", "ratio", "ours_by_wall", "ratio_by_wall")
        }
        return cls(**{**given, **spreads})


def outcome(line: Line, found: Rounds, is_quick: bool = False) -> Outcome:
    """What is told of a line. The numbers of a quick run mean nothing."""
    goal = "" if line.goal is None else str(line.goal)
    if found.failure is not None:
        return Outcome(line.name, line.unit, goal, f"failed: {found.failure}", note=line.note)
    ours, theirs = found.answers["python"], found.answers.get(line.other or "", [])
    clocks = ("cpu", "wall") if line.is_rate else ("value",)
    numbers = [_numbers(line, ours, clock) for clock in clocks]
    others = [_numbers(line, theirs, clock) for clock in clocks]
    compared = [ratios(*pair) if theirs else None for pair in zip(numbers, others, strict=True)]
    own = [Spread.of(values) for values in numbers]
    return Outcome(
        line.name,
        line.unit,
        goal,
        "ran" if is_quick else _verdict(line, own, compared),
        rounds=len(ours),
        ours=own[0],
        theirs=Spread.of(others[0]) if theirs else None,
        ratio=compared[0],
        ours_by_wall=own[1] if line.is_rate else None,
        ratio_by_wall=compared[1] if line.is_rate else None,
        note=line.note,
    )


def _numbers(line: Line, answers: Sequence[Answer], clock: str) -> list[float]:
    if clock == "value":
        return [answer["values"][line.metric] for answer in answers]
    rates = [answer["rates"][line.metric] for answer in answers]
    return [rate["work"] / max(rate[clock], 1e-9) for rate in rates]


def _verdict(line: Line, own: Sequence[Spread], compared: Sequence[Spread | None]) -> str:
    """A goal holds by the median, and for a rate by both clocks."""
    if line.goal is None:
        return ""
    spreads = compared if line.goal.is_ratio else own
    medians = [spread.median for spread in spreads if spread is not None]
    return "met" if medians and all(map(line.goal.is_met_by, medians)) else "missed"
