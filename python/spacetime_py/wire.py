"""The server's side of WebSocket, as far as playing one back takes."""

from __future__ import annotations

import base64
import hashlib
import re

_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What RFC 6455 appends to a client's key."""


def frame(opcode: int, payload: bytes) -> bytes:
    """One unmasked frame, the last of its message."""
    head = bytes([0x80 | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 1 << 16:
        return head + b"\x7e" + len(payload).to_bytes(2, "big") + payload
    return head + b"\x7f" + len(payload).to_bytes(8, "big") + payload


def upgrade_answer(
    request: bytes, *, protocol: str | None = None, status: int = 101, body: str = ""
) -> bytes:
    """The answer to an upgrade request: a chosen subprotocol, or a refusal with a status."""
    if status != 101:
        content = body.encode()
        head = f"HTTP/1.1 {status} Refused\r\ncontent-length: {len(content)}\r\n\r\n"
        return head.encode() + content
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", request)
    assert key is not None, "the core's own request has a key"
    accept = base64.b64encode(hashlib.sha1(key[1] + _ACCEPT).digest()).decode()
    return (
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        f"sec-websocket-accept: {accept}\r\nsec-websocket-protocol: {protocol}\r\n\r\n"
    ).encode()
