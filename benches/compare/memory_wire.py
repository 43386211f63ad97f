"""A connection of the SDK without a network: bytes are handed over as a socket's would be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from typing_extensions import Buffer

from spacetime_py import MemoryTransport
from spacetime_py.transport import Driver, Endpoint

from .frames import APPLIED_IDS, UPDATE_SET, websocket_frame
from .wire import CALL_REDUCER, SUBSCRIBE, client_frames, upgrade_answer, with_ids

READ_SIZE = 65536
"""What the SDK reads from a socket at once."""


class Wire:
    """Plays the server."""

    def __init__(self) -> None:
        self._transport: MemoryTransport
        self._on_data: Callable[[Buffer], None]
        self.subscribed = b""
        """Request id and query set id of the last subscription."""
        self.calls = 0
        self.sent = 0
        """Bytes that the client has sent."""

    def open(self, endpoint: Endpoint, driver: Driver) -> MemoryTransport:
        self._transport = MemoryTransport(driver, self._receive)
        # As a socket's transport, and TypeScript's side: straight into the SDK.
        self._on_data = driver.on_data
        return self._transport

    def _receive(self, data: bytes) -> None:
        self.sent += len(data)
        if data.startswith(b"GET"):
            self._transport.feed(upgrade_answer(data))
            return
        if self.is_deaf:
            return
        for frame in client_frames(data):
            if frame.opcode == 8:
                self._transport.feed(b"\x88\x02\x03\xe8")
            elif frame.payload[0] == SUBSCRIBE:
                self.subscribed = frame.payload[1:9]
            elif frame.payload[0] == CALL_REDUCER:
                self.calls += 1

    is_deaf = False
    """Only counts bytes."""

    def feed(self, data: bytes) -> None:
        """In pieces, as from a socket."""
        view = memoryview(data)
        for start in range(0, len(data), READ_SIZE):
            self._on_data(view[start : start + READ_SIZE])

    def feed_all(self, frames: Iterable[bytes]) -> None:
        """Frames that are smaller than what a socket reads at once."""
        on_data = self._on_data
        for frame in frames:
            on_data(frame)

    def applied(self, body: bytes) -> bytes:
        """The frame that answers the last subscription."""
        return websocket_frame(with_ids(body, APPLIED_IDS, self.subscribed))

    def update(self, body: bytes) -> bytes:
        """The frame of a transaction in the last subscription."""
        return websocket_frame(with_ids(body, UPDATE_SET, self.subscribed[4:]))


@asynccontextmanager
async def connected(bindings: Any, **options: Any) -> AsyncIterator[tuple[Any, Wire]]:
    wire = Wire()
    async with bindings.DbConnection(
        uri="localhost:3000", database="bench", transport=wire.open, **options
    ) as connection:
        yield connection, wire


def subscribe(connection: Any, *queries: str) -> Any:
    """Send a subscription; its answer is to be fed."""
    return connection.subscription_builder().subscribe(*queries)
