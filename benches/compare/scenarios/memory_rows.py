"""Memory per cached row after a first subscription, and after a million random updates."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from pathlib import Path

from ..frames import APPLIED_IDS
from ..measure import Result, Run
from ..memory import resident
from ..memory_wire import READ_SIZE, Wire, connected, subscribe
from ..reading import message_one


def _bodies(file: Path) -> Iterator[bytes]:
    """One after the other: a program does not hold what it has received."""
    with file.open("rb") as stream:
        while head := stream.read(4):
            yield stream.read(struct.unpack("<I", head)[0])


def _feed_applied(wire: Wire, file: Path) -> None:
    """From the file in pieces, so that only the SDK ever holds the whole message."""
    with file.open("rb") as stream:
        (size,) = struct.unpack("<I", stream.read(4))
        head = stream.read(APPLIED_IDS.stop)
        # In front of the message: the frame's head, and that it is not compressed.
        wire.feed(b"\x82\x7f" + struct.pack(">QB", size + 1, 0))
        wire.feed(head[: APPLIED_IDS.start] + wire.subscribed)
        while piece := stream.read(READ_SIZE):
            wire.feed(piece)


async def _run(run: Run) -> Result:
    rows = run.options["rows"]
    async with connected(run.bindings) as (connection, wire):
        table = connection.db.message
        subscribe(connection, "SELECT * FROM message")
        before = resident()
        _feed_applied(wire, run.folder / run.options["data"])
        per_row = (resident() - before) / rows
        assert len(table) == rows, "rows are missing"
        for body in _bodies(run.folder / run.options["updates"]):
            wire.feed(wire.update(body))
        after = (resident() - before) / rows
        values = {
            "bytes_per_row": per_row,
            "after_updates": after,
            "growth": after / max(per_row, 1),
        }
        return Result(values=values, checksum=message_one(table))


def run(run: Run) -> Result:
    """Options: `rows`, `data` with the answer, `updates`."""
    return asyncio.run(_run(run))
