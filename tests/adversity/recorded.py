"""A server that plays what a real one sent, message by message, and can be cut in between.

It plays the session of one client that only subscribes and listens: `tests/recordings/README.md`
describes the files. Request and query set ids are those that the client under test chose.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacetime_py import MemoryTransport
from spacetime_py.transport import Driver, Endpoint
from tests.scripted import wire

RECORDINGS = Path(__file__).parent.parent / "recordings" / "v1-1.2.0"

_SUBSCRIBE_APPLIED = 0x08
_LISTENED_TO = (1, 2, 3, _SUBSCRIBE_APPLIED)
"""Messages that come to a client which only subscribes: transactions, greeting, first rows."""


@dataclass(frozen=True)
class Recording:
    """What one connection of a recorded session received, and the rows it had at the end."""

    queries: tuple[str, ...]
    messages: tuple[bytes, ...]
    """Without the compression byte, expanded."""
    rows: dict[str, str]
    """By table: what `digest` gives for them."""


def load(scenario: str, connection: int = 0) -> Recording:
    """A session in which the connection has one subscription and calls nothing."""
    queries: list[str] = []
    messages: list[bytes] = []
    for line in _lines(scenario):
        if line["kind"] != "binary" or line["conn"] != connection:
            continue
        data = base64.b64decode(line["data"])
        if line["dir"] == "c2s":
            queries += _queries(data)
        elif (message := _expand(data))[0] in _LISTENED_TO:
            messages.append(message)
    truth = json.loads(gzip.decompress((RECORDINGS / f"{scenario}.truth.json.gz").read_bytes()))
    tables = truth["client_cache_at_end"][str(connection)]
    rows = {table: content["sha256_of_sorted_rows"] for table, content in tables.items()}
    return Recording(tuple(queries), tuple(messages), rows)


def digest(rows: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(sorted(rows))).hexdigest()


def _lines(scenario: str) -> Iterator[dict[str, Any]]:
    text = gzip.decompress((RECORDINGS / f"{scenario}.jsonl.gz").read_bytes()).decode()
    for line in text.splitlines()[1:]:
        yield json.loads(line)


def _queries(data: bytes) -> list[str]:
    if data[0] != 4:
        return []
    message = wire.client_message(data)
    assert isinstance(message, wire.Subscribe)
    return message.queries


def _expand(data: bytes) -> bytes:
    assert data[0] in (0, 2), "brotli is for other tests"
    return gzip.decompress(data[1:]) if data[0] == 2 else data[1:]


def cut_positions(recording: Recording, every: bool) -> list[int]:
    """After how many messages a session is cut: after each one, or at some places that matter."""
    count = len(recording.messages)
    if every:
        return list(range(count + 1))
    return sorted({0, 1, 2, count // 2, count - 1, count})


class RecordedServer:
    """Gives each connection the recorded session from its start; the test says how far."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._memory: MemoryTransport | None = None
        self._incoming = bytearray()
        self._is_upgraded = False
        self._subscribe: wire.Subscribe | None = None
        self.sessions = 0
        self.played = 0

    def transport(self, endpoint: Endpoint, driver: Driver) -> MemoryTransport:
        """For the connection's option of this name: a new session."""
        self._memory = MemoryTransport(driver, self._receive)
        self._incoming.clear()
        self._is_upgraded = False
        self._subscribe = None
        self.sessions += 1
        self.played = 0
        return self._memory

    def play(self, until: int) -> bool:
        """Send messages until so many are sent; False when the client has something to do first."""
        while self.played < until:
            message = self._recording.messages[self.played]
            if self._memory is None or not self._is_upgraded:
                return False
            if message[0] == _SUBSCRIBE_APPLIED:
                if self._subscribe is None:
                    return False
                message = _addressed(message, self._subscribe)
            self.played += 1
            self._memory.feed(wire.frame(2, b"\0" + message))
        return True

    def cut(self) -> None:
        """The socket ends."""
        assert self._memory is not None
        self._memory.end()

    def _receive(self, data: bytes) -> None:
        self._incoming += data
        if not self._is_upgraded:
            head, separator, rest = bytes(self._incoming).partition(b"\r\n\r\n")
            if not separator:
                return
            self._incoming = bytearray(rest)
            self._is_upgraded = True
            assert self._memory is not None
            self._memory.feed(wire.upgrade_answer(head))
        while (frame := wire.take_frame(self._incoming)) is not None:
            self._take(*frame)

    def _take(self, opcode: int, payload: bytes) -> None:
        assert self._memory is not None
        if opcode == 8:
            self._memory.feed(wire.frame(8, payload))
        elif opcode == 2:
            message = wire.client_message(payload)
            assert isinstance(message, wire.Subscribe)
            self._subscribe = message


def _addressed(message: bytes, subscribe: wire.Subscribe) -> bytes:
    """SubscribeMultiApplied with other ids: tag, request id, 8 bytes of duration, query set id."""
    ids = struct.pack("<I", subscribe.request_id), struct.pack("<I", subscribe.query_set)
    return message[:1] + ids[0] + message[5:13] + ids[1] + message[17:]
