"""Rows as bytes, written without either SDK. Numbers make them: each number another row.

A `point` has 24 bytes, a `user` 34 to 56, a `message` 90 to 94 (98 to 102 on the wire with its
offset), a `complex` row about 220.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

BASE_MICROS = 1_795_000_000_000_000
SENDERS = 100

Maker = Callable[[int], bytes]


def identity(number: int) -> bytes:
    """As BSATN: least significant byte first."""
    return ((0xC200 << 240) + number).to_bytes(32, "little")


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def point(number: int) -> bytes:
    # Short in binary, so that their sum is the same in any order.
    return struct.pack("<3d", number * 0.5, number * -0.25, number * 0.125)


def user(number: int) -> bytes:
    name = b"\1" if number % 4 == 0 else b"\0" + string(f"user number {number % 1000}")
    return identity(number) + name + struct.pack("<?", number % 2)


def message(number: int, version: int = 0) -> bytes:
    head = struct.pack("<Q", number) + identity(number % SENDERS)
    sent = struct.pack("<q", BASE_MICROS + 1000 * number + version)
    return head + sent + string(f"message number {number:>{23 + (number + version) % 5}}")


def complex_row(number: int, owner: int | None = None) -> bytes:
    note = b"\1" if number % 3 == 0 else b"\0" + string(f"a note of {number % 1000}")
    tags = [string(f"tag-{(number + tag) % 50}") for tag in range(3)]
    scores = struct.pack("<5I", 4, number % 100, number % 90, number % 80, number % 70)
    weight = string("weight") + struct.pack("<q", number % 1000)
    height = string("height") + struct.pack("<q", number % 2000)
    states = (b"\0", b"\1" + point(number), b"\2" + string(f"for {number % 100}"))
    return b"".join(
        (
            struct.pack("<Q", number),
            identity(number % SENDERS if owner is None else owner),
            struct.pack("<q", BASE_MICROS + 1000 * number),
            string(f"object number {number:>8}"),
            note,
            point(number),
            struct.pack("<I", len(tags)),
            *tags,
            scores,
            struct.pack("<I", 2),
            weight,
            height,
            states[number % 3],
        )
    )


KINDS: dict[str, Maker] = {
    "point": point,
    "user": user,
    "message": message,
    "complex": complex_row,
}


def array(rows: list[bytes]) -> bytes:
    """A BSATN array, which is also a struct with one."""
    return struct.pack("<I", len(rows)) + b"".join(rows)
