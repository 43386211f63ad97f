"""What the runtime looks up, once, when the program has been imported."""

from __future__ import annotations

import sys

from . import _guest, _module, _settings
from ._finish import Module, finish, procedure_caller, view_caller
from ._light import TYPE_CHECKING
from ._schema import describe_v9, describe_v10
from ._types import Typespace, elements
from .context import (
    AnonymousViewContext,
    ProcedureContext,
    ReducerContext,
    ViewContext,
    shape,
)
from .errors import (
    AutoIncOverflow,
    DeclarationError,
    HostError,
    NoSuchRow,
    ReducerError,
    ScheduleTooFar,
    UniqueViolation,
)
from .log import INFO, WARN, LogStream, format_exception, log_exception
from .values import Some

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._guest import Codec

    Entries = list[tuple[Callable[..., Any], Codec | None]]

new_context = _guest.codec(shape(ReducerContext))
new_view_context = _guest.codec(shape(ViewContext))
new_anonymous_view_context = AnonymousViewContext
new_procedure_context = _guest.codec(shape(ProcedureContext))

# Filled by `check`, in the order of the description.
reducers: Entries = []
views: Entries = []
anonymous_views: Entries = []
procedures: Entries = []

_module_found: Module | None = None


def check(abi: tuple[int, int] | None = None) -> list[str]:
    """Finish the program's declarations; gives what is wrong, each with file, line and remedy."""
    global _module_found
    _module_found = module = finish(_module.current, abi or _guest.ABI)
    module.problems += _type_name_clashes(module) + _bad_defaults(module)
    if not module.problems:
        reducers[:] = [(one.declared.function, one.arguments()) for one in module.reducers]
        views[:] = [(view_caller(one), one.arguments()) for one in module.views]
        anonymous_views[:] = [(view_caller(one), one.arguments()) for one in module.anonymous_views]
        procedures[:] = [(procedure_caller(one), one.arguments()) for one in module.procedures]
    return module.problems


def describe(version: int | None = None) -> bytes:
    """The module's description for `__describe_module__`. Raises DeclarationError."""
    if _module_found is None:
        check()
    module = _module_found
    assert module is not None
    if module.problems:
        raise DeclarationError("\n".join(module.problems))
    if version is None:
        version = 10 if _guest.ABI >= (10, 5) else 9
    return describe_v10(module) if version == 10 else describe_v9(module)


def error_text(error: BaseException) -> str:
    """What the caller of a reducer gets to read."""
    shown = str(error)
    if isinstance(error, ReducerError):
        return shown
    if _settings.DEBUG:
        return format_exception(error)
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__


def _type_name_clashes(module: Module) -> list[str]:
    """Two classes of one name are two types of one name."""
    if module.problems:
        return []
    space = Typespace()
    for table in module.tables:
        space.ref(table.row)
    for function in module.functions():
        elements(function.fields, space)
        function.returns.algebraic(space)
    seen: dict[str, object] = {}
    problems: list[str] = []
    for named in space.named:
        if named.name in seen:
            problems.append(
                f"{_where(named)}: there are two types named {named.name}: rename one, "
                f"or give it another name by @product(name=...)"
            )
        seen[named.name] = named
    return problems


def _bad_defaults(module: Module) -> list[str]:
    """Defaults are written into the description, so they are encoded here for the first time."""
    problems: list[str] = []
    for table in module.tables if _guest.INSIDE and not module.problems else []:
        try:
            table.default_bytes()
        except (TypeError, ValueError, OverflowError) as error:
            declared = table.declared
            problems.append(f"{declared.place}: table {declared.accessor}: a default: {error}")
    return problems


def _where(named: object) -> str:
    cls = getattr(named, "cls", None)
    declared = getattr(cls, "__spacetime__", None)
    return str(getattr(declared, "place", getattr(cls, "__module__", "the program")))


def _enter() -> None:
    """Once, inside of a database: errors, boxes and the log are the runtime's too."""
    _guest.configure(
        Some=Some,
        HostError=HostError,
        UniqueViolation=UniqueViolation,
        NoSuchRow=NoSuchRow,
        AutoIncOverflow=AutoIncOverflow,
        ScheduleTooFar=ScheduleTooFar,
    )
    sys.stdout, sys.stderr = LogStream(INFO), LogStream(WARN)


if _guest.INSIDE:
    _enter()

__all__ = [
    "anonymous_views",
    "check",
    "describe",
    "error_text",
    "log_exception",
    "new_anonymous_view_context",
    "new_context",
    "new_procedure_context",
    "new_view_context",
    "procedures",
    "reducers",
    "views",
]
