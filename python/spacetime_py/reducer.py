"""Calls of reducers and procedures. The call is sent at once; awaiting it gives its outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from ._core import Calls
from ._core import Connection as Core
from .names import no_such
from .pending import Pending

_T = TypeVar("_T")
_V = TypeVar("_V", default=None)


class Call(Pending[_T], Awaitable[_T], Generic[_T]):
    """What calls of both kinds have in common."""

    __slots__ = ()

    def __repr__(self) -> str:
        state = "done" if self.is_done else "in flight"
        return f"<{type(self).__name__} of {self}, {state}>"


class ReducerCall(Call[_V], Generic[_V]):
    """The call of a reducer, which may be awaited any number of times, or not at all.

    Awaiting returns once the transaction is committed and its row callbacks have run. It gives
    what the reducer returned: None, unless the module declares a value, and always over v1.
    `timeout` seconds count from the await. Neither its end nor cancelling takes the call back.
    The failure of a call that nobody awaits is logged. Await calls made in a loop: what the server
    is too slow to take is kept in memory without a limit.

    Raises SenderError, InternalError, CallTimeout, ConnectionClosed (with `maybe_executed`), and
    ProtocolError for a value that is not of the type in the bindings.
    """

    __slots__ = ()


class ProcedureCall(Call[_T]):
    """The call of a procedure; awaiting gives what it returned. Otherwise as `ReducerCall`.

    Raises ProcedureError, CallTimeout, ConnectionClosed (with `maybe_executed`), and ProtocolError
    for a value that is not of the type in the bindings.
    """

    __slots__ = ()


def new_calls(core: Core, timeout: float | None, prepare: Callable[[str, str], None]) -> Calls:
    """What makes the calls of a connection: see `_core.Calls`."""
    return Calls(core, (ReducerCall, ProcedureCall, Pending), timeout, prepare)


class Reducers:
    """The reducers of a module, one method each. Base of generated classes."""

    def __init__(
        self, call: Callable[[str, Sequence[object], float | None], ReducerCall[Any]]
    ) -> None:
        self._call = call

    def __repr__(self) -> str:
        return f"<reducers: {', '.join(map(_shown, _methods(type(self)).values()))}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_such(self, "reducer", name, _methods(type(self)))


class Procedures:
    """The procedures of a module, one method each. Base of generated classes."""

    def __init__(
        self, call: Callable[[str, Sequence[object], float | None], ProcedureCall[Any]]
    ) -> None:
        self._call = call

    def __repr__(self) -> str:
        return f"<procedures: {', '.join(map(_shown, _methods(type(self)).values()))}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_such(self, "procedure", name, _methods(type(self)))


def _methods(cls: type[Any]) -> dict[str, Callable[..., object]]:
    """Those of a generated class."""
    return {name: each for name, each in vars(cls).items() if not name.startswith("_")}


def _shown(method: Callable[..., object]) -> str:
    """Its name and the parameters that are the database's."""
    parameters = [name for name in signature(method).parameters if name not in ("self", "timeout")]
    return f"{method.__name__}({', '.join(parameters)})"
