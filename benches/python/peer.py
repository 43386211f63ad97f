"""The server's half of a connection: what a server 1.2 sends, as bytes from a socket."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from spacetime_py import MemoryTransport
from spacetime_py._core import Connected, Connection, Module, SubscribeApplied

if TYPE_CHECKING:
    from spacetime_py._core import Event
    from spacetime_py.transport import Driver

# What the SDK reads from a socket at once.
READ_SIZE = 65536


def greeted(module: Module) -> Connection:
    """A connection after the upgrade and the greeting."""
    connection = Connection(module, authority="localhost:3000", database="bench")
    connection.receive_data(upgrade_answer(connection.data_to_send()))
    connection.receive_data(frame(identity_token()))
    assert isinstance(connection.next_event(), Connected)
    return connection


def subscribed(
    module: Module, table: str, rows: Sequence[bytes], size: int | None = None
) -> Connection:
    """A connection with these rows in its cache."""
    connection = greeted(module)
    (event,) = receive(connection, subscribe_applied(connection, table, rows, size))
    assert isinstance(event, SubscribeApplied)
    return connection


def receive(connection: Connection, data: bytes, read_size: int = READ_SIZE) -> list[Event]:
    """Hand over the bytes as they come from a socket, and take the events."""
    view = memoryview(data)
    events: list[Event] = []
    for start in range(0, len(data), read_size):
        connection.receive_data(view[start : start + read_size])
        while (event := connection.next_event()) is not None:
            events.append(event)
    return events


def subscribe_applied(
    connection: Connection, table: str, rows: Sequence[bytes], size: int | None = None
) -> bytes:
    """Subscribe; the server's answer. `size` is that of rows of a type of fixed size."""
    query_set = connection.subscribe([f"SELECT * FROM {table}"])
    connection.data_to_send()
    # The SDK numbers requests and query sets alike, and this is the first of both.
    ids = _u32(query_set) + _u64(1500) + _u32(query_set)
    return frame(b"\x08" + ids + _database_update(table, [], rows, size))


def transaction(table: str, deletes: Sequence[bytes], inserts: Sequence[bytes]) -> bytes:
    """A reducer that another client called was committed."""
    rows = _database_update(table, deletes, inserts, None)
    return _transaction_update(rows, b"\x01" * 32 + b"\x02" * 16, "some_reducer", 9)


def committed(reducer: str, request_id: int) -> bytes:
    """A call of this client was committed, and changed nothing that it sees."""
    return _transaction_update(_u32(0), IDENTITY + CONNECTION_ID, reducer, request_id)


def _transaction_update(rows: bytes, caller: bytes, reducer: str, request_id: int) -> bytes:
    status = b"\0" + rows
    call = _string(reducer) + _u32(3) + _sized(_string("hello")) + _u32(request_id)
    time, energy, duration = _u64(1_795_000_000_000_000), bytes(16), _u64(900)
    return frame(b"\1" + status + time + caller + call + energy + duration)


IDENTITY, CONNECTION_ID = bytes(range(32)), bytes(range(16))


def identity_token() -> bytes:
    return b"\3" + IDENTITY + _string("token") + CONNECTION_ID


def upgrade_answer(request: bytes) -> bytes:
    headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if line)
    key = {name.lower(): value for name, value in headers.items()}[b"sec-websocket-key"]
    accept = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-accept: " + base64.b64encode(accept) + b"\r\n"
        b"sec-websocket-protocol: v1.bsatn.spacetimedb\r\n\r\n"
    )


def frame(message: bytes) -> bytes:
    """One message, not compressed, in one frame, not masked."""
    size = len(message) + 1
    if size < 126:
        head = bytes([0x82, size])
    elif size < 65536:
        head = b"\x82\x7e" + struct.pack(">H", size)
    else:
        head = b"\x82\x7f" + struct.pack(">Q", size)
    return head + b"\0" + message


def _database_update(
    table: str, deletes: Sequence[bytes], inserts: Sequence[bytes], size: int | None
) -> bytes:
    update = b"\0" + _row_list(deletes, size) + _row_list(inserts, size)
    head = _u32(4096) + _string(table) + _u64(len(deletes) + len(inserts))
    return _u32(1) + head + _u32(1) + update


def _row_list(rows: Sequence[bytes], size: int | None) -> bytes:
    if size is not None and rows:
        return b"\0" + struct.pack("<H", size) + _sized(b"".join(rows))
    offsets = list(accumulate(map(len, rows), initial=0))[: len(rows)]
    return b"\1" + _u32(len(rows)) + _u64s(offsets) + _sized(b"".join(rows))


def _u32(number: int) -> bytes:
    return struct.pack("<I", number)


def _u64(number: int) -> bytes:
    return struct.pack("<Q", number)


def _u64s(numbers: Iterable[int]) -> bytes:
    return b"".join(map(_u64, numbers))


def _sized(data: bytes) -> bytes:
    return _u32(len(data)) + data


def _string(text: str) -> bytes:
    return _sized(text.encode())


class Answering:
    """A server that answers each call of `send_message` in the same turn of the loop."""

    def __init__(self) -> None:
        self.answered = 0

    def open(self, driver: Driver) -> MemoryTransport:
        memory = MemoryTransport(driver, lambda data: self._answer(memory, data))
        return memory

    def _answer(self, memory: MemoryTransport, data: bytes) -> None:
        if data.startswith(b"GET"):
            memory.feed(upgrade_answer(data) + frame(identity_token()))
        elif data[0] & 0x0F == 8:
            memory.feed(b"\x88\x02\x03\xe8")
        else:
            calls = request_ids(data)
            self.answered += len(calls)
            memory.feed(b"".join(committed("send_message", number) for number in calls))


def request_ids(data: bytes) -> list[int]:
    """The numbers of calls, from the client's frames: small, masked, the id before the flags."""
    found: list[int] = []
    start = 0
    while start < len(data):
        size = data[start + 1] & 0x7F
        assert size < 126
        mask, payload = data[start + 2 : start + 6], data[start + 6 : start + 6 + size]
        number = bytes(payload[at] ^ mask[at % 4] for at in range(size - 5, size - 1))
        found.append(int.from_bytes(number, "little"))
        start += 6 + size
    return found
