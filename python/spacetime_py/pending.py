"""An answer that comes later: what reducer calls, procedure calls and subscriptions wait for."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeAlias, TypeVar, cast

import anyio

from .exceptions import CallTimeout, ConnectionClosed
from .logs import calls_log, subscription_log
from .transport import Event

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Exception)

OnDone: TypeAlias = Callable[[Exception | None], object]
"""Is told the error, or None."""

Watch: TypeAlias = Callable[[str, str], OnDone]
"""Of a kind and a name: hears that waiting for it begins, and gives who hears of its end."""

NewPending: TypeAlias = "Callable[[str, str, Callable[[], Event]], Pending[Any]]"


class Pending(Generic[_T]):
    """Any number of tasks may wait. Giving up, by timeout or cancelling, drops only the waiter.

    With `new_future`, as on asyncio, the first to wait has a future of its own, so that nothing of
    this class stands between the answer and the task; all others wait for one event.
    """

    __slots__ = (
        "_event",
        "_failure",
        "_future",
        "_is_watched",
        "_new_event",
        "_new_future",
        "_value",
        "is_done",
        "kind",
        "name",
        "on_done",
    )

    def __init__(
        self,
        kind: str,
        name: str,
        new_event: Callable[[], Event],
        new_future: Callable[[], asyncio.Future[_T]] | None = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.is_done = False
        self.on_done: OnDone | None = None
        self._is_watched = False
        self._new_event = new_event
        self._new_future = new_future
        self._event: Event | None = None
        self._future: asyncio.Future[_T] | None = None
        self._value: _T | None = None
        self._failure: _Failure | None = None

    @property
    def is_watched(self) -> bool:
        """Whether somebody hears of its failure, so that the log need not tell."""
        return self._is_watched

    @is_watched.setter
    def is_watched(self, is_watched: bool) -> None:
        self._is_watched = is_watched
        if self._failure is not None:
            self._failure.is_heard = is_watched

    def resolve(self, value: _T) -> None:
        self._value = value
        self.is_done = True
        if self._future is not None and not self._future.done():
            self._future.set_result(value)
        if self._event is not None:
            self._event.set()
        if self.on_done is not None:
            self.on_done(None)

    def fail(self, error: Exception) -> None:
        self._failure = _Failure(self.kind, self.name, error, self._is_watched)
        self.is_done = True
        if self._future is not None:
            _fail(self._future, error)
        if self._event is not None:
            self._event.set()
        if self.on_done is not None:
            self.on_done(error)

    def __await__(self) -> Generator[Any, Any, _T]:
        """As `wait` without a timeout, without a frame of its own for the first to wait."""
        if self.is_done or self._future is not None or self._new_future is None:
            return self.wait().__await__()
        self._is_watched = True
        future = self._future = self._new_future()
        return future.__await__()

    async def wait(self, timeout: float | None = None) -> _T:
        """The value. `timeout` in seconds. Raises CallTimeout, or the error that was set."""
        if self.is_done:
            return self.result()
        self._is_watched = True
        if self._new_future is not None and (self._future is None or self._future.done()):
            future = self._future = self._new_future()
            return await self._in_time(future, timeout)
        if self._event is None:
            self._event = self._new_event()
        if timeout is None:
            await self._event.wait()
            return self.result()
        with anyio.move_on_after(timeout):
            await self._event.wait()
        if not self.is_done:
            raise self._late(timeout)
        return self.result()

    async def _in_time(self, future: asyncio.Future[_T], timeout: float | None) -> _T:
        if timeout is None:
            return await future
        timer = future.get_loop().call_later(timeout, _fail, future, self._late(timeout))
        try:
            return await future
        finally:
            timer.cancel()

    def result(self) -> _T:
        """The value, or the error that was set. Raises RuntimeError when there is neither yet."""
        self.is_watched = True
        if not self.is_done:
            raise RuntimeError(f"{self} is in flight: wait for it first")
        if self._failure is not None:
            raise self._failure.error.with_traceback(None)
        return cast(_T, self._value)

    def _late(self, timeout: float) -> CallTimeout:
        return CallTimeout(f"{self} was not answered within {timeout:g} s")

    def __str__(self) -> str:
        return f"{self.kind} `{self.name}`"


class _Failure:
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


def _fail(future: asyncio.Future[_T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        # Asked for it, the future leaves to us what to say when nobody hears of the error.
        future.exception()


def fresh(error: _E) -> _E:
    """A copy to raise `from` the original, so that each raise has a traceback of its own."""
    return copy.copy(error)
