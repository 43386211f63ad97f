"""Lists of rows: a BSATN array by itself, as a query or a file has it."""

from __future__ import annotations

import typing
from types import GenericAlias
from typing import Any

import pytest

from spacetime_py import DecodeError, Identity, from_bsatn, to_bsatn

from .things import (
    Color,
    Empty,
    Point,
    ShapeCount,
    ShapePath,
    ShapeSpot,
    ShapeText,
    Tree,
    User,
    user,
)

POINTS = [Point(n, -n) for n in range(100)]
USERS = [
    user(name="x" * n, tags=["tag"] * (n % 3), spot=POINTS[n] if n % 2 else None) for n in range(50)
]
SHAPES = [
    User("é", [], None, shape, Color.DARK_BLUE)
    for shape in (ShapeText("日本"), ShapeCount(7), ShapePath([ShapeSpot(POINTS[3])]))
]
LISTS: list[tuple[type[Any], list[Any]]] = [
    (Point, POINTS),
    (User, USERS + SHAPES),
    (Tree, [Tree(1, [Tree(2, [])])]),
    (Empty, [Empty()] * 3),
    (User, []),
]


def list_of(cls: type[Any]) -> Any:
    """`list[cls]`, for a class that the type checker does not know."""
    return GenericAlias(list, (cls,))


@pytest.mark.parametrize(("cls", "rows"), LISTS)
def test_rows_are_an_array(cls: type[Any], rows: list[Any]) -> None:
    data = len(rows).to_bytes(4, "little") + b"".join(map(to_bsatn, rows))
    assert to_bsatn(rows) == data
    assert from_bsatn(list_of(cls), data) == rows


def test_each_row_is_one_of_its_own() -> None:
    rows = from_bsatn(typing.List[User], bytearray(to_bsatn(USERS)))  # noqa: UP006
    first = rows.pop(0)
    rows.append(first)
    assert rows == [*USERS[1:], USERS[0]]
    del rows
    assert first == USERS[0]


def test_what_is_wrong_with_bytes_is_told_by_its_place() -> None:
    data = to_bsatn(USERS[2:5])
    second = 4 + len(to_bsatn(USERS[2]))
    broken = bytearray(data)
    broken[second + 4] = 0xFF
    with pytest.raises(DecodeError, match=rf"^list\[User\]: .*byte {second + 4}"):
        from_bsatn(list[User], broken)
    for end in range(len(data)):
        with pytest.raises(DecodeError, match=r"^list\[User\]: "):
            from_bsatn(list[User], data[:end])
    with pytest.raises(DecodeError, match=r"^list\[Point\]: 1 bytes left over .*byte 804"):
        from_bsatn(list[Point], to_bsatn(POINTS) + b"x")


@pytest.mark.parametrize("count", [4, 2**31, 2**32 - 1])
def test_a_count_of_more_than_there_is(count: int) -> None:
    for rows in (POINTS[:3], USERS[:3]):
        data = count.to_bytes(4, "little") + to_bsatn(rows)[4:]
        with pytest.raises(DecodeError):
            from_bsatn(list_of(type(rows[0])), data)


OTHERS: list[Any] = [
    list,
    list[int],
    list[Color],
    list[ShapeText],
    list[list[Point]],
    set[Point],
    dict[str, Point],
    tuple[Point, ...],
    typing.Optional[Point],  # noqa: UP045
]


@pytest.mark.parametrize("other", OTHERS)
def test_lists_are_of_rows(other: Any) -> None:
    with pytest.raises(TypeError, match="not a class of generated bindings, nor a list of rows"):
        from_bsatn(other, b"\0\0\0\0")


def test_rows_of_a_list_are_of_one_class() -> None:
    mixed: list[Any] = [POINTS[0], USERS[0]]
    with pytest.raises(TypeError, match="a list of Point with a User"):
        to_bsatn(mixed)
    for other in (5, None, Color.RED, ShapeText("x"), Identity(f"{1:064x}"), Point):
        for rows in ([other], [POINTS[0], other]):
            with pytest.raises(TypeError, match="nor a list of rows"):
                to_bsatn(rows)
