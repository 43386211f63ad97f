"""What the program has declared so far. The decorators add to it, in the program's order."""

from __future__ import annotations

from ._light import TYPE_CHECKING

if TYPE_CHECKING:
    from ._functions import Function
    from .declare import TableDeclaration


class Declarations:
    """Tables, functions and filters as they were declared; nothing is checked or resolved yet."""

    def __init__(self) -> None:
        self.tables: list[TableDeclaration] = []
        self.functions: list[Function] = []
        self.filters: list[str] = []


current = Declarations()


def begin() -> Declarations:
    """Forget everything: for tests that declare more than one program."""
    global current
    current = Declarations()
    return current
