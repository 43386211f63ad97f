"""An answer that comes later: what reducer calls, procedure calls and subscriptions wait for."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any, Generic, TypeAlias, TypeVar, cast

import anyio

from .exceptions import CallTimeout, ConnectionClosed
from .logs import calls_log, subscription_log
from .transport import Event

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Exception)


class Pending(Generic[_T]):
    """Any number of tasks may wait. Giving up, by timeout or cancelling, drops only the waiter."""

    __slots__ = (
        "_error",
        "_event",
        "_new_event",
        "_value",
        "is_done",
        "is_watched",
        "kind",
        "name",
    )

    def __init__(self, kind: str, name: str, new_event: Callable[[], Event]) -> None:
        self.kind = kind
        self.name = name
        self.is_done = False
        self.is_watched = False
        self._new_event = new_event
        self._event: Event | None = None
        self._value: _T | None = None
        self._error: Exception | None = None

    def resolve(self, value: _T) -> None:
        self._value = value
        self._finish()

    def fail(self, error: Exception) -> None:
        self._error = error
        self._finish()

    def _finish(self) -> None:
        self.is_done = True
        if self._event is not None:
            self._event.set()

    async def wait(self, timeout: float | None = None) -> _T:
        """The value. `timeout` in seconds. Raises CallTimeout, or the error that was set."""
        self.is_watched = True
        if not self.is_done:
            if self._event is None:
                self._event = self._new_event()
            if timeout is None:
                await self._event.wait()
            else:
                with anyio.move_on_after(timeout):
                    await self._event.wait()
        if not self.is_done:
            raise CallTimeout(f"{self} was not answered within {timeout:g} s")
        return self.result()

    def result(self) -> _T:
        """The value, or the error that was set. Raises RuntimeError when there is neither yet."""
        self.is_watched = True
        if not self.is_done:
            raise RuntimeError(f"{self} is in flight: wait for it first")
        if self._error is not None:
            raise self._error.with_traceback(None)
        return cast(_T, self._value)

    def __str__(self) -> str:
        return f"{self.kind} `{self.name}`"

    def __del__(self) -> None:
        error = self._error
        if error is None or self.is_watched:
            return
        closed_by_us = isinstance(error, ConnectionClosed) and error.by_us
        level = logging.DEBUG if closed_by_us else logging.ERROR
        log = subscription_log if self.kind.endswith("subscription") else calls_log
        log.log(level, "%s failed and nobody awaited it: %s", self, error)


NewPending: TypeAlias = Callable[[str, str, Callable[[], Event]], Pending[Any]]
"""`Pending`, or what watches over what it stands for, as `otel.py` does."""


def fresh(error: _E) -> _E:
    """A copy to raise `from` the original, so that each raise has a traceback of its own."""
    return copy.copy(error)
