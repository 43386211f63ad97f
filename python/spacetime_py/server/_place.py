"""Where a declaration stands, and what its annotations can see there."""

from __future__ import annotations

import sys

from ._light import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType
    from typing import Any


class Place:
    """A line of the program, with the names that are known to it."""

    __slots__ = ("file", "globals", "line", "locals")

    def __init__(self, frame: FrameType) -> None:
        self.file = frame.f_code.co_filename
        self.line = frame.f_lineno
        self.globals: dict[str, Any] = frame.f_globals
        # A function's names are read at the end, when all of them are there.
        self.locals: Any = None if frame.f_locals is frame.f_globals else frame.f_locals

    def at(self, line: int) -> Place:
        """Another line of the same scope."""
        other: Place = Place.__new__(Place)
        other.file, other.globals, other.locals = self.file, self.globals, self.locals
        other.line = line
        return other

    def names(self) -> dict[str, Any]:
        return {**self.globals, **self.locals} if self.locals else self.globals

    def evaluate(self, annotation: str) -> object:
        """The object that an annotation in quotes stands for."""
        return eval(annotation, self.globals, dict(self.locals or {}))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def caller(depth: int = 1) -> Place:
    """The place that called the function that asks; `depth` more for each function between."""
    return Place(sys._getframe(depth + 1))
