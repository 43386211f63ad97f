"""Messages of a server of protocol v2 and v3, and files of them that both sides read."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from .rows import message, string

# Where the request id and the query set's are in the answer to a subscription, and the latter in
# an update: the sides put there what they have sent.
APPLIED_IDS = slice(1, 9)
UPDATE_SET = slice(5, 9)


def greeting() -> bytes:
    return b"\0" + bytes(range(32)) + bytes(range(16)) + string("token")


def applied(table: str, rows: Sequence[bytes]) -> bytes:
    """The answer to a subscription."""
    return b"\1" + bytes(8) + struct.pack("<I", 1) + string(table) + row_list(rows)


def applied_to_all(tables: Sequence[str], rows: Sequence[Sequence[bytes]]) -> bytes:
    """The same for several tables."""
    lists = (string(table) + row_list(some) for table, some in zip(tables, rows, strict=True))
    return b"\1" + bytes(8) + struct.pack("<I", len(tables)) + b"".join(lists)


def update(table: str, deletes: Sequence[bytes], inserts: Sequence[bytes]) -> bytes:
    """A transaction of somebody else."""
    head = b"\4" + struct.pack("<III", 1, 0, 1) + string(table) + struct.pack("<I", 1)
    return head + b"\0" + row_list(inserts) + row_list(deletes)


def row_list(rows: Sequence[bytes]) -> bytes:
    """With one size where all rows have the same, as servers do; else with their places."""
    data = b"".join(rows)
    sizes = {len(row) for row in rows}
    if len(sizes) == 1:
        hint = b"\0" + struct.pack("<H", *sizes)
    else:
        places = list(accumulate(map(len, rows), initial=0))[: len(rows)]
        hint = b"\1" + struct.pack(f"<I{len(rows)}Q", len(rows), *places)
    return hint + struct.pack("<I", len(data)) + data


def inserts(table: str, first: int, count: int, size: int) -> Iterator[bytes]:
    """`count` transactions of `size` new messages each."""
    for start in range(first, first + count * size, size):
        yield update(table, [], [message(number) for number in range(start, start + size)])


def random_updates(rows: int, count: int, size: int) -> Iterator[bytes]:
    """`count` transactions that each change `size` of so many messages, no row twice in one."""
    versions, chance = [0] * rows, random.Random(1)
    for _ in range(count):
        deletes, news = [], []
        for number in chance.sample(range(rows), size):
            deletes.append(message(number, versions[number]))
            versions[number] += 1
            news.append(message(number, versions[number]))
        yield update("message", deletes, news)


def write(path: Path, bodies: Iterable[bytes]) -> None:
    """Each behind its length, in 4 bytes."""
    with path.open("wb") as file:
        for body in bodies:
            file.write(struct.pack("<I", len(body)))
            file.write(body)


def read(path: Path) -> list[bytes]:
    data, bodies, at = path.read_bytes(), [], 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        bodies.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return bodies


def websocket_frame(body: bytes) -> bytes:
    """One message, not compressed, in one frame, as a server sends it."""
    size = len(body) + 1
    if size < 126:
        head = bytes([0x82, size])
    elif size < 65536:
        head = b"\x82\x7e" + struct.pack(">H", size)
    else:
        head = b"\x82\x7f" + struct.pack(">Q", size)
    return head + b"\0" + body
