"""The server's half of version 1 of the protocol, as far as tests need it: BSATN, frames, upgrade.

Written from the protocol's description, not from the core, so that the two check each other.
Recordings of real servers do the rest (tests/recordings).
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ME = bytes(range(32))
MY_CONNECTION = bytes(range(16))
TOKEN = "secret"
NOBODY = bytes(16)

Rows = Mapping[str, Iterable[object]]


@dataclass
class Call:
    """CallReducer."""

    reducer: str
    args: bytes
    request_id: int


@dataclass
class CallProcedure:
    """CallProcedure."""

    procedure: str
    args: bytes
    request_id: int


@dataclass
class Subscribe:
    """SubscribeMulti."""

    queries: list[str]
    request_id: int
    query_set: int


@dataclass
class Unsubscribe:
    """UnsubscribeMulti."""

    request_id: int
    query_set: int


@dataclass
class Close:
    """A close frame."""

    code: int | None
    reason: str


@dataclass
class Query:
    """OneOffQuery."""

    message_id: bytes
    query: str


ClientMessage = Call | CallProcedure | Subscribe | Unsubscribe | Query | Close


def u32(number: int) -> bytes:
    return struct.pack("<I", number)


def u64(number: int) -> bytes:
    return struct.pack("<Q", number)


def sized(data: bytes) -> bytes:
    return u32(len(data)) + data


def string(text: str) -> bytes:
    return sized(text.encode())


def option(payload: bytes | None) -> bytes:
    return b"\1" if payload is None else b"\0" + payload


def array(items: list[bytes]) -> bytes:
    return u32(len(items)) + b"".join(items)


def row_list(rows: Iterable[object]) -> bytes:
    data = [_bytes(row) for row in rows]
    offsets = [sum(len(one) for one in data[:i]) for i in range(len(data))]
    return b"\1" + array([u64(offset) for offset in offsets]) + sized(b"".join(data))


def _bytes(row: object) -> bytes:
    assert hasattr(row, "__bytes__")
    return bytes(row)


def database_update(inserts: Rows, deletes: Rows) -> bytes:
    tables = list(dict.fromkeys([*inserts, *deletes]))
    return array([_table_update(t, inserts.get(t, ()), deletes.get(t, ())) for t in tables])


def _table_update(table: str, inserts: Iterable[object], deletes: Iterable[object]) -> bytes:
    inserted, deleted = list(inserts), list(deletes)
    count = u64(len(inserted) + len(deleted))
    update = b"\0" + row_list(deleted) + row_list(inserted)
    return u32(4096) + string(table) + count + array([update])


def identity_token(identity: bytes = ME, token: str = TOKEN) -> bytes:
    return b"\3" + identity + string(token) + MY_CONNECTION


def transaction_update(
    status: bytes,
    *,
    reducer: str,
    args: bytes = b"",
    request_id: int = 0,
    caller: bytes = ME,
    connection: bytes = MY_CONNECTION,
) -> bytes:
    call = string(reducer) + u32(7) + sized(args) + u32(request_id)
    return b"\1" + status + u64(1_000_000) + caller + connection + call + bytes(16) + u64(0)


def committed(inserts: Rows, deletes: Rows) -> bytes:
    return b"\0" + database_update(inserts, deletes)


def failed(message: str) -> bytes:
    return b"\1" + string(message)


def light_update(inserts: Rows, deletes: Rows, request_id: int = 0) -> bytes:
    return b"\2" + u32(request_id) + database_update(inserts, deletes)


def subscribe_applied(message: Subscribe, inserts: Rows) -> bytes:
    ids = u32(message.request_id) + u64(0) + u32(message.query_set)
    return b"\x08" + ids + database_update(inserts, {})


def unsubscribe_applied(message: Unsubscribe, deletes: Rows) -> bytes:
    ids = u32(message.request_id) + u64(0) + u32(message.query_set)
    return b"\x09" + ids + database_update({}, deletes)


def subscription_error(request_id: int | None, query_set: int | None, text: str) -> bytes:
    ids = [None if number is None else u32(number) for number in (request_id, query_set, None)]
    return b"\x07" + u64(0) + b"".join(option(number) for number in ids) + string(text)


def procedure_result(request_id: int, *, value: bytes = b"", error: str | None = None) -> bytes:
    status = b"\0" + sized(value) if error is None else b"\2" + string(error)
    return b"\x0a" + status + u64(0) + u64(0) + u32(request_id)


def one_off_response(message_id: bytes, rows: Rows, error: str | None = None) -> bytes:
    tables = [string(table) + row_list(rows) for table, rows in rows.items()]
    reason = option(None if error is None else string(error))
    return b"\x04" + sized(message_id) + reason + array(tables) + u64(0)


def client_message(data: bytes) -> ClientMessage:
    reader = Reader(data)
    tag = reader.u8()
    if tag == 2:
        return Query(reader.take(reader.u32()), reader.string())
    if tag == 0:
        return Call(reader.string(), reader.take(reader.u32()), reader.u32())
    if tag == 4:
        queries = [reader.string() for _ in range(reader.u32())]
        return Subscribe(queries, reader.u32(), reader.u32())
    if tag == 7:
        return CallProcedure(reader.string(), reader.take(reader.u32()), reader.u32())
    assert tag == 6, f"unexpected client message {tag}"
    return Unsubscribe(reader.u32(), reader.u32())


class Reader:
    """Takes values off the start of `rest`."""

    def __init__(self, data: bytes) -> None:
        self.rest = memoryview(data)

    def take(self, count: int) -> bytes:
        taken, self.rest = self.rest[:count], self.rest[count:]
        return bytes(taken)

    def u8(self) -> int:
        return self.take(1)[0]

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def string(self) -> str:
        return self.take(self.u32()).decode()


def frame(opcode: int, payload: bytes) -> bytes:
    """A server's frame: not masked, in one piece."""
    size = len(payload)
    if size < 126:
        return bytes([0x80 | opcode, size]) + payload
    if size < 65536:
        return bytes([0x80 | opcode, 126]) + struct.pack(">H", size) + payload
    return bytes([0x80 | opcode, 127]) + struct.pack(">Q", size) + payload


def take_frame(data: bytearray) -> tuple[int, bytes] | None:
    """Remove one frame of a client, which is masked: (opcode, payload); None without one."""
    if len(data) < 2:
        return None
    size, start = data[1] & 0x7F, 2
    if size >= 126:
        width = 2 if size == 126 else 8
        size, start = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
    if len(data) < start + 4 + size:
        return None
    mask = data[start : start + 4]
    payload = bytes(b ^ mask[i % 4] for i, b in enumerate(data[start + 4 : start + 4 + size]))
    opcode = data[0] & 0x0F
    del data[: start + 4 + size]
    return opcode, payload


def fragments(payload: bytes, size: int, between: bytes = b"") -> bytes:
    """A binary message in several frames, with control frames between them."""
    parts = [payload[start : start + size] for start in range(0, len(payload), size)]
    frames = [bytearray(frame(0 if number else 2, part)) for number, part in enumerate(parts)]
    for one in frames[:-1]:
        one[0] &= 0x7F
    return between.join(map(bytes, frames))


def upgrade_answer(request: bytes, subprotocol: str = "v1.bsatn.spacetimedb") -> bytes:
    headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if line)
    key = {name.lower(): value for name, value in headers.items()}[b"sec-websocket-key"]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-accept: " + accept + b"\r\n"
        b"sec-websocket-protocol: " + subprotocol.encode() + b"\r\n\r\n"
    )


def refusal(status: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n\r\n"
    return (head + body).encode()
