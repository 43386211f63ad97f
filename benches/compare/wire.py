"""The server's half of a WebSocket of protocol v3: upgrade, greeting, what the client sends."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from typing import NamedTuple

from .frames import greeting, websocket_frame

PROTOCOL = "v3.bsatn.spacetimedb"
SUBSCRIBE, CALL_REDUCER = 0, 3


def upgrade_answer(request: bytes) -> bytes:
    """The answer to an upgrade request, and the greeting; nothing is found by any other request."""
    lines = request.split(b"\r\n")[1:]
    headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
    key = headers.get(b"sec-websocket-key")
    if key is None:
        return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
    accept = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-accept: " + base64.b64encode(accept) + b"\r\n"
        b"sec-websocket-protocol: " + PROTOCOL.encode() + b"\r\n\r\n" + websocket_frame(greeting())
    )


class ClientFrame(NamedTuple):
    opcode: int
    payload: bytes
    size: int
    """Of the whole frame."""


def client_frame(data: bytes, start: int = 0) -> ClientFrame | None:
    """The masked frame at `start`; None when it is not there yet as a whole."""
    if len(data) < start + 6:
        return None
    size, at = data[start + 1] & 0x7F, start + 2
    if size >= 126:
        form, width = (">H", 2) if size == 126 else (">Q", 8)
        if len(data) < at + width:
            return None
        (size,) = struct.unpack_from(form, data, at)
        at += width
    end = at + 4 + size
    if len(data) < end:
        return None
    mask = data[at : at + 4] * (size // 4 + 1)
    number = int.from_bytes(data[at + 4 : end], "little") ^ int.from_bytes(mask[:size], "little")
    return ClientFrame(data[start] & 0x0F, number.to_bytes(size, "little"), end - start)


def client_frames(data: bytes) -> Iterator[ClientFrame]:
    start = 0
    while (frame := client_frame(data, start)) is not None:
        yield frame
        start += frame.size


def with_ids(body: bytes, place: slice, ids: bytes) -> bytes:
    """A message with the ids that the client has chosen."""
    return body[: place.start] + ids + body[place.stop :]
