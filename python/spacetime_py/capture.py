"""Writes what a connection sends and receives to a file, to be looked at or replayed later.

The format is that of `tests/recordings/README.md`: one JSON object a line. Tokens and the values of
the user's own headers are left out. Rows and arguments are not. A file that can be written no more,
since the disk is full say, ends the capture and not the connection.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from ._core import Connection as Core
from ._core import __version__, open_envelope
from .exceptions import HandshakeRejected, ProtocolError, SpacetimeDBError
from .logs import connection_log


class CaptureFile:
    """One file for all sessions of a connection; each is a `conn` in it."""

    def __init__(
        self,
        path: str | Path,
        database: str,
        protocols: Sequence[str],
        headers: Mapping[str, str],
        max_message_size: int,
    ) -> None:
        self._path = Path(path)
        self._database = database
        self._offered = [f"{protocol}.bsatn.spacetimedb" for protocol in protocols]
        self._max_message_size = max_message_size
        self._headers = {name: _digest(value) for name, value in headers.items()}
        self._file: TextIO | None = None
        self._started = time.monotonic()
        self._conn = -1
        self._has_header = False
        self._is_open = False
        self._secrets: dict[bytes, bytes] = {}

    def open(self, core: Core) -> None:
        """Start the file. Raises OSError when it cannot be written."""
        self._file = self._path.open("w", encoding="utf-8")
        self._started = time.monotonic()
        core.start_capture()

    def start_session(self) -> None:
        """A new connection number."""
        self._conn += 1
        self._is_open = False

    def write(self, core: Core) -> None:
        """Write what the core has captured since the last time."""
        self.hide(core.token)
        if not self._is_open and core.protocol is not None:
            self._is_open = True
            chosen = f"{core.protocol}.bsatn.spacetimedb"
            self._answered("open", chosen, {"response_headers": {"sec-websocket-protocol": chosen}})
        for is_sent, kind, data in core.take_captured():
            line: dict[str, Any] = {"conn": self._conn, "dir": "c2s" if is_sent else "s2c"}
            if kind == "close":
                line["code"] = int.from_bytes(data[:2], "big") if data else None
                line["reason"] = self._replaced(data[2:]).decode(errors="replace")
            elif kind == "drop":
                del line["dir"]
            else:
                shown = self._hidden(data) if kind == "binary" and not is_sent else data
                line["data"] = base64.b64encode(shown).decode()
            self._line(kind, line)
        if self._file is None:
            core.stop_capture()

    def end_session(self, core: Core, error: SpacetimeDBError) -> None:
        """The session has ended, or the server did not upgrade."""
        self.write(core)
        if isinstance(error, HandshakeRejected):
            self._answered("refused", None, {"status": error.status, "response_body": error.body})

    def close(self) -> None:
        """Nothing more comes."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
        except OSError as error:
            connection_log.error("capture %s is not complete: %s", self._path, error)

    def _answered(self, kind: str, chosen: str | None, answer: Mapping[str, Any]) -> None:
        if not self._has_header:
            self._has_header = True
            self._write_header(chosen)
        request = {
            "conn": self._conn,
            "path": f"/v1/database/{self._database}/subscribe",
            "request_headers": self._headers,
            "offered": self._offered,
        }
        self._line(kind, {**request, "chosen": chosen, **answer})

    def _write_header(self, chosen: str | None) -> None:
        header = {
            "kind": "header",
            "format": 1,
            "scenario": self._path.name.split(".")[0],
            "server": None,
            "protocol": chosen,
            "client": f"spacetime-py {__version__}",
            "database": self._database,
        }
        self._write(header)

    def hide(self, token: str | None) -> None:
        """Leave this token out of everything that is written from now on."""
        secret = (token or "").encode()
        if token and secret not in self._secrets:
            self._secrets[secret] = _digest(token).encode().ljust(len(secret), b"-")[: len(secret)]

    def _hidden(self, payload: bytes) -> bytes:
        """The payload with other bytes in the place of secrets, and expanded if it has one."""
        try:
            tag, body = b"\0", open_envelope(payload, self._max_message_size)
        except ProtocolError:
            # It ends the session, and is what the file will be looked at for.
            tag, body = payload[:1], payload[1:]
        shown = self._replaced(body)
        return payload if shown == body else tag + shown

    def _replaced(self, data: bytes) -> bytes:
        for secret, digest in self._secrets.items():
            data = data.replace(secret, digest)
        return data

    def _line(self, kind: str, fields: Mapping[str, Any]) -> None:
        ms = round((time.monotonic() - self._started) * 1000, 1)
        self._write({"ms": ms, "kind": kind, **fields})

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        except OSError as error:
            connection_log.error("capture %s ends here: %s", self._path, error)
            file, self._file = self._file, None
            with suppress(OSError):
                file.close()


def _digest(secret: str) -> str:
    return f"token-{hashlib.sha256(secret.encode()).hexdigest()[:16]}"
