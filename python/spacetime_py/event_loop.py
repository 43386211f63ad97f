"""What tasks wait for, on asyncio and on trio."""

from __future__ import annotations

import asyncio

import anyio

from ._core import Waiters


def on_asyncio() -> bool:
    """Whether the running event loop is asyncio's. Raises an error when none is running."""
    return anyio.get_cancelled_exc_class() is asyncio.CancelledError


class Event:
    """As `anyio.Event`. Most are never waited for: what the loop needs is made when one is."""

    __slots__ = ("_is_set", "_waited_for")

    def __init__(self) -> None:
        self._is_set = False
        self._waited_for: asyncio.Event | anyio.Event | None = None

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        if self._waited_for is not None:
            self._waited_for.set()

    async def wait(self) -> None:
        """Return once it is set."""
        if self._is_set:
            return
        if self._waited_for is None:
            self._waited_for = asyncio.Event() if on_asyncio() else anyio.Event()
        await self._waited_for.wait()


def new_waiters() -> Waiters | None:
    """What tasks of the running event loop wait on, if it is asyncio's.

    They go on together, but not on a loop that may run within its own turns, as Qt's do for a
    dialog: it could not read meanwhile. Nor in debug mode, where the loop tells of slow tasks.
    """
    if not on_asyncio():
        return None
    loop = asyncio.get_running_loop()
    is_plain = type(loop).__module__.partition(".")[0] in ("asyncio", "uvloop")
    return Waiters(loop, together=is_plain and not loop.get_debug())
