"""Frames with any bytes in them, which a client that checks its arguments does not send."""

from __future__ import annotations

import os
import socket

from tests.server.api import Database

PROTOCOL = "v1.bsatn.spacetimedb"
BINARY = 2
TIMEOUT_SECONDS = 30.0


class RawSocket:
    """A WebSocket of protocol v1. What the server answers is read and thrown away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._socket: socket.socket | None = None
        self._calls = 0

    def call(self, reducer: str, arguments: bytes) -> None:
        """Send a call; connect anew if the server has ended the connection."""
        self._calls += 1
        name = reducer.encode()
        message = b"\0" + _sized(name) + _sized(arguments) + _u32(self._calls) + b"\0"
        self._send(message)

    def nonsense(self, message: bytes) -> None:
        """Send what is no message at all."""
        self._send(message)

    def _send(self, message: bytes) -> None:
        for _ in range(2):
            if self._socket is None:
                self._socket = self._connect()
            try:
                self._socket.sendall(_frame(message))
                self._drain(self._socket)
                return
            except OSError:
                self.close()

    def _drain(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        try:
            while data := connected.recv(1 << 16):
                if data[:1] == b"\x88":
                    break
            else:
                raise ConnectionResetError
            raise ConnectionResetError
        except BlockingIOError:
            connected.settimeout(TIMEOUT_SECONDS)

    def _connect(self) -> socket.socket:
        host, _, port = self._database.url.removeprefix("http://").partition(":")
        made = socket.create_connection((host, int(port)), TIMEOUT_SECONDS)
        lines = [
            f"GET /v1/database/{self._database.name}/subscribe?compression=None HTTP/1.1",
            f"Host: {host}:{port}",
            f"Authorization: Bearer {self._database.owner.token}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            f"Sec-WebSocket-Protocol: {PROTOCOL}",
        ]
        made.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = made.recv(1 << 12)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        return made

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def _frame(payload: bytes) -> bytes:
    size, mask = len(payload), os.urandom(4)
    if size < 126:
        head = bytes([0x80 | BINARY, 0x80 | size])
    elif size < 1 << 16:
        head = bytes([0x80 | BINARY, 0xFE]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | BINARY, 0xFF]) + size.to_bytes(8, "big")
    pad = (mask * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")
    return head + mask + masked.to_bytes(size, "big")


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def _sized(data: bytes) -> bytes:
    return _u32(len(data)) + data
