"""A line of the table, and a goal: what `goals` is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .servers import Server

Other = Literal["typescript", "go", "rust", "msgspec", "floor"]


@dataclass(frozen=True)
class Goal:
    """A limit for the ratio to the other side, or for the number itself."""

    limit: float
    is_ratio: bool = True
    is_least: bool = True
    """At least, else at most."""

    def __str__(self) -> str:
        sign = ">=" if self.is_least else "<="
        return f"{sign} {self.limit:,g}{'x' if self.is_ratio else ''}"

    def is_met_by(self, value: float) -> bool:
        return value >= self.limit if self.is_least else value <= self.limit


@dataclass(frozen=True)
class Line:
    """One line of the table: a scenario with options, and one of the things that it measures."""

    name: str
    scenario: str
    options: Mapping[str, Any]
    unit: str
    goal: Goal | None = None
    metric: str = "rate"
    """A rate, which is told by CPU second and by the wall, or a value."""
    other: Other | None = "typescript"
    """The side that ours is compared with."""
    rounds: int | None = None
    """At most so many, where one takes long."""
    note: str = ""
    data: tuple[str, ...] = ()
    """The names of data files, in the order in which `server` is told of them."""
    server: Server | None = None

    @property
    def sides(self) -> list[str]:
        return ["python"] if self.other is None else ["python", self.other]

    @property
    def is_rate(self) -> bool:
        return self.metric.startswith("rate")


def at_least(ratio: float) -> Goal:
    return Goal(ratio)


def at_most(ratio: float) -> Goal:
    return Goal(ratio, is_least=False)
