"""Streams: what callbacks are told, to be read by `async for`.

Before this file: `dispatch.py`, which pushes into feeds. After it: `queues.py`.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import Any, Generic, Protocol, TypeVar

import anyio
import anyio.lowlevel
from typing_extensions import Self

from ._core import Waiter, Waiters
from .event_loop import Event
from .exceptions import CallTimeout, SpacetimeDBError, StreamOverflow
from .pending import fresh
from .queues import MakeQueue, Queue

_T = TypeVar("_T")

# A reader who never has to wait lets others run after so many items.
_BREATH = 100


class Elsewhere(Protocol):
    """The thread of the connection, seen from another one."""

    def call(self, function: Callable[[], _T]) -> _T:
        """Run a function there, between two messages."""
        ...

    def run(self, start: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Run an async function there, and wait for it here."""
        ...


class Hub:
    """What the streams and live rows of one connection share."""

    def __init__(self, elsewhere: Elsewhere | None = None) -> None:
        self.elsewhere = elsewhere
        self.waiters: Waiters | None = None
        """What readers wait on while the connection is entered, on asyncio."""
        self.message = 0
        """The number of the message that is being told or was last, of those for `others`."""
        self.others: set[object] = set()
        """Who hears of messages besides row callbacks: streams, live rows, `on_transaction`."""
        self._streams: dict[int, weakref.ref[Stream[Any]]] = {}

    def streams(self) -> list[Stream[Any]]:
        """Those that are open; to be asked from any thread."""
        found = [reference() for reference in list(self._streams.values())]
        return [stream for stream in found if stream is not None]

    def keep(self, stream: Stream[Any]) -> None:
        """It is open, until `forget` or until nobody has it."""
        key, streams = id(stream), self._streams
        streams[key] = weakref.ref(stream, lambda _: streams.pop(key, None))

    def forget(self, stream: Stream[Any]) -> None:
        self._streams.pop(id(stream), None)

    def call(self, function: Callable[[], _T]) -> _T:
        """Run it where the connection is, so that no message comes in between."""
        return function() if self.elsewhere is None else self.elsewhere.call(function)

    def run(self, start: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        if self.elsewhere is None:
            raise TypeError("this connection is async: read its streams by `async for`")
        return self.elsewhere.run(start)


class Feed(Generic[_T]):
    """Tells the same to any number of streams, and holds none: one that nobody reads is gone."""

    __slots__ = ("_error", "_is_ended", "_make_queue", "_streams", "hub", "what")

    def __init__(self, hub: Hub, what: str, make_queue: MakeQueue[_T]) -> None:
        self.hub = hub
        self.what = what
        self._make_queue = make_queue
        self._streams: tuple[weakref.ref[Stream[_T]], ...] = ()
        self._is_ended = False
        self._error: SpacetimeDBError | None = None

    @property
    def is_heard(self) -> bool:
        return bool(self._streams)

    def open(
        self, size: int, overflow: str, existing: Callable[[], Iterable[_T]] | None
    ) -> Stream[_T]:
        """A stream of what comes from the next message on, and before that of what is there."""
        queue = self._make_queue(self.what, size, overflow)
        return self.hub.call(lambda: self._open(queue, existing))

    def _open(self, queue: Queue[_T], existing: Callable[[], Iterable[_T]] | None) -> Stream[_T]:
        stream = Stream(self, queue, () if existing is None else existing())
        if self._is_ended:
            stream._end(self._error)
        else:
            self._set_streams((*self._streams, weakref.ref(stream)))
            self.hub.keep(stream)
        return stream

    def _set_streams(self, streams: tuple[weakref.ref[Stream[_T]], ...]) -> None:
        self._streams = streams
        if streams:
            self.hub.others.add(self)
        else:
            self.hub.others.discard(self)

    def follow(self, other: Feed[Any]) -> None:
        """End at once if the other one has ended."""
        if other._is_ended:
            self.end(other._error)

    def push(self, item: _T) -> None:
        for reference in self._streams:
            stream = reference()
            if stream is None:
                self._set_streams(tuple(one for one in self._streams if one is not reference))
            else:
                stream._push(item)

    def end(self, error: SpacetimeDBError | None) -> None:
        """Nothing follows. Streams that are opened later know it too."""
        self._is_ended, self._error = True, error
        for reference in self._streams:
            stream = reference()
            if stream is not None:
                stream._end(error)
        self._set_streams(())

    def close(self, stream: Stream[_T]) -> None:
        self._set_streams(tuple(one for one in self._streams if one() not in (stream, None)))


class Stream(AsyncIterator[_T], Iterator[_T]):
    """What happens, from the moment on when the stream was made; read it by `async for`.

    It goes on over a reconnect. It ends when this side closes the connection, and raises what ended
    it otherwise, or StreamOverflow; before that it gives what was waiting. It may be dropped at any
    time; `close()` and leaving an `async with` end it at once. Cancelling a read loses nothing.

    Through `spacetime_py.sync` it is read by a plain `for`, and by `next(timeout)`.
    """

    def __init__(self, feed: Feed[_T], queue: Queue[_T], existing: Iterable[_T]) -> None:
        self._feed: Feed[_T] = feed
        self._existing = deque(existing)
        self._queue = queue
        self._since = feed.hub.message
        self._is_ended = False
        self._error: SpacetimeDBError | None = None
        self._waiter: Waiter[None] | None = None
        self._event: Event | None = None
        self._in_a_row = 0

    @property
    def dropped(self) -> int:
        """How many were left out by the `overflow` policy so far."""
        return self._queue.dropped

    @property
    def waiting(self) -> int:
        """How many can be read without waiting."""
        return len(self._existing) + len(self._queue)

    def close(self) -> None:
        """End it: what was waiting is dropped, and whoever reads it hears the end."""
        self._feed.hub.call(self._close)

    async def __anext__(self) -> _T:
        if await self._is_next():
            return self._take()
        raise StopAsyncIteration

    def __aiter__(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()

    def __next__(self) -> _T:
        return self.next()

    def __iter__(self) -> Self:
        return self

    def next(self, timeout: float | None = None) -> _T:
        """The next one, waited for in this thread up to `timeout` seconds.

        Raises CallTimeout; StopIteration at the end.
        """
        has_one, item = self._feed.hub.run(lambda: self._next_here(timeout))
        if not has_one:
            raise StopIteration
        return item

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "ended" if self._is_ended else "open"
        return f"<stream of {self._feed.what}, {state}, {self.waiting} waiting>"

    async def _next_here(self, timeout: float | None) -> tuple[bool, _T]:
        with anyio.move_on_after(timeout):
            if await self._is_next():
                return True, self._take()
            return False, None  # type: ignore[return-value]
        raise CallTimeout(f"{self._feed.what}: nothing came within {timeout or 0:g} s")

    async def _is_next(self) -> bool:
        """Wait for one. False at the end; raises what ended it."""
        self._in_a_row += 1
        if self._in_a_row >= _BREATH:
            self._in_a_row = 0
            await anyio.lowlevel.checkpoint()
        while not self._existing and not self._queue:
            if self._is_ended:
                if self._error is not None:
                    raise fresh(self._error) from self._error
                return False
            self._in_a_row = 0
            await self._wait()
        return True

    async def _wait(self) -> None:
        """The first to wait has a waiter of its own where there are any, all others an event."""
        waiters = self._feed.hub.waiters
        if waiters is not None and (self._waiter is None or self._waiter.done()):
            waiter = self._waiter = waiters.waiter()
            await waiter
            return
        if self._event is None:
            self._event = Event()
        await self._event.wait()

    def _take(self) -> _T:
        return self._existing.popleft() if self._existing else self._queue.take()

    def _push(self, item: _T) -> None:
        if self._since == self._feed.hub.message:
            return  # made while this message was told: what `existing` gave has it already
        try:
            self._queue.put(item)
        except StreamOverflow as error:
            self._feed.close(self)
            self._end(error)
            return
        self._wake()

    def _end(self, error: SpacetimeDBError | None) -> None:
        if not self._is_ended:
            self._is_ended, self._error = True, error
            self._feed.hub.forget(self)
            self._wake()

    def _close(self) -> None:
        self._feed.close(self)
        self._feed.hub.forget(self)
        self._existing.clear()
        self._queue.clear()
        self._is_ended, self._error = True, None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None:
            self._waiter.set_result(None)
            self._waiter = None
        if self._event is not None:
            self._event.set()
            self._event = None
