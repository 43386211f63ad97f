"""Checksums over fields that a program reads. `typescript/reading.mjs` reads the same ones.

What is cheap in both languages: numbers are added, lengths of texts, and whether an identity or a
moment compares with another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from spacetime_py import Identity

from .rows import BASE_MICROS, identity

Reader = Callable[[Iterable[Any]], float]

ME = Identity.from_bytes(identity(7)[::-1])
CUTOFF = BASE_MICROS + 500_000


def count(rows: Iterable[Any]) -> float:
    total = 0
    for _ in rows:
        total += 1
    return total


def point_one(rows: Iterable[Any]) -> float:
    total = 0.0
    for row in rows:
        total += row.x
    return total


def point_all(rows: Iterable[Any]) -> float:
    total = 0.0
    for row in rows:
        total += row.x + row.y + row.z
    return total


def user_one(rows: Iterable[Any]) -> float:
    total = 0
    for row in rows:
        name = row.name
        total += 0 if name is None else len(name)
    return total


def user_reader(me: object) -> Reader:
    """Every field; `me` is an identity as the rows have it."""

    def user_all(rows: Iterable[Any]) -> float:
        total = 0
        for row in rows:
            name = row.name
            total += (0 if name is None else len(name)) + (row.identity == me) + row.online
        return total

    return user_all


def message_one(rows: Iterable[Any]) -> float:
    total = 0
    for row in rows:
        total += len(row.text)
    return total


def message_all(rows: Iterable[Any]) -> float:
    total = 0
    for row in rows:
        total += row.id + (row.sender == ME) + (row.sent.micros > CUTOFF) + len(row.text)
    return total


def complex_one(rows: Iterable[Any]) -> float:
    total = 0
    for row in rows:
        total += len(row.title)
    return total


def complex_reader(bindings: Any) -> Reader:
    """Every leaf."""
    moving, waiting = bindings.StateMoving, bindings.StateWaiting

    def complex_all(rows: Iterable[Any]) -> float:
        total = 0.0
        for row in rows:
            note, position, state = row.note, row.position, row.state
            total += row.id + (row.owner == ME) + (row.created.micros > CUTOFF) + len(row.title)
            total += 0 if note is None else len(note)
            total += position.x + position.y + position.z
            for tag in row.tags:
                total += len(tag)
            for score in row.scores:
                total += score
            for attribute in row.attributes:
                total += len(attribute.key) + attribute.value
            if isinstance(state, moving):
                to = state.value
                total += to.x + to.y + to.z
            elif isinstance(state, waiting):
                total += len(state.value)
        return total

    return complex_all


def blob_all(rows: Iterable[Any]) -> float:
    total = 0
    for row in rows:
        data = row.data
        total += len(data) + data[-1]
    return total


_READERS: dict[tuple[str, str], Reader] = {
    ("point", "one"): point_one,
    ("point", "all"): point_all,
    ("user", "one"): user_one,
    ("user", "all"): user_reader(ME),
    ("message", "one"): message_one,
    ("message", "all"): message_all,
    ("complex", "one"): complex_one,
    ("blob", "all"): blob_all,
}


def reader(bindings: Any, kind: str, fields: str) -> Reader:
    """`fields` is made, one or all."""
    if fields == "made":
        return count
    if (kind, fields) == ("complex", "all"):
        return complex_reader(bindings)
    return _READERS[kind, fields]
