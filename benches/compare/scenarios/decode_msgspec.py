"""The same rows as MessagePack into Structs of msgspec, Python's fastest typed decoder.

Identities are `bytes` there and moments numbers, which asks less of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from spacetime_py import Identity, Timestamp, from_bsatn

from ..frames import read
from ..making import values_of
from ..measure import Result, Run, repeat
from ..reading import CUTOFF, ME, Reader, reader, user_reader

MY_BYTES = bytes(ME)
FIELDS: dict[str, list[tuple[str, Any]]] = {
    "point": [("x", float), ("y", float), ("z", float)],
    "user": [("identity", bytes), ("name", str | None), ("online", bool)],
    "message": [("id", int), ("sender", bytes), ("sent", int), ("text", str)],
}


def message_all(rows: Iterable[Any]) -> float:
    total = 0
    for row in rows:
        total += row.id + (row.sender == MY_BYTES) + (row.sent > CUTOFF) + len(row.text)
    return total


READERS: dict[tuple[str, str], Reader] = {
    ("user", "all"): user_reader(MY_BYTES),
    ("message", "all"): message_all,
}


def plain(value: object) -> object:
    if isinstance(value, Identity):
        return bytes(value)
    return value.micros if isinstance(value, Timestamp) else value


def run(run: Run) -> Result:
    """Options: those of `decode`, with the mode `batch`."""
    kind, fields = run.options["kind"], run.options["fields"]
    cls = getattr(run.bindings, kind.capitalize())
    made = [from_bsatn(cls, row) for row in read(run.folder / run.options["data"])]
    rows = [[plain(value) for value in values_of(run.bindings, kind, row)] for row in made]
    # Its own advice for speed: fields by position, and nothing for the garbage collector.
    struct = msgspec.defstruct(cls.__name__, FIELDS[kind], array_like=True, gc=False)
    decode, data = msgspec.msgpack.Decoder(list[struct]).decode, msgspec.msgpack.encode(rows)  # type: ignore[valid-type]
    check = READERS.get((kind, fields)) or reader(run.bindings, kind, fields)
    return repeat(run, len(rows), lambda: check(decode(data)))
