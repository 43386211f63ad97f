"""The decorators for functions: reducers, views, procedures."""

# Ruff knows overloads only by the real `typing.overload`.
# ruff: noqa: F811

from __future__ import annotations

from . import _module
from ._light import TYPE_CHECKING, Generic, Row
from ._place import Place, caller
from .errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Concatenate, TypeVar, overload

    from .context import AnonymousViewContext, ProcedureContext, ReducerContext, ViewContext

    ReducerFunction = TypeVar(
        "ReducerFunction", bound=Callable[Concatenate[ReducerContext, ...], None]
    )
    LifecycleFunction = TypeVar("LifecycleFunction", bound=Callable[[ReducerContext], None])
    ViewFunction = TypeVar(
        "ViewFunction",
        bound=Callable[[ViewContext], Any] | Callable[[AnonymousViewContext], Any],
    )
    ProcedureFunction = TypeVar(
        "ProcedureFunction", bound=Callable[Concatenate[ProcedureContext, ...], Any]
    )
else:

    def overload(function):
        return function


INIT, CONNECTED, DISCONNECTED = range(3)
_DECORATORS = {INIT: "init", CONNECTED: "client_connected", DISCONNECTED: "client_disconnected"}
# Flags of code objects.
_VARARGS, _VARKEYWORDS, _GENERATOR = 0x04, 0x08, 0x20
_ASYNC = 0x80 | 0x100 | 0x200


class Query(Generic[Row]):
    """What a view may return instead of rows: SQL that selects whole rows of a table.

    `return Query(Item, "SELECT * FROM item WHERE kind = 3")` for `-> Query[Item]`.
    """

    __slots__ = ("row", "sql")

    def __init__(self, row: type[Row], sql: str) -> None:
        self.row = row
        self.sql = sql


class Function:
    """A reducer, view or procedure as its `def` says it; types come later."""

    def __init__(self, kind: str, function: Any, name: str | None, place: Place) -> None:
        self.kind = kind
        self.function = function
        self.lifecycle: int | None = None
        self.public = True
        code = getattr(function, "__code__", None)
        if code is None:
            raise DeclarationError(f"{place}: @{kind} goes over a function, not over {function!r}")
        self.name: str = name or function.__name__
        self.place = place.at(code.co_firstlineno)
        self.annotations: dict[str, object] = dict(function.__annotations__)
        self._check(code)
        names = code.co_varnames[: code.co_argcount]
        self.context: str = names[0]
        self.parameters: list[str] = list(names[1:])

    def _check(self, code: Any) -> None:
        what = f"{self.place}: {self.kind} {self.name}"
        if code.co_flags & _ASYNC:
            raise DeclarationError(f"{what} is async: there is nothing to wait for; use plain def")
        if code.co_flags & _GENERATOR:
            raise DeclarationError(f"{what} has a yield: collect what it yields into a list")
        if code.co_flags & (_VARARGS | _VARKEYWORDS) or code.co_kwonlyargcount:
            raise DeclarationError(f"{what} takes *: give each parameter a name and a type")
        if not code.co_argcount:
            raise DeclarationError(f"{what} has no parameters: the first one is the context, ctx")
        if self.function.__defaults__:
            raise DeclarationError(
                f"{what} has default values: callers give all arguments; use `... | None`"
            )


def _declare(kind: str, function: Any, name: str | None, place: Place) -> Function:
    made = Function(kind, function, name, place)
    _module.current.functions.append(made)
    return made


@overload
def reducer(function: ReducerFunction, /) -> ReducerFunction: ...
@overload
def reducer(*, name: str) -> Callable[[ReducerFunction], ReducerFunction]: ...
def reducer(function: Any = None, /, *, name: str | None = None) -> Any:
    """A function that clients call: `def f(ctx: ReducerContext, name: str) -> None`.

    It runs in a transaction, which is rolled back when it raises. `name`: for clients, where it is
    not that of the function. The function itself stays as it is: others may call it.
    """
    place = caller()

    def declare(function: Any) -> Any:
        _declare("reducer", function, name, place)
        return function

    return declare if function is None else declare(function)


@overload
def init(function: LifecycleFunction, /) -> LifecycleFunction: ...
@overload
def init(*, name: str) -> Callable[[LifecycleFunction], LifecycleFunction]: ...
def init(function: Any = None, /, *, name: str | None = None) -> Any:
    """The reducer that runs once, when the database is made.

    If it raises, nothing is published.
    """
    return _lifecycle(INIT, function, name, caller())


@overload
def client_connected(function: LifecycleFunction, /) -> LifecycleFunction: ...
@overload
def client_connected(*, name: str) -> Callable[[LifecycleFunction], LifecycleFunction]: ...
def client_connected(function: Any = None, /, *, name: str | None = None) -> Any:
    """The reducer that runs for each new connection. If it raises, the client is sent away."""
    return _lifecycle(CONNECTED, function, name, caller())


@overload
def client_disconnected(function: LifecycleFunction, /) -> LifecycleFunction: ...
@overload
def client_disconnected(*, name: str) -> Callable[[LifecycleFunction], LifecycleFunction]: ...
def client_disconnected(function: Any = None, /, *, name: str | None = None) -> Any:
    """The reducer that runs when a connection has ended, whatever it raises."""
    return _lifecycle(DISCONNECTED, function, name, caller())


def _lifecycle(event: int, function: Any, name: str | None, place: Place) -> Any:
    def declare(function: Any) -> Any:
        made = _declare("reducer", function, name, place)
        made.lifecycle = event
        what = f"@{_DECORATORS[event]}"
        if made.parameters:
            raise DeclarationError(
                f"{made.place}: {what} {made.name} takes the context and nothing else"
            )
        for other in _module.current.functions[:-1]:
            if other.lifecycle == event:
                raise DeclarationError(
                    f"{made.place}: there is an {what} already, {other.name} at {other.place}: "
                    f"a module has one"
                )
        return function

    return declare if function is None else declare(function)


@overload
def view(function: ViewFunction, /) -> ViewFunction: ...
@overload
def view(
    *, name: str | None = None, public: bool = True
) -> Callable[[ViewFunction], ViewFunction]: ...
def view(function: Any = None, /, *, name: str | None = None, public: bool = True) -> Any:
    """Rows that are computed: `def f(ctx: ViewContext) -> list[Item]`, or `-> Item | None`.

    Clients subscribe to it as to a table. With AnonymousViewContext it is computed once for all
    clients instead of once for each. SpacetimeDB 2.x and ABI 10.5.
    """
    place = caller()

    def declare(function: Any) -> Any:
        _declare("view", function, name, place).public = public
        return function

    return declare if function is None else declare(function)


@overload
def procedure(function: ProcedureFunction, /) -> ProcedureFunction: ...
@overload
def procedure(*, name: str) -> Callable[[ProcedureFunction], ProcedureFunction]: ...
def procedure(function: Any = None, /, *, name: str | None = None) -> Any:
    """A function that gives its caller a value: `def f(ctx: ProcedureContext, a: i32) -> i64`.

    It has no transaction but those of `ctx.with_tx`. SpacetimeDB 2.x and ABI 10.5.
    """
    place = caller()

    def declare(function: Any) -> Any:
        _declare("procedure", function, name, place)
        return function

    return declare if function is None else declare(function)
