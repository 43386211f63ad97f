"""Every type both ways, at the edges of what it can hold."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from spacetime_py import (
    ConnectionId,
    Err,
    Identity,
    Ok,
    Some,
    TimeDuration,
    Timestamp,
    from_bsatn,
    to_bsatn,
)

from . import things
from .bsatn import Bits, Case, encode, limits, some
from .classes import Classes, float_of
from .describe import (
    SCHEDULE_AT,
    UNIT,
    Array,
    Ref,
    Scalar,
    Type,
    marked,
    option,
    product,
    result,
    sum_type,
)
from .things import Boxes, Empty, Marks, Point, ShapeCount, ShapeNothing, ShapePath, Tree

INTEGERS = [f"{sign}{bits}" for sign in "iu" for bits in (8, 16, 32, 64, 128, 256)]
FLOATS = {
    "f32": [
        0,
        0x80000000,
        1,
        0x7F7FFFFF,
        0x7F800000,
        0xFF800000,
        0x7FC00000,
        0xFFC12345,
        0x7F800001,
    ],
    "f64": [
        0,
        1 << 63,
        1,
        0x7FEFFFFFFFFFFFFF,
        0x7FF0000000000000,
        0xFFF0000000000000,
        0x7FF8000000000000,
        0xFFF8123456789ABC,
        0x7FF0000000000001,
    ],
}
POINT = product(x=Scalar("i32"), y=Scalar("i32"))
COLOR = sum_type(Red=UNIT, Green=UNIT)
SHAPE = sum_type(Nothing=UNIT, Count=Scalar("u32"), Spot=Ref(1), Color=Ref(2), Path=Array(Ref(3)))
NESTED = option(option(option(Scalar("bool"))))

CASES: list[tuple[str, Type, Any]] = [
    *((name, Scalar(name), value) for name in INTEGERS for value in limits(name)),
    *((name, Scalar(name), value) for name in INTEGERS for value in (0, 1, 127)),
    *((name, Scalar(name), -1) for name in INTEGERS if name[0] == "i"),
    *((name, Scalar(name), Bits(bits)) for name in FLOATS for bits in FLOATS[name]),
    ("bool", Scalar("bool"), True),
    ("bool", Scalar("bool"), False),
    ("str", Scalar("string"), ""),
    ("str", Scalar("string"), "a\0b é 漢 \U0001f600"),
    ("str", Scalar("string"), "é" * 500_000),
    ("bytes", Array(Scalar("u8")), b""),
    ("bytes", Array(Scalar("u8")), bytes(range(256)) * 4096),
    ("i8s", Array(Scalar("i8")), [-128, 0, 127]),
    ("array", Array(Scalar("u256")), [0, 2**256 - 1]),
    ("array", Array(Array(Scalar("string"))), [[], ["a", ""], [""]]),
    ("units", Array(UNIT), [(), (), ()]),
    ("unit", UNIT, ()),
    ("option", option(Scalar("i32")), Case(1)),
    ("option", option(Scalar("i32")), some(-5)),
    *(("nested", NESTED, value) for value in [Case(1), some(Case(1)), some(some(Case(1)))]),
    ("nested", NESTED, some(some(some(True)))),
    ("option of unit", option(UNIT), Case(1)),
    ("option of unit", option(UNIT), some(())),
    ("result", result(Scalar("i32"), Scalar("string")), Case(0, 5)),
    ("result", result(Scalar("i32"), Scalar("string")), Case(1, "no")),
    ("result", result(UNIT, option(UNIT)), Case(0, ())),
    ("result", result(UNIT, option(UNIT)), Case(1, some(()))),
    ("product", Ref(1), (-(2**31), 2**31 - 1)),
    ("enum", Ref(2), Case(0)),
    ("enum", Ref(2), Case(1)),
    ("sum", Ref(3), Case(0)),
    ("sum", Ref(3), Case(1, 2**32 - 1)),
    ("sum", Ref(3), Case(2, (1, 2))),
    ("sum", Ref(3), Case(3, Case(1))),
    ("sum", Ref(3), Case(4, [Case(0), Case(4, [Case(1, 7)])])),
    ("option of sum", option(Ref(3)), some(Case(0))),
    *((name, marked(name), 0) for name in ("Identity", "ConnectionId", "Uuid", "Timestamp")),
    ("Identity", marked("Identity"), 2**256 - 2),
    ("ConnectionId", marked("ConnectionId"), 2**128 - 2),
    ("Uuid", marked("Uuid"), 0x0123456789ABCDEF0123456789ABCDEF),
    ("Timestamp", marked("Timestamp"), -(2**63)),
    ("TimeDuration", marked("TimeDuration"), 2**63 - 1),
    ("ScheduleAt", SCHEDULE_AT, Case(0, -1)),
    ("ScheduleAt", SCHEDULE_AT, Case(1, 2**63 - 1)),
]


@pytest.mark.parametrize(("ty", "model"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_value_both_ways(ty: Type, model: Any) -> None:
    """Behind a field of varying size and before another one, as a field of a row is."""
    row_type = product(before=Scalar("string"), it=ty, after=Scalar("u8"))
    classes = Classes([row_type, POINT, COLOR, SHAPE])
    data = encode(Ref(0), ("x", model, 7), classes.types)
    made = classes.products[0]("x", classes.make(ty, model), 7)
    assert bytes(made) == to_bsatn(made) == data
    read = from_bsatn(classes.products[0], data)
    assert read == made
    assert classes.read(ty, read.it) == model
    assert (read.before, read.after) == ("x", 7)


def test_declared_module() -> None:
    """The same through classes as they stand in a generated file."""
    boxes = Boxes(
        nested=Some(None),
        maybe_unit=Some(None),
        unit=None,
        outcome=Err("no"),
        data=b"\0\xff",
        grid=[[1], []],
        empties=[Empty(), Empty()],
        shapes=[None, ShapePath([ShapeCount(3), ShapeNothing()])],
    )
    model = (
        some(Case(1)),
        some(()),
        (),
        Case(1, "no"),
        b"\0\xff",
        [[1], []],
        [(), ()],
        [Case(1), some(Case(4, [Case(1, 3), Case(0)]))],
    )
    assert to_bsatn(boxes) == encode(Ref(7), model, things.TYPES)
    again = from_bsatn(Boxes, to_bsatn(boxes))
    assert (again.nested, again.maybe_unit, again.unit) == (Some(None), Some(None), None)
    assert (again.outcome, again.grid) == (Err("no"), [[1], []])
    assert again.shapes == [None, ShapePath([ShapeCount(3), ShapeNothing()])]
    assert Boxes.__replace__(boxes, outcome=Ok(1)).outcome == Ok(1)  # type: ignore[attr-defined]


def test_marked_products_keep_their_numbers() -> None:
    number = int("c200" + "0" * 59 + "1", 16)
    uuid = UUID("01234567-89ab-cdef-0123-456789abcdef")
    marks = Marks(
        Identity(f"{number:064x}"),
        ConnectionId("0" * 31 + "1"),
        Timestamp(-1),
        TimeDuration(5),
        uuid,
        Timestamp(9),
    )
    model = (number, 1, -1, 5, uuid.int, Case(1, 9))
    assert to_bsatn(marks) == encode(Ref(8), model, things.TYPES)
    assert (marks.uuid, marks.schedule, int(marks.identity)) == (uuid, Timestamp(9), number)


def test_from_bsatn_takes_any_buffer() -> None:
    data = to_bsatn(Point(1, 2))
    for buffer in (data, bytearray(data), memoryview(data), memoryview(b"\0" + data)[1:]):
        assert from_bsatn(Point, buffer) == Point(1, 2)


@pytest.mark.parametrize("name", ["f32", "f64"])
def test_negative_zero_keeps_its_sign(name: str) -> None:
    bits = 1 << (int(name[1:]) - 1)
    classes = Classes([product(it=Scalar(name))])
    row = classes.products[0](-0.0)
    assert bytes(row) == encode(Ref(0), (Bits(bits),), classes.types)
    assert str(row.it) == str(float_of(name, Bits(bits))) == "-0.0"


def test_deep_trees() -> None:
    tree = Tree(0, [])
    for value in range(40):
        tree = Tree(value, [tree])
    again = from_bsatn(Tree, to_bsatn(tree))
    depth = 0
    while again.children:
        [again] = again.children
        depth += 1
    assert depth == 40


def test_to_bsatn_of_other_objects() -> None:
    for value in (5, None, b"", things.Color.RED, Point):
        with pytest.raises(TypeError, match="not a class of generated bindings"):
            to_bsatn(value)
