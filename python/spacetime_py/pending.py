"""An answer that comes later: what reducer calls, procedure calls and subscriptions wait for."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any, Generic, TypeAlias, TypeVar, cast

import anyio

from ._core import Pending as CorePending
from ._core import Waiter
from .event_loop import Event
from .exceptions import CallTimeout, ConnectionClosed
from .logs import calls_log, subscription_log

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Exception)

OnDone: TypeAlias = Callable[[Exception | None], object]
"""Is told the error, or None."""

Watch: TypeAlias = Callable[[str, str], OnDone]
"""Of a kind and a name: hears that waiting for it begins, and gives who hears of its end."""

NewPending: TypeAlias = "Callable[[str, str], Pending[Any]]"


class Pending(CorePending[_T], Generic[_T]):
    """Any number of tasks may wait. Giving up, by timeout or cancelling, drops only the waiter.

    With `waiters`, as on asyncio, the first to wait has a waiter of its own, so that nothing of
    this class stands between the answer and the task; all others wait for one event. The core has
    the ways that every call takes: `__await__` and `_resolve`. Names are private for those whom
    `Call` is given to.
    """

    __slots__ = ()

    def _fail(self, error: Exception) -> None:
        failure = Failure(self._kind, self._name, error, self._is_watched)
        if self._waiter is not None:
            self._waiter.set_exception(error)
        self._end(failure, error)

    async def _wait(self, timeout: float | None = None) -> _T:
        """The value. `timeout` in seconds. Raises CallTimeout, or the error that was set."""
        if self.is_done:
            return self.result()
        if timeout is None:
            timeout = self._timeout
        self._is_watched = True
        if self._waiters is not None and (self._waiter is None or self._waiter.done()):
            waiter = self._waiter = self._waiters.waiter()
            return await self._in_time(waiter, timeout)
        event = self._event
        if event is None:
            event = self._event = Event()
        if timeout is None:
            await event.wait()
            return self.result()
        with anyio.move_on_after(timeout):
            await event.wait()
        if not self.is_done:
            raise self._late(timeout)
        return self.result()

    async def _in_time(self, waiter: Waiter[_T], timeout: float | None) -> _T:
        if timeout is None:
            return await waiter
        give_up = waiter.set_exception
        timer = waiter.get_loop().call_later(timeout, give_up, self._late(timeout))
        try:
            return await waiter
        finally:
            timer.cancel()

    def result(self) -> _T:
        """The value, or the error that was set. Raises RuntimeError when there is neither yet."""
        self._is_watched = True
        if not self.is_done:
            raise RuntimeError(f"{self} is in flight: wait for it first")
        if self._failure is not None:
            raise self._failure.error.with_traceback(None)
        return cast(_T, self._value)

    def _late(self, timeout: float) -> CallTimeout:
        return CallTimeout(f"{self} was not answered within {timeout:g} s")

    def __str__(self) -> str:
        return f"{self._kind} `{self._name}`"


class Failure:
    """An error that is logged once what failed is forgotten, unless somebody has heard of it.

    Only this has a finalizer, which would cost every call.
    """

    __slots__ = ("_kind", "_name", "error", "is_heard")

    def __init__(self, kind: str, name: str, error: Exception, is_heard: bool) -> None:
        self._kind = kind
        self._name = name
        self.error = error
        self.is_heard = is_heard

    def __del__(self) -> None:
        if self.is_heard:
            return
        closed_by_us = isinstance(self.error, ConnectionClosed) and self.error.by_us
        level = logging.DEBUG if closed_by_us else logging.ERROR
        log = subscription_log if self._kind.endswith("subscription") else calls_log
        what = f"{self._kind} `{self._name}`"
        log.log(level, "%s failed and nobody awaited it: %s", what, self.error)


def fresh(error: _E) -> _E:
    """A copy to raise `from` the original, so that each raise has a traceback of its own."""
    return copy.copy(error)
