"""Rows of chat's tables and of `item`, as a server sends them: bytes."""

from __future__ import annotations

from typing import Any

from examples.chat.module_bindings import Message, User
from spacetime_py import Identity, Timestamp
from tests.codegen.golden.schema_1_2_0_version9 import Item


def messages(count: int) -> list[bytes]:
    """Rows of chat's `message`; all differ."""
    return [
        encoded(Message(sender=identity(n % 100), sent=moment(n), text=text(n)))
        for n in range(count)
    ]


def users(count: int) -> list[bytes]:
    """Rows of chat's `user`."""
    return [user_bytes(number, online=True) for number in range(count)]


def user_bytes(number: int, online: bool) -> bytes:
    return encoded(user(number, online))


def user(number: int, online: bool) -> User:
    return User(identity=identity(number), name=f"user number {number}", online=online)


def items(count: int) -> list[bytes]:
    """Rows of `item`: 100 owners, 10 kinds, 50 levels."""
    return [encoded(item(number)) for number in range(count)]


def item(number: int, note: str | None = None) -> Item:
    return Item(
        id=number,
        code=f"item-{number}",
        owner=identity(number % 100),
        kind=number % 10,
        level=number % 50,
        note=note,
    )


def encoded(row: Any) -> bytes:
    """The BSATN of a row. Generated classes do not declare their `__bytes__`."""
    return bytes(row)


def identity(number: int) -> Identity:
    return Identity.from_bytes(b"\xc2\0" + number.to_bytes(30, "big"))


def moment(number: int) -> Timestamp:
    return Timestamp(1_795_000_000_000_000 + 1_000 * number)


def text(number: int) -> str:
    return f"message number {number}, long enough to be one"
