"""The synchronous connection behind the async one's interface, so that one suite tests both.

Each await is a blocking call: in the test's own thread for reducers, which shows that it works
inside of a running event loop, and in a worker thread for the rest, so that tests can do two things
at once. With `frame_tick` the test plays the game loop: it ticks after each await and in `until`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial
from typing import Any, Literal, TypeVar

import anyio

from spacetime_py import ReducerCall, sync

_T = TypeVar("_T")

ticking: list[Callable[[], object]] = []
"""What `until` calls: the ticks of all open connections."""

NEVER = {
    "test_a_block_runs": "a program makes its own connection; those that use sync run everywhere",
    "test_a_cancelled_await": "blocking calls are not cancelled, only interrupted: test_sync.py",
    **dict.fromkeys(
        (
            "test_ctrl_c_closes_in_order",
            "test_ctrl_c_that_nobody_catches",
            "test_ctrl_c_while_connecting",
            "test_a_notebook",
            "test_the_facade_on_uvloop",
            "test_fifty_connections_in_one_loop",
            "test_ten_facades_in_one_process",
        ),
        "it chooses its way to run itself",
    ),
}
"""Tests that no synchronous program can pass, and why."""
LEFT_OUT = {
    **NEVER,
    **dict.fromkeys(
        (
            "test_a_call_with_a_timeout",
            "test_failures_find_the_calls_they_belong_to",
            "test_the_server_goes_away_in_mid_call",
            "test_calls_in_flight_when_this_side_closes",
        ),
        "it holds a call in flight, which takes `send`: the place with frame_tick has it",
    ),
}
"""Those that a program whose calls return when they are done cannot pass."""


class SyncFace:
    """What a test takes for an async connection."""

    def __init__(self, connection: Any, callbacks: Literal["thread", "frame_tick"]) -> None:
        self._connection = connection
        self._callbacks: Literal["thread", "frame_tick"] = callbacks
        self._is_ticked = callbacks == "frame_tick"
        self._sync: Any = None
        self.db = connection.db
        call = self._send if self._is_ticked else self._block
        self.reducers = type(connection.reducers)(call)

    def __getattr__(self, name: str) -> Any:
        """Properties, and what registers callbacks."""
        return getattr(self._sync or self._connection, name)

    async def __aenter__(self) -> SyncFace:
        connect = partial(sync.connect, self._connection, callbacks=self._callbacks)
        self._sync = await anyio.to_thread.run_sync(connect)
        self.tick()
        if self._is_ticked:
            ticking.append(self.tick)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._is_ticked:
            ticking.remove(self.tick)
        with anyio.CancelScope(shield=True):
            await self.awaited(self._sync.__exit__, *exc_info)

    def tick(self) -> None:
        """Run all callbacks that wait, those that come meanwhile too."""
        while self._is_ticked and self._sync.frame_tick(budget=0.01):
            pass

    async def awaited(self, function: Callable[..., _T], *args: Any) -> _T:
        """Call it in a worker thread, then tick."""
        try:
            return await anyio.to_thread.run_sync(function, *args)
        finally:
            self.tick()

    async def subscribe(self, *queries: Any, timeout: float | None = None) -> HandleFace:
        subscribe = partial(self._sync.subscribe, *queries, timeout=timeout)
        return HandleFace(self, await self.awaited(subscribe))

    async def query(self, query: Any, **options: Any) -> Any:
        return await self.awaited(partial(self._sync.query, query, **options))

    def subscription_builder(self) -> BuilderFace:
        return BuilderFace(self, self._sync.subscription_builder())

    async def close(self) -> None:
        await self.awaited(self._sync.close)

    async def wait_closed(self) -> None:
        await self.awaited(self._sync.wait_closed)

    async def wait_connected(self, timeout: float | None = None) -> None:
        await self.awaited(self._sync.wait_connected, timeout)

    async def set_token(self, token: Any, **options: Any) -> None:
        await self.awaited(partial(self._sync.set_token, token, **options))

    async def wait(self, call: ReducerCall) -> None:
        await self.awaited(self._sync.wait, call)

    def _block(self, name: str, args: Sequence[object], timeout: float | None) -> ReducerCall:
        call: ReducerCall = getattr(self._sync.reducers, name)(*args, timeout=timeout)
        assert call.is_done
        return call

    def _send(self, name: str, args: Sequence[object], timeout: float | None) -> CallFace:
        return CallFace(self, getattr(self._sync.send, name)(*args, timeout=timeout))


class CallFace(Awaitable[None]):
    """A call that was sent, to be awaited."""

    def __init__(self, face: SyncFace, call: ReducerCall) -> None:
        self._face = face
        self._call = call

    def __await__(self) -> Generator[Any, Any, None]:
        return self._face.wait(self._call).__await__()


class HandleFace:
    """A subscription."""

    def __init__(self, face: SyncFace, handle: sync.SyncSubscriptionHandle) -> None:
        self._face = face
        self._handle = handle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handle, name)

    async def applied(self, timeout: float | None = None) -> None:
        await self._face.awaited(self._handle.applied, timeout)

    async def unsubscribe(self, timeout: float | None = None) -> None:
        await self._face.awaited(self._handle.unsubscribe, timeout)


class BuilderFace:
    """What makes a subscription without waiting."""

    def __init__(self, face: SyncFace, builder: sync.SyncSubscriptionBuilder) -> None:
        self._face = face
        self._builder = builder

    def on_applied(self, callback: Callable[..., object]) -> BuilderFace:
        self._builder.on_applied(callback)
        return self

    def on_error(self, callback: Callable[..., object]) -> BuilderFace:
        self._builder.on_error(callback)
        return self

    def subscribe(self, *queries: Any) -> HandleFace:
        return HandleFace(self._face, self._builder.subscribe(*queries))

    def subscribe_to_all_tables(self) -> HandleFace:
        return HandleFace(self._face, self._builder.subscribe_to_all_tables())
