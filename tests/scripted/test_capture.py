"""What a capture does to a connection: nothing, whatever happens to its file."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from examples.chat.module_bindings import DbConnection
from spacetime_py import IdentityChanged, ProtocolError, Reconnect

from . import wire
from .peer import PATIENCE, Peer, Peers, in_memory

pytestmark = pytest.mark.anyio


async def converse(connection: DbConnection) -> None:
    await connection.subscribe("SELECT * FROM message")
    for _ in range(3):
        await connection.reducers.send_message("a")


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_a_file_that_cannot_be_opened_is_told_on_entering(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        async with in_memory(Peer(), capture=tmp_path / "missing" / "session.jsonl"):
            pass


class FullDisk(io.StringIO):
    """A file that takes so many lines, and raises on closing too."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, text: str) -> int:
        if self.room == 0:
            raise OSError(28, "No space left on device")
        self.room -= 1
        return super().write(text)

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("room", "words"), [(0, "ends here"), (5, "ends here"), (1000, "is not complete")]
)
async def test_a_full_disk_ends_the_capture_and_not_the_connection(
    room: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = FullDisk(room)
    monkeypatch.setattr(Path, "open", lambda *_args, **_options: file)
    with anyio.fail_after(PATIENCE):
        async with in_memory(Peer(), capture="session.jsonl") as connection:
            await converse(connection)
            taken = connection._core.take_captured()
        await connection.wait_closed()
    assert taken == []
    (record,) = caplog.records
    assert (
        record.getMessage() == f"capture session.jsonl {words}: [Errno 28] No space left on device"
    )


@pytest.mark.parametrize("tag", [b"\1", b"\2", b"\7"])
async def test_a_payload_that_cannot_be_opened_is_captured_as_it_came(
    tag: bytes, tmp_path: Path
) -> None:
    peer = Peer()
    file = tmp_path / "session.jsonl"
    with anyio.fail_after(PATIENCE):
        async with in_memory(peer, capture=file, reconnect=Reconnect(base=0)) as connection:
            peer.send_bytes(wire.frame(2, tag + b"is " + wire.TOKEN.encode()))
            with pytest.raises(ProtocolError):
                await connection.wait_closed()
    (broken,) = [
        base64.b64decode(line["data"])
        for line in lines(file)
        if line["kind"] == "binary" and base64.b64decode(line["data"])[:1] == tag
    ]
    assert broken == tag + b"is token-"


async def test_no_token_is_captured_not_even_that_of_somebody_else(tmp_path: Path) -> None:
    mine, other = Peer(), Peer()
    other.identity, other.token = bytes(32), "of somebody else"
    file = tmp_path / "session.jsonl"
    options = {"transport": Peers(mine, other), "capture": file, "reconnect": Reconnect(base=0)}
    with anyio.fail_after(PATIENCE):
        async with in_memory(mine, **options) as connection:
            mine.end()
            with pytest.raises(IdentityChanged):
                await connection.wait_closed()
    payloads = [base64.b64decode(line["data"]) for line in lines(file) if "data" in line]
    assert len(payloads) == 2
    for peer in (mine, other):
        assert not any(peer.token.encode() in payload for payload in payloads)
        assert peer.token not in file.read_text()
