"""What a program raised while the build imported it, in words for its author."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from .errors import BuildError
from .guest import Frame, ProgramError
from .program import Program

_NOT_FOUND = (
    "a module can import pure-Python packages that are bundled with it, and what Python's library "
    "has without threads, sockets, processes and C extensions"
)
_RAISED = "the build imports the program, so what is at the top of a file must work there"


def explain(error: ProgramError, program: Program, python: str) -> BuildError:
    """The line of the program's own where it went wrong, or of a package when there is none.

    `python` is the version that modules have.
    """
    if error.kind == "DeclarationError":
        return BuildError(error.text)  # it has its place already
    place = _place(error.frames, program)
    text = error.text.partition("\n")[0] if _is_syntax(error) else " ".join(error.text.split())
    what = f"{error.kind}: {text}" if text else error.kind
    remedy = _remedy(error, program, place, python)
    message = f"{what}; {remedy}" if remedy else what
    if place is None:
        return BuildError(message)
    return BuildError(message, file=place.file, line=place.line)


def _place(frames: Sequence[Frame], program: Program) -> Frame | None:
    own = [frame for frame in frames if _is_own(program, frame)]
    found = own or [frame for frame in frames if not frame.file.startswith(("Lib/", "<"))]
    return found[-1] if found else None


def _is_own(program: Program, frame: Frame) -> bool:
    return any(
        source.path == frame.file and name.partition(".")[0] not in program.packages
        for name, source in program.modules.items()
    )


def _remedy(error: ProgramError, program: Program, place: Frame | None, python: str) -> str:
    if error.kind == "ModuleNotFoundError":
        return _NOT_FOUND
    if not _is_syntax(error):
        return _RAISED
    newer = place is not None and _is_fine_here(program, place.file)
    return f"the Python of a module is {python}, older than the one that builds" if newer else ""


def _is_syntax(error: ProgramError) -> bool:
    return error.kind in ("SyntaxError", "IndentationError", "TabError")


def _is_fine_here(program: Program, file: str) -> bool:
    try:
        for source in program.modules.values():
            if source.path == file:
                ast.parse(source.text)
    except (SyntaxError, ValueError):
        return False
    return True
