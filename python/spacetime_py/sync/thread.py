"""The thread with an event loop in which all synchronous connections of the process live."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from ..logs import callbacks_log

_T = TypeVar("_T")


class LoopThread:
    """Starts with the first connection and then waits for the next, until the program ends."""

    def __init__(self, new_event_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._loop = new_event_loop()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="spacetime_py", daemon=True)
        self._thread.start()

    @property
    def is_here(self) -> bool:
        """Whether this is the thread that asks."""
        return threading.current_thread() is self._thread

    @property
    def is_alive(self) -> bool:
        """False after `stop`, and in a process that was forked from its own."""
        return self._thread.is_alive() and not self._is_stopping

    def call(self, function: Callable[[], _T]) -> _T:
        """Run a function there, between two messages, and wait for it."""
        if self.is_here or not self.is_alive:
            return function()
        future: Future[_T] = Future()

        def answer() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        self._loop.call_soon_threadsafe(answer)
        return future.result()

    def run(self, start: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Run an async function there and wait for it; what ends the wait cancels it.

        Raises RuntimeError in that thread, which would wait for itself.
        """
        if self.is_here:
            raise RuntimeError(
                "a callback must not wait: `subscription_builder()` subscribes without it"
            )
        if not self.is_alive:
            raise RuntimeError("the program is ending")
        future: Future[_T] = Future()
        tasks: list[asyncio.Task[None]] = []

        async def answer() -> None:
            try:
                future.set_result(await start())
            except BaseException as error:
                future.set_exception(error)

        # The coroutine is made there: an interrupt here would leave one that nobody awaits.
        self._loop.call_soon_threadsafe(lambda: tasks.append(self._loop.create_task(answer())))
        try:
            return future.result()
        except BaseException:  # KeyboardInterrupt
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
            raise

    def stop(self) -> None:
        """At the end of the program, when no connection is left."""
        self._is_stopping = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        while not self._is_stopping:
            try:
                self._loop.run_forever()
            except BaseException as error:
                # A callback's SystemExit or KeyboardInterrupt: they end no other thread either.
                callbacks_log.error(
                    "%s in the thread of connections", type(error).__name__, exc_info=error
                )
        self._loop.run_until_complete(self._end_tasks())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _end_tasks(self) -> None:
        """What a thread that was interrupted waited for may not even have begun."""
        left = asyncio.all_tasks(self._loop) - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


_starting = threading.Lock()
_shared: LoopThread | None = None
_new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop


def use_event_loop(new_event_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """What makes the event loop of the thread: `uvloop.new_event_loop` say.

    To be called before the first `connect`: all connections share the thread. Raises RuntimeError
    when it runs already.
    """
    global _new_event_loop
    with _starting:
        if _shared is not None and _shared.is_alive:
            raise RuntimeError("the thread of connections runs: choose its loop before `connect`")
        _new_event_loop = new_event_loop


def shared_thread() -> LoopThread:
    """The thread of this process."""
    global _shared
    with _starting:
        if _shared is None or not _shared.is_alive:
            _shared = LoopThread(_new_event_loop)
        return _shared


def stop_shared_thread() -> None:
    """At the end of the program."""
    if _shared is not None and _shared.is_alive:
        _shared.stop()
