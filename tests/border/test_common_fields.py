"""Fields of common kinds have a way of their own; here it has to do as the general one does."""

from __future__ import annotations

import enum
import inspect
import math
import pickle
from typing import Any

import pytest

from spacetime_py import (
    ConnectionId,
    DecodeError,
    EncodeError,
    Identity,
    TimeDuration,
    Timestamp,
    from_bsatn,
    to_bsatn,
)

from .classes import Classes
from .describe import Array, Ref, Scalar, Type, marked, option, product
from .things import Point, ShapeNothing, User, user

STRING = Scalar("string")
LIMITS = [
    (f"{sign}{bits}", -(2 ** (bits - 1)) if sign == "i" else 0, 2 ** (bits - (sign == "i")) - 1)
    for bits in (8, 16, 32, 64)
    for sign in "iu"
]


class Text(str):
    pass


class Float(float):
    pass


class Bytes(bytes):
    pass


class Int(enum.IntEnum):
    TWO = 2


def row_class(ty: Type) -> Any:
    """With one field, `it`, behind one of varying size, and one after it."""
    types = [product(before=STRING, it=ty, after=option(STRING))]
    return Classes(types).products[0]


def kept(ty: Type, value: Any) -> Any:
    """What is read where the value was written."""
    row = row_class(ty)("é", value, "end")
    assert (row.before, row.after) == ("é", "end")
    assert from_bsatn(type(row), to_bsatn(row)) == row
    return row.it


@pytest.mark.parametrize(("name", "low", "high"), LIMITS)
def test_limits_of_ints(name: str, low: int, high: int) -> None:
    ty = Scalar(name)
    for number in (low, high, 2, Int.TWO):
        assert kept(ty, number) == number
        assert kept(option(ty), number) == number
        if name != "u8":
            assert kept(Array(ty), [number, 1, number]) == [number, 1, number]
    assert type(kept(ty, Int.TWO)) is int
    for number in (low - 1, high + 1, 2**64, -(2**80)):
        lists: list[tuple[Type, Any, str]] = (
            [(Array(ty), [1, number], "[1]")] if name != "u8" else []
        )
        cases: list[tuple[Type, Any, str]] = [(ty, number, ""), *lists]
        for place, value, where in cases:
            with pytest.raises(EncodeError) as caught:
                kept(place, value)
            expected = f".it{where}: {number} does not fit {name} ({low} to {high})"
            assert str(caught.value).endswith(expected)


@pytest.mark.parametrize(
    ("ty", "value", "expected"),
    [
        (STRING, Text("sub"), "sub"),
        (STRING, "", ""),
        (STRING, "a", "a"),
        (STRING, "é\0漢😀", "é\0漢😀"),
        (STRING, "x" * 1000 + "é", "x" * 1000 + "é"),
        (Scalar("f64"), Float(1.5), 1.5),
        (Scalar("f64"), 2**60, 2.0**60),
        (Scalar("f64"), math.inf, math.inf),
        (Scalar("bool"), True, True),
        (Array(Scalar("u8")), Bytes(b"\0\xff"), b"\0\xff"),
        (Array(STRING), ["", "é", Text("x")], ["", "é", "x"]),
        (Array(STRING), ("a", "b"), ["a", "b"]),
        (Array(Scalar("f64")), [1.5, 2, Float(3.0)], [1.5, 2.0, 3.0]),
        (Array(Scalar("bool")), [True, False], [True, False]),
        (Array(option(STRING)), ["x", None], ["x", None]),
        (Array(option(Scalar("u8"))), [1, None], [1, None]),
    ],
)
def test_values_of_exact_types_and_others(ty: Type, value: Any, expected: Any) -> None:
    read = kept(ty, value)
    assert read == expected
    assert type(read) is type(expected)
    assert kept(option(ty), value) == expected
    assert kept(option(ty), None) is None


def test_floats_keep_their_bits() -> None:
    assert math.copysign(1.0, kept(Scalar("f64"), -0.0)) == -1.0
    assert math.isnan(kept(Scalar("f64"), math.nan))


MARKS = [
    ("Identity", Identity("ab" * 32)),
    ("ConnectionId", ConnectionId("cd" * 16)),
    ("Timestamp", Timestamp(-(2**63))),
    ("TimeDuration", TimeDuration(2**63 - 1)),
]


@pytest.mark.parametrize(("name", "value"), MARKS)
def test_marks(name: str, value: Any) -> None:
    ty = marked(name)
    assert kept(ty, value) == kept(option(ty), value) == value
    assert kept(Array(ty), [value] * 2) == [value] * 2
    for _, other in MARKS:
        if other is not value:
            with pytest.raises(EncodeError, match=f"it: expected {name}.*, got "):
                kept(ty, other)
            assert value != other
            assert value.__eq__(other) is NotImplemented
    for stranger in (object(), None, 5, "ab" * 32):
        assert value != stranger
        assert (value == stranger) is False
        assert value.__lt__(stranger) is NotImplemented
        with pytest.raises(TypeError):
            _ = value < stranger
    assert hash(value) == value.__hash__() == hash(pickle.loads(pickle.dumps(value)))


@pytest.mark.parametrize("cls", [Timestamp, TimeDuration])
def test_comparisons_of_moments(cls: Any) -> None:
    for one, other in ((-1, 0), (0, 0), (5, -(2**63)), (2**63 - 1, 2**40)):
        left, right = cls(one), cls(other)
        assert (left < right, left <= right) == (one < other, one <= other)
        assert (left > right, left >= right) == (one > other, one >= other)
        assert (left == right, left != right) == (one == other, one != other)
        assert left.micros == one
        assert getattr(left, "".join(["mic", "ros"])) == one
    with pytest.raises(AttributeError):
        _ = cls(0).seconds


def test_names_that_are_not_interned() -> None:
    row = user("ada", ["x"], Point(1, 2))
    for name in ("name", "tags", "spot", "color"):
        other = "".join(list(name))
        assert getattr(row, other) == getattr(row, name)
    assert User(**{"".join(list(name)): getattr(row, name) for name in User.__match_args__}) == row
    with pytest.raises(AttributeError):
        getattr(row, "".join(["na", "mes"]))


def test_structs_within_structs_between_fields_of_varying_size() -> None:
    inner = product(a=Scalar("u8"), text=STRING, b=Scalar("u16"))
    middle = product(first=Ref(0), on=Scalar("bool"), rest=Array(Ref(0)))
    outer = product(n=Scalar("u32"), m=Ref(1), k=Scalar("u64"), t=option(Ref(1)), z=STRING)
    in_class, mid_class, out_class = Classes([inner, middle, outer]).products.values()
    leaf, other = in_class(1, "é", 2), in_class(3, "", 4)
    middle_row = mid_class(leaf, True, [other, leaf])
    row = out_class(7, middle_row, 2**64 - 1, middle_row, "end")
    assert from_bsatn(out_class, to_bsatn(row)) == row
    assert (row.n, row.m, row.k, row.t, row.z) == (7, middle_row, 2**64 - 1, middle_row, "end")
    assert (row.t.first.text, row.t.rest[0].b, row.m.on) == ("é", 4, True)
    data = to_bsatn(row)
    for cut in range(len(data)):
        with pytest.raises(DecodeError):
            from_bsatn(out_class, data[:cut])


def test_functions_take_what_others_take() -> None:
    row = Point(1, 2)
    data = to_bsatn(row)
    assert to_bsatn(value=row) == data
    assert from_bsatn(Point, data=data) == from_bsatn(cls=Point, data=data) == row
    assert from_bsatn(Point, bytearray(data)) == from_bsatn(Point, Bytes(data)) == row
    assert str(inspect.signature(to_bsatn)) == "(value)"
    assert str(inspect.signature(from_bsatn)) == "(cls, data)"
    assert pickle.loads(pickle.dumps(to_bsatn)) is to_bsatn
    calls: list[tuple[Any, tuple[Any, ...]]] = [
        (to_bsatn, ()),
        (to_bsatn, (row, row)),
        (to_bsatn, (5,)),
        (from_bsatn, (Point,)),
        (from_bsatn, (int, data)),
        (from_bsatn, (5, data)),
        (from_bsatn, (Point, "text")),
    ]
    for function, arguments in calls:
        with pytest.raises(TypeError):
            function(*arguments)


def test_memory_of_small_rows_is_used_again() -> None:
    rows = [Point(number, -number) for number in range(10_000)]
    for start in range(0, 10_000, 7):
        rows[start] = Point(start, 5)
    assert all(row.y == (5 if number % 7 == 0 else -number) for number, row in enumerate(rows))
    del rows
    assert [Point(number, 1).x for number in range(100)] == list(range(100))
    assert {to_bsatn(ShapeNothing()) for _ in range(100)} == {b"\0"}
