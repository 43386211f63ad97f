"""A server that plays what a real one sent, message by message, and can be cut in between.

It plays the session of one client that only subscribes and listens: `tests/recordings/README.md`
describes the files. Request and query set ids are those that the client under test chose.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacetime_py import MemoryTransport
from spacetime_py.transport import Driver, Endpoint
from tests.scripted import wire

from .addresses import VERSIONS, Version

RECORDINGS = Path(__file__).parent.parent / "recordings"


@dataclass(frozen=True)
class Recording:
    """What one connection of a recorded session received, and the rows it had at the end."""

    version: Version
    queries: tuple[str, ...]
    messages: tuple[bytes, ...]
    """Payloads without the compression byte, expanded."""
    rows: dict[str, str]
    """By table: what `digest` gives for them."""


def load(protocol: str, scenario: str, connection: int = 0) -> Recording:
    """A session in which the connection has one subscription and calls nothing."""
    version = VERSIONS[protocol]
    base = RECORDINGS / version.folder / scenario
    queries: list[str] = []
    messages: list[bytes] = []
    for line in _lines(base.with_suffix(".jsonl.gz")):
        if line["kind"] != "binary" or line["conn"] != connection:
            continue
        data = base64.b64decode(line["data"])
        if line["dir"] == "c2s":
            if data[0] == version.subscribe:
                queries += version.read_subscribe(data).queries
        elif (message := _expand(data))[0] in version.listened_to:
            messages.append(message)
    truth = json.loads(gzip.decompress(base.with_suffix(".truth.json.gz").read_bytes()))
    tables = truth["client_cache_at_end"][str(connection)]
    rows = {table: content["sha256_of_sorted_rows"] for table, content in tables.items()}
    return Recording(version, tuple(queries), tuple(messages), rows)


def digest(rows: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(sorted(rows))).hexdigest()


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    text = gzip.decompress(file.read_bytes()).decode()
    for line in text.splitlines()[1:]:
        yield json.loads(line)


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
        self._version = recording.version
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
            if self.played > 0:
                if self._subscribe is None:
                    return False
                message = self._version.readdress(message, self._subscribe)
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
            self._memory.feed(wire.upgrade_answer(head, self._version.subprotocol))
        while (frame := wire.take_frame(self._incoming)) is not None:
            self._take(*frame)

    def _take(self, opcode: int, payload: bytes) -> None:
        assert self._memory is not None
        if opcode == 8:
            self._memory.feed(wire.frame(8, payload))
        elif opcode == 2:
            self._subscribe = self._version.read_subscribe(payload)
