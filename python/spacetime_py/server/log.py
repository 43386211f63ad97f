"""The database's log, which `spacetime logs` shows: `log.info("...")`.

Each line has the file and line of the caller. `print` writes there too, at level info.
"""

from __future__ import annotations

import sys

from . import _guest
from ._light import TYPE_CHECKING
from .errors import ReducerError

if TYPE_CHECKING:
    from types import TracebackType

ERROR, WARN, INFO, DEBUG, TRACE = range(5)


def error(*values: object) -> None:
    """Something is wrong."""
    _log(ERROR, values)


def warn(*values: object) -> None:
    """Something may be wrong."""
    _log(WARN, values)


def info(*values: object) -> None:
    """Values, written as `print` does: with spaces between."""
    _log(INFO, values)


def debug(*values: object) -> None:
    _log(DEBUG, values)


def trace(*values: object) -> None:
    _log(TRACE, values)


def _log(level: int, values: tuple[object, ...]) -> None:
    frame = sys._getframe(2)
    target = frame.f_globals.get("__name__")
    text = " ".join([str(value) for value in values])
    _guest.log(level, target, frame.f_code.co_filename, frame.f_lineno, text)


class LogStream:
    """What `sys.stdout` and `sys.stderr` are in a database: each line becomes one of the log."""

    encoding = "utf-8"

    def __init__(self, level: int) -> None:
        self._level = level
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            frame = sys._getframe(1)
            where = frame.f_code.co_filename, frame.f_lineno
            for line in lines:
                _guest.log(self._level, frame.f_globals.get("__name__"), *where, line)
        return len(text)

    def flush(self) -> None:
        """Lines are written when they end; the rest of the last one waits."""

    def isatty(self) -> bool:
        return False


# The folder of this package, as tracebacks name it.
_HERE = _log.__code__.co_filename.rpartition("/")[0] + "/"


def log_exception(error: BaseException) -> None:
    """The traceback, as the error of the innermost line of the program itself.

    A refusal is no error of the program: its caller has the text.
    """
    if isinstance(error, ReducerError):
        return
    filename, line = None, None
    trace = error.__traceback__
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_HERE):
            filename, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    _guest.log(ERROR, None, filename, line, format_exception(error))


def format_exception(error: BaseException) -> str:
    """Like `traceback.format_exception`, without the text of the lines and its imports."""
    parts: list[str] = []
    cause = error.__cause__
    if cause is not None:
        parts += [format_exception(cause), "", "which directly caused:", ""]
    elif error.__context__ is not None and not error.__suppress_context__:
        parts += [format_exception(error.__context__), "", "and while that was handled:", ""]
    parts.append("Traceback (most recent call last):")
    parts += _frames(error.__traceback__)
    shown = str(error)
    parts.append(type(error).__name__ + (f": {shown}" if shown else ""))
    parts += getattr(error, "__notes__", [])
    return "\n".join(parts)


def _frames(trace: TracebackType | None) -> list[str]:
    """The lines of a traceback; of a deep recursion its two ends."""
    lines: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        lines.append(f'  File "{code.co_filename}", line {trace.tb_lineno}, in {code.co_name}')
        trace = trace.tb_next
    if len(lines) > 40:
        lines[20:-20] = [f"  ... {len(lines) - 40} more ..."]
    return lines
