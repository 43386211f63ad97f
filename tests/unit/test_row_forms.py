"""Rows as changed copies, as dicts, and as the server's JSON."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from spacetime_py import (
    ConnectionId,
    DecodeError,
    EncodeError,
    Err,
    Identity,
    Ok,
    Some,
    TimeDuration,
    Timestamp,
    asdict,
    from_json,
    replace,
    to_json,
)
from tests.border.things import (
    Boxes,
    Color,
    Empty,
    Marks,
    Point,
    Scalars,
    ShapeCount,
    ShapeNothing,
    ShapePath,
    ShapeSpot,
    ShapeText,
    SingleOnly,
    Tree,
    User,
)

ADA = User(
    "ada",
    ["x"],
    Point(1, -2),
    ShapePath([ShapeCount(3), ShapeNothing(), ShapeSpot(Point(5, 6))]),
    Color.DARK_BLUE,
)
SPECIALS = Marks(
    Identity("ab" * 32),
    ConnectionId("cd" * 16),
    Timestamp(-1),
    TimeDuration(2**62),
    UUID(int=2**127 + 1),
    Timestamp(5),
)
BOXES = Boxes(
    Some(None),
    Some(None),
    None,
    Err("no"),
    b"\0\xff",
    [[1], []],
    [Empty(), Empty()],
    [None, ShapeText("t")],
)
WIDTHS = (8, 16, 32, 64, 128, 256)
SCALARS = Scalars(
    a_string="é\0",
    a_bool=True,
    **{f"a_i{bits}": -(2 ** (bits - 1)) for bits in WIDTHS},
    **{f"a_u{bits}": 2**bits - 1 for bits in WIDTHS},
    a_f32=1.5,
    a_f64=-0.0,
)
ROWS: list[Any] = [
    ADA,
    SPECIALS,
    replace(SPECIALS, schedule=TimeDuration(-7)),
    BOXES,
    replace(BOXES, nested=Some(4), maybe_unit=None, outcome=Ok(-1)),
    replace(BOXES, nested=None),
    SCALARS,
    Tree(1, [Tree(2, []), Tree(3, [Tree(4, [])])]),
    Empty(),
    ShapeNothing(),
    ShapePath([]),
    SingleOnly("x"),
]
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)


def test_replace() -> None:
    moved = replace(ADA, spot=Point(0, 0), name="eve")
    assert (moved.name, moved.spot, moved.tags) == ("eve", Point(0, 0), ["x"])
    assert ADA.name == "ada"
    assert replace(ADA) == ADA
    with pytest.raises(TypeError, match="unexpected argument 'nome'"):
        replace(ADA, nome="x")
    with pytest.raises(EncodeError, match=r"^User\.name: expected str, got int"):
        replace(ADA, name=5)


def test_asdict() -> None:
    assert asdict(ADA) == {
        "name": "ada",
        "tags": ["x"],
        "spot": {"x": 1, "y": -2},
        "shape": {"Path": [{"Count": 3}, {"Nothing": None}, {"Spot": {"x": 5, "y": 6}}]},
        "color": Color.DARK_BLUE,
    }
    assert asdict(replace(ADA, spot=None))["spot"] is None
    boxes = asdict(BOXES)
    assert (boxes["nested"], boxes["outcome"]) == ({"some": None}, {"err": "no"})
    assert boxes["shapes"] == [None, {"Text": "t"}]
    specials = asdict(SPECIALS)
    assert specials["identity"] == SPECIALS.identity
    assert specials["at"] is not None
    assert asdict(Empty()) == {}


def test_a_flat_row_can_be_made_of_its_dict() -> None:
    assert Scalars(**asdict(SCALARS)) == SCALARS


@each_row
def test_json_both_ways(row: Any) -> None:
    text = to_json(row)
    assert from_json(type(row), text) == row
    assert from_json(type(row), text.encode()) == row


def test_the_json_is_that_of_the_server() -> None:
    assert json.loads(to_json(ADA)) == {
        "name": "ada",
        "tags": ["x"],
        "spot": {"some": {"x": 1, "y": -2}},
        "shape": {"Path": [{"Count": 3}, {"Nothing": []}, {"Spot": {"x": 5, "y": 6}}]},
        "color": {"DarkBlue": []},
    }
    assert json.loads(to_json(SPECIALS)) == {
        "identity": {"__identity__": "0x" + "ab" * 32},
        "connection": {"__connection_id__": int("cd" * 16, 16)},
        "at": {"__timestamp_micros_since_unix_epoch__": -1},
        "span": {"__time_duration_micros__": 2**62},
        "uuid": {"__uuid__": 2**127 + 1},
        "schedule": {"Time": {"__timestamp_micros_since_unix_epoch__": 5}},
    }


def test_json_without_names() -> None:
    """As the server's SQL gives rows."""
    text = '["ada", ["x"], [0, [1, -2]], [4, [[1, 3], [0, []], [3, [5, 6]]]], [2, []]]'
    assert from_json(User, text) == ADA


def test_json_has_no_nan() -> None:
    with pytest.raises(EncodeError, match=r"^Scalars\.a_f64: JSON has no nan"):
        to_json(replace(SCALARS, a_f64=float("nan")))


GOOD = json.loads(to_json(ADA))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": 5}, r"^User: User\.name: expected str, got int"),
        ({"tags": 5}, r"^User\.tags: 5 is no value of the type"),
        ({"tags": ["x", 5]}, r"User\.tags: expected str|User\.tags\[1\]"),
        ({"spot": {"some": {"x": "1", "y": 2}}}, r"^User\.spot\.x: '1' is no value of the type"),
        ({"spot": {"some": {"x": 1}}}, r"^User\.spot: \{'x': 1\} is no value of its type"),
        ({"spot": {"many": 1}}, r"^User\.spot: "),
        ({"shape": {"Path": [{"Count": -1}]}}, r"^User\.shape\.Path\[0\]: ShapeCount\.value: -1"),
        ({"shape": {"Path": [{"Cunt": 1}]}}, r"^User\.shape\.Path\[0\]: \{'Cunt': 1\}"),
        ({"color": {"Blue": []}}, r"^User\.color: \{'Blue': \[\]\} is no value of its type"),
        ({"color": [7, []]}, r"^User\.color: "),
    ],
)
def test_json_that_is_no_row(changes: Any, text: str) -> None:
    with pytest.raises(DecodeError, match=text):
        from_json(User, json.dumps({**GOOD, **changes}))


@pytest.mark.parametrize("text", ["", "{", "nonsense", b"\xff", "[" * 100_000])
def test_text_that_is_no_json(text: str | bytes) -> None:
    with pytest.raises(DecodeError, match=r"^User: this is no JSON: "):
        from_json(User, text)


def test_json_of_another_variant() -> None:
    with pytest.raises(DecodeError, match=r"^ShapeText: the JSON is that of ShapeCount$"):
        from_json(ShapeText, to_json(ShapeCount(1)))


@pytest.mark.parametrize("function", [replace, asdict, to_json])
def test_what_is_no_row(function: Any) -> None:
    with pytest.raises(TypeError, match=r"^str is not a class of generated bindings$"):
        function("text")
    with pytest.raises(TypeError, match=r"^int is not a class of generated bindings$"):
        from_json(int, "5")
