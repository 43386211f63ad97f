"""Random types and values against the encoder in plain Python, and bytes that are no values."""

from __future__ import annotations

import re
import struct
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacetime_py import DecodeError, EncodeError, from_bsatn, from_json, to_json

from . import things
from .bsatn import Bits, Case, encode, is_marked, limits
from .classes import Classes
from .describe import (
    MARKED,
    SCALARS,
    SCHEDULE_AT,
    UNIT,
    Array,
    Product,
    Ref,
    Scalar,
    Sum,
    Type,
    array,
    marked,
    option,
    result,
    u32,
)
from .things import Boxes, Chain, Point, ShapePath, Tree, User

MODERATE = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
MAX_DEPTH = 4


class Space:
    """A typespace that grows as types are drawn; the type of the row is the first."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.types: list[Type] = [UNIT]
        self.types[0] = Product(self.elements("f", 1))

    def elements(self, letter: str, depth: int) -> tuple[tuple[str, Type], ...]:
        count = self.draw(st.integers(0, 4))
        return tuple((f"{letter}{index}", self.type(depth)) for index in range(count))

    def type(self, depth: int) -> Type:
        kinds = ["scalar", "marked", "schedule", "unit"]
        if depth < MAX_DEPTH:
            kinds += ["array", "option", "result", "product", "sum", "enum"]
        kind = self.draw(st.sampled_from(kinds))
        if kind == "scalar":
            return Scalar(self.draw(st.sampled_from(SCALARS)))
        if kind == "marked":
            return marked(self.draw(st.sampled_from(sorted(MARKED))))
        if kind in ("product", "sum", "enum"):
            return self.named(kind, depth)
        if kind == "array":
            return Array(self.type(depth + 1))
        if kind == "option":
            return option(self.type(depth + 1))
        if kind == "result":
            return result(self.type(depth + 1), self.type(depth + 1))
        return SCHEDULE_AT if kind == "schedule" else UNIT

    def named(self, kind: str, depth: int) -> Type:
        if kind == "product":
            self.types.append(Product(self.elements("f", depth + 1)))
        elif kind == "enum":
            count = self.draw(st.integers(1, 5))
            self.types.append(Sum(tuple((f"V{index}", UNIT) for index in range(count))))
        else:
            variants = self.elements("V", depth + 1)
            self.types.append(Sum((("First", UNIT), *variants)))
        return Ref(len(self.types) - 1)


@st.composite
def spaces(draw: st.DrawFn) -> list[Type]:
    return Space(draw).types


def models(ty: Type, types: list[Type]) -> st.SearchStrategy[Any]:
    if isinstance(ty, Ref):
        return models(types[ty.index], types)
    if isinstance(ty, Scalar):
        return scalars(ty.name)
    if isinstance(ty, Array):
        if ty.element == Scalar("u8"):
            return st.binary(max_size=20)
        return st.lists(models(ty.element, types), max_size=3)
    if isinstance(ty, Sum):
        payloads = [
            st.builds(Case, st.just(tag), models(payload, types))
            for tag, (_, payload) in enumerate(ty.variants)
        ]
        return st.one_of(payloads)
    fields = [models(field, types) for _, field in ty.fields]
    return fields[0] if is_marked(ty) else st.tuples(*fields)


def scalars(name: str) -> st.SearchStrategy[Any]:
    if name == "bool":
        return st.booleans()
    if name == "string":
        return st.text(max_size=20)
    if name in ("f32", "f64"):
        bits = int(name[1:])
        special = st.floats(width=32 if bits == 32 else 64).map(lambda value: _bits(name, value))
        return st.builds(Bits, special | st.integers(0, 2**bits - 1))
    low, high = limits(name)
    return st.integers(low, high) | st.sampled_from([low, high])


def _bits(name: str, value: float) -> int:
    letters = ("f", "I") if name == "f32" else ("d", "Q")
    number: int = struct.unpack("<" + letters[1], struct.pack("<" + letters[0], value))[0]
    return number


@MODERATE
@given(st.data())
def test_random_values_both_ways(data: st.DataObject) -> None:
    types = data.draw(spaces())
    model = data.draw(models(Ref(0), types))
    classes = Classes(types)
    expected = encode(Ref(0), model, types)
    made = classes.make(Ref(0), model)
    assert bytes(made) == expected
    read = from_bsatn(type(made), expected)
    assert classes.read(Ref(0), read) == model
    assert read == made
    assert hash(read) == hash(made)
    assert bytes(read) == expected
    assert classes.make(Ref(0), classes.read(Ref(0), read)) == made
    assert repr(read) == repr(made)


@MODERATE
@given(st.data())
def test_random_values_as_json(data: st.DataObject) -> None:
    types = data.draw(spaces())
    classes = Classes(types)
    row = classes.make(Ref(0), data.draw(models(Ref(0), types)))
    if re.search(r"\b(nan|inf)\b", repr(row)):
        with suppress(EncodeError):  # the words may be those of a text
            assert from_json(type(row), to_json(row)) == row
    else:
        assert from_json(type(row), to_json(row)) == row


@MODERATE
@given(st.data())
def test_random_values_damaged(data: st.DataObject) -> None:
    """Cut short or longer they are no values; with a byte changed none, or that very value."""
    types = data.draw(spaces())
    encoded = encode(Ref(0), data.draw(models(Ref(0), types)), types)
    classes = Classes(types)
    row = classes.products[0]
    for size in range(len(encoded)):
        with pytest.raises(DecodeError, match=r"^T0: "):
            from_bsatn(row, encoded[:size])
    with pytest.raises(DecodeError, match="left over"):
        from_bsatn(row, encoded + b"\0")
    for place in range(min(len(encoded), 60)):
        flipped = bytearray(encoded)
        flipped[place] ^= data.draw(st.integers(1, 255))
        check_fuzzed(classes, bytes(flipped))


@MODERATE
@given(spaces(), st.binary(max_size=60))
def test_noise(types: list[Type], noise: bytes) -> None:
    check_fuzzed(Classes(types), noise)


def check_fuzzed(classes: Classes, data: bytes) -> None:
    try:
        row = from_bsatn(classes.products[0], data)
    except DecodeError:
        return
    assert bytes(row) == data
    assert encode(Ref(0), classes.read(Ref(0), row), classes.types) == data
    repr(row)


TREE_ROW = struct.pack("<i", 1)


@pytest.mark.parametrize(
    ("cls", "data"),
    [
        (Tree, TREE_ROW + u32(2**32 - 1)),
        (Tree, TREE_ROW + u32(2**31) + bytes(1000)),
        (User, u32(2**32 - 1) + b"x"),
        (User, u32(0) + u32(2**32 - 1) + bytes(100)),
        (ShapePath, b"\4" + u32(2**32 - 1)),
        (Boxes, b"\1\1\0" + bytes(4) + u32(2**32 - 1)),
        (Boxes, b"\1\1\0" + bytes(4) + u32(0) + u32(2**32 - 1)),
        (Boxes, b"\1\1\0" + bytes(4) + u32(0) + u32(0) + u32(2**32 - 1) + u32(0)),  # of no bytes
    ],
)
def test_huge_counts_fail_fast(cls: type[Any], data: bytes) -> None:
    start = time.perf_counter()
    with pytest.raises(DecodeError):
        from_bsatn(cls, data)
    assert time.perf_counter() - start < 0.5


def test_many_elements_of_no_bytes_are_bounded() -> None:
    boxes = Classes([Product((("units", Array(UNIT)),))])
    row = boxes.products[0]
    assert len(from_bsatn(row, u32(1000)).units) == 1000
    with pytest.raises(DecodeError, match="elements that take no bytes"):
        from_bsatn(row, u32(2**32 - 1))


def test_values_nested_without_end() -> None:
    deep = b"".join([TREE_ROW + u32(1)] * 100_000) + TREE_ROW + u32(0)
    with pytest.raises(DecodeError, match="nested too deeply"):
        from_bsatn(Tree, deep)
    with pytest.raises(DecodeError, match="nested too deeply"):
        from_bsatn(Chain, (TREE_ROW + b"\0") * 100_000 + TREE_ROW + b"\1")


@pytest.mark.parametrize(
    ("cls", "data", "text"),
    [
        (User, array([b"", b""])[:4] + b"\xff\xfe", "not valid UTF-8"),
        (User, u32(3) + b"\xed\xa0\x80", "not valid UTF-8"),  # a surrogate
        (ShapePath, b"\5", "tag 5 of a sum type that has 5 variants"),
        (ShapePath, b"\0", "variant 0 and not 4"),
        (Boxes, b"\2", "tag 2 of a sum type that has 2 variants"),
        (Point, b"", "the data ends too early"),
        (Point, bytes(9), "1 bytes left over after the value"),
    ],
)
def test_damage_is_named(cls: type[Any], data: bytes, text: str) -> None:
    with pytest.raises(DecodeError, match=rf"^{cls.__name__}: .*{text}"):
        from_bsatn(cls, data)


@pytest.mark.parametrize("byte", [2, 0xFF])
def test_bools_are_0_or_1(byte: int) -> None:
    row = Classes([Product((("flag", Scalar("bool")),))]).products[0]
    with pytest.raises(DecodeError, match=f"a bool is 0 or 1, not {byte}"):
        from_bsatn(row, bytes([byte]))


@pytest.mark.parametrize("cls", [int, object, things.Color, Classes])
def test_from_bsatn_of_other_classes(cls: type[Any]) -> None:
    with pytest.raises(TypeError, match="not a class of generated bindings"):
        from_bsatn(cls, b"")


@pytest.mark.parametrize("data", ["text", 5, None, [1]])
def test_from_bsatn_of_no_bytes(data: Any) -> None:
    with pytest.raises(TypeError):
        from_bsatn(Point, data)
