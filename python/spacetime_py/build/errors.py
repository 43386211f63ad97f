"""What the packer raises."""

from __future__ import annotations

from ..exceptions import SpacetimeDBError


class BuildError(SpacetimeDBError):
    """A program cannot become a module.

    The message names file and line where there is one, and what to do.
    """

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        place = f"{file}:{line}: " if file is not None and line is not None else ""
        super().__init__(place + message)
        self.file = file
        self.line = line
