"""Rows as programs have them: a tiny one, chat's two tables, and one with every kind of field."""

from __future__ import annotations

from typing import Any

from examples.chat.module_bindings import Message, User
from spacetime_py import Identity, Some, Timestamp

KINDS = ("point", "user", "message", "complex")


def values(bindings: Any, kind: str) -> tuple[Any, dict[str, Any]]:
    """A class of rows, and the arguments that make one."""
    if kind == "point":
        return bindings.Point, {"x": -5, "y": 70_000}
    if kind == "user":
        return User, {"identity": identity(7), "name": "Ann of the Green", "online": True}
    if kind == "message":
        return Message, {"sender": identity(7), "sent": moment(1), "text": text(1)}
    point = bindings.Point(x=1, y=2)
    return bindings.Containers, {
        "id": 42,
        "o_num": 7,
        "o_text": "some text",
        "o_point": point,
        "o_nested": Some(True),
        "o_identity": identity(9),
        "l_num": list(range(10)),
        "l_text": [text(number) for number in range(5)],
        "l_point": [point] * 5,
        "l_opt": [1, None, 3],
        "l_list": [[1, 2], [], [3]],
        "l_color": [bindings.Color.RED, bindings.Color.GREEN],
        "l_shape": [bindings.ShapeNothing(), bindings.ShapeText("x"), bindings.ShapeSpot(point)],
        "line": bindings.Line(from_point=point, to_point=point, label="a line"),
        "color": bindings.Color.DARK_BLUE,
        "shape": bindings.ShapePath([point, point]),
        "empty": bindings.Empty(),
    }


def messages(count: int) -> list[bytes]:
    """Rows of chat's `message`, as bytes; all differ."""
    return [
        encoded(Message(sender=identity(n % 100), sent=moment(n), text=text(n)))
        for n in range(count)
    ]


def users(count: int) -> list[bytes]:
    """Rows of chat's `user`, as bytes."""
    return [user_bytes(number, online=True) for number in range(count)]


def user_bytes(number: int, online: bool) -> bytes:
    return encoded(user(number, online))


def user(number: int, online: bool) -> User:
    return User(identity=identity(number), name=f"user number {number}", online=online)


def encoded(row: Any) -> bytes:
    """The BSATN of a row. Generated classes do not declare their `__bytes__`."""
    return bytes(row)


def identity(number: int) -> Identity:
    return Identity.from_bytes(b"\xc2\0" + number.to_bytes(30, "big"))


def moment(number: int) -> Timestamp:
    return Timestamp(1_795_000_000_000_000 + 1_000 * number)


def text(number: int) -> str:
    return f"message number {number}, long enough to be one"
