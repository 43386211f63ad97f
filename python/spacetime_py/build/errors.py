"""What the packer raises."""

from __future__ import annotations

from ..exceptions import SpacetimeDBError


class BuildError(SpacetimeDBError):
    """A program cannot become a module.

    The message names file and line where there is one, and what to do; `problems` are the messages
    when there are several.
    """

    def __init__(self, *problems: str, file: str | None = None, line: int | None = None) -> None:
        place = f"{file}:{line}: " if file is not None and line is not None else ""
        self.problems = tuple(place + problem for problem in problems)
        super().__init__("\n".join(self.problems))
        self.file = file
        self.line = line
