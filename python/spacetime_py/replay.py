"""Recorded sessions through the client again: `spacetime-py replay`.

Each connection in the file gets a core of its own, which sees the recorded bytes as the frames of a
server. `tests/recordings/README.md` describes the format, docs/topics/capture.md the use.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._core import (
    Closed,
    Connection,
    Module,
    SubscribeApplied,
    SubscriptionFailed,
    TableDiff,
    TransactionUpdate,
    UnsubscribeApplied,
    Warning,
)
from .exceptions import RecordingError
from .wire import frame, upgrade_answer

_Json = dict[str, Any]
_Cut = Callable[[bytes], Iterator[bytes]]

_BINARY, _CLOSE, _PING, _PONG = 2, 8, 9, 10


@dataclass
class _Session:
    """The server's side of one connection."""

    protocol: str | None = None
    refused: tuple[int, str] | None = None
    steps: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])


def replay(file: Path, module: Module, chunk: str = "whole", rows: bool = False) -> _Json:
    """What a client makes of each connection in the file, as JSON.

    `chunk` is "whole", a number of bytes, or "random:SEED"; `rows` adds the rows at the end as hex
    of their BSATN. Raises RecordingError, ValueError for a bad `chunk`.
    """
    cut = _cutter(chunk)
    sessions = _read(file)
    runs = {str(conn): _Client(module, cut).run(session, rows) for conn, session in sessions}
    return {"connections": runs}


def _cutter(chunk: str) -> _Cut:
    if chunk == "whole":
        return lambda data: iter([data])
    if chunk.isdecimal() and int(chunk):
        return lambda data: _pieces(data, lambda: int(chunk))
    if match := re.fullmatch(r"random:(\d+)", chunk):
        generator = random.Random(int(match[1]))
        return lambda data: _pieces(data, lambda: generator.randint(1, 3000))
    raise ValueError(f"--chunk is whole, a number of bytes, or random:SEED, not {chunk!r}")


def _pieces(data: bytes, size: Callable[[], int]) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        end = position + size()
        yield data[position:end]
        position = end


def _read(file: Path) -> list[tuple[int, _Session]]:
    """The sessions by number of their connection."""
    data = file.read_bytes()
    text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode()
    sessions: dict[int, _Session] = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            entry = json.loads(line)
            if "conn" in entry:
                _add(sessions.setdefault(entry["conn"], _Session()), entry)
        except (ValueError, KeyError, TypeError) as error:
            problem = f"line {number} is no line of a recording: {error!r}"
            raise RecordingError(f"{file}, {problem}") from error
    return sorted(sessions.items())


def _add(session: _Session, entry: _Json) -> None:
    kind, direction = entry["kind"], entry.get("dir")
    if kind == "open":
        session.protocol = entry["chosen"]
    elif kind == "refused":
        session.refused = (entry["status"], entry.get("response_body") or "")
    elif kind == "drop":
        session.steps.append(("eof", b""))
    elif kind == "close" and direction == "c2s":
        session.steps.append(("close", b""))
    elif direction == "s2c" and kind != "text":
        session.steps.append(("data", _frame_of(kind, entry)))


def _frame_of(kind: str, entry: _Json) -> bytes:
    if kind == "close":
        code = b"" if entry["code"] is None else entry["code"].to_bytes(2, "big")
        return frame(_CLOSE, code + entry["reason"].encode())
    opcode = {"binary": _BINARY, "ping": _PING, "pong": _PONG}[kind]
    return frame(opcode, base64.b64decode(entry["data"], validate=True))


class _Client:
    """One connection: `tables`, `events`, and `ended` where no close frame ended it."""

    def __init__(self, module: Module, cut: _Cut) -> None:
        self._names = module.table_names
        self._core = Connection(module, authority="localhost", database="recorded")
        self._cut = cut
        self._result: _Json = {"tables": {}, "events": []}

    def run(self, session: _Session, rows: bool) -> _Json:
        request = self._core.data_to_send()
        if session.refused is not None:
            status, body = session.refused
            self._feed(upgrade_answer(request, status=status, body=body))
        elif session.protocol is not None:
            self._feed(upgrade_answer(request, protocol=session.protocol))
        for kind, data in session.steps:
            if kind == "data":
                self._feed(data)
            else:
                (self._core.receive_eof if kind == "eof" else self._core.close)()
                self._take_events()
        for name in self._names:
            if cached := sorted(self._core.table_bsatn(name)):
                self._result["tables"][name] = _table(cached, rows)
        return self._result

    def _feed(self, data: bytes) -> None:
        for piece in self._cut(data):
            self._core.receive_data(piece)
            self._take_events()

    def _take_events(self) -> None:
        events = self._result["events"]
        while (event := self._core.next_event()) is not None:
            if isinstance(event, Warning):
                self._result.setdefault("warnings", []).append(event.message)
            elif not isinstance(event, Closed):
                events.append(_item(self._core, event, self._names))
            elif event.kind == "closed":
                close = {"message": "close", "code": event.code, "reason": event.reason}
                events.append(close | {"changes": {}})
            else:
                ended = {"kind": event.kind, "code": event.code, "reason": event.reason}
                self._result["ended"] = ended


def _table(cached: list[bytes], rows: bool) -> _Json:
    digest = hashlib.sha256(b"".join(cached)).hexdigest()
    table: _Json = {"rows": len(cached), "sha256_of_sorted_rows": digest}
    return table | ({"bsatn": [row.hex() for row in cached]} if rows else {})


def _item(core: Connection, event: object, names: list[str]) -> _Json:
    """In the terms of the truth files."""
    message, request_id, query_set = core.message_head
    item: _Json = {"message": message}
    if request_id is not None:
        item["request_id"] = request_id
    if query_set is not None:
        item["query" if core.protocol == "v1" else "set"] = query_set
    if isinstance(event, SubscriptionFailed):
        item["error"] = event.message
    if isinstance(event, TransactionUpdate) and event.error is not None:
        item["error"] = event.error[1]
    changed = (SubscribeApplied, UnsubscribeApplied, SubscriptionFailed, TransactionUpdate)
    diff = event.diff if isinstance(event, changed) else []
    item["changes"] = {names[table.table]: _changes(table) for table in diff if not table.is_event}
    return item


def _changes(table: TableDiff) -> dict[str, int]:
    named = zip(("inserted", "updated", "deleted"), table.counts, strict=True)
    return {name: count for name, count in named if count}
