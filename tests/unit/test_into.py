"""`into`: rows as dataclasses, msgspec Structs and pydantic models."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import pickle
import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import msgspec
import pydantic
import pytest

from spacetime_py import (
    ConnectionId,
    ConversionError,
    Err,
    Identity,
    Ok,
    Some,
    TimeDuration,
    Timestamp,
    into,
    replace,
)
from tests.border.things import (
    Boxes,
    Chain,
    Color,
    Empty,
    Marks,
    Point,
    Scalars,
    Shape,
    ShapeCount,
    ShapeNothing,
    ShapePath,
    ShapeSpot,
    ShapeText,
    Tree,
    User,
)

ADA = User(
    "ada",
    ["x", "y"],
    Point(1, -2),
    ShapePath([ShapeCount(3), ShapeNothing(), ShapeSpot(Point(5, 6))]),
    Color.DARK_BLUE,
)
MARKS = Marks(
    Identity("ab" * 32),
    ConnectionId("cd" * 16),
    Timestamp(1_500_000),
    TimeDuration(2_000_000),
    UUID(int=7),
    TimeDuration(9),
)


class Colour(enum.Enum):
    """Spelled in a way of its own."""

    red = "#f00"
    green = "#0f0"
    darkBlue = "#008"


@dataclasses.dataclass
class Spot:
    x: int
    y: int
    z: int = 0


@dataclasses.dataclass
class Nothing:
    """The variant `Nothing`, by its name in the module."""


@dataclasses.dataclass
class Count:
    value: int


@dataclasses.dataclass
class Text:
    value: str


@dataclasses.dataclass
class ShapeAt:
    """The name of no variant."""

    value: Spot


@dataclasses.dataclass
class Path:
    value: list[Nothing | Count | Text | Spot | Path]


@dataclasses.dataclass(frozen=True)
class Player:
    name: str
    color: Colour
    shape: Nothing | Count | Text | Spot | Path
    tags: tuple[str, ...] = ()
    spot: Spot | None = None
    added: list[int] = dataclasses.field(default_factory=list)


class SpotStruct(msgspec.Struct):
    x: Annotated[int, msgspec.Meta(ge=1)]
    y: int


class PlayerStruct(msgspec.Struct, rename="camel"):
    name: str
    color: Colour
    spot: SpotStruct | None
    other_name: str = "none"
    tags: set[str] = set()


class SpotModel(pydantic.BaseModel):
    x: int = pydantic.Field(ge=1)
    y: int


class PlayerModel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)

    name: Annotated[str, pydantic.StringConstraints(to_upper=True)]
    color: Colour
    spot: SpotModel | None = pydantic.Field(alias="where")
    tags: list[str]
    added: int = 5


def test_a_dataclass() -> None:
    assert into(ADA, Player) == Player(
        "ada",
        Colour.darkBlue,
        Path([Count(3), Nothing(), Spot(5, 6)]),
        ("x", "y"),
        Spot(1, -2),
    )
    assert into(replace(ADA, spot=None), Player).spot is None


def test_a_struct() -> None:
    spot = replace(ADA, spot=Point(1, 2))
    made = into(spot, PlayerStruct)
    assert made == PlayerStruct("ada", Colour.darkBlue, SpotStruct(1, 2), "none", {"x", "y"})
    assert into(replace(ADA, spot=None), PlayerStruct).spot is None


def test_a_pydantic_model() -> None:
    made = into(replace(ADA, spot=Point(1, 2)), PlayerModel)
    assert made == PlayerModel(
        name="ADA", color=Colour.darkBlue, where=SpotModel(x=1, y=2), tags=["x", "y"]
    )
    assert made.name == "ADA"


UserId = NewType("UserId", str)


@dataclasses.dataclass
class Plain:
    identity: UserId
    connection: str
    at: datetime.datetime
    span: datetime.timedelta
    uuid: str
    schedule: datetime.timedelta | datetime.datetime


@dataclasses.dataclass
class Numbers:
    identity: int
    connection: int
    at: int
    span: int
    uuid: int
    schedule: int


@dataclasses.dataclass
class Raw:
    identity: bytes
    connection: bytes
    uuid: bytes


@dataclasses.dataclass
class Same:
    identity: Identity
    connection: ConnectionId
    at: Timestamp
    span: TimeDuration
    uuid: UUID
    schedule: TimeDuration | Timestamp | int


@dataclasses.dataclass
class Anything:
    identity: Any
    at: object


class MarksStruct(msgspec.Struct):
    identity: str
    at: datetime.datetime
    span: datetime.timedelta
    uuid: UUID
    connection: ConnectionId


class MarksModel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    identity: str
    at: datetime.datetime
    span: datetime.timedelta
    uuid: UUID
    connection: ConnectionId


MOMENT = datetime.datetime(1970, 1, 1, 0, 0, 1, 500_000, datetime.timezone.utc)
SPAN = datetime.timedelta(seconds=2)


def test_special_types_become_what_the_annotation_asks_for() -> None:
    schedule = datetime.timedelta(microseconds=9)
    assert into(MARKS, Plain) == Plain(
        UserId("ab" * 32), "cd" * 16, MOMENT, SPAN, str(UUID(int=7)), schedule
    )
    at = replace(MARKS, schedule=Timestamp(1_500_000))
    assert into(at, Plain).schedule == MOMENT
    assert into(MARKS, Numbers) == Numbers(
        int("ab" * 32, 16), int("cd" * 16, 16), 1_500_000, 2_000_000, 7, 9
    )
    assert into(MARKS, Raw) == Raw(b"\xab" * 32, b"\xcd" * 16, UUID(int=7).bytes)


def test_special_types_stay_what_they_are() -> None:
    same = into(MARKS, Same)
    assert [getattr(same, name) for name in type(MARKS).__match_args__] == [
        getattr(MARKS, field.name) for field in dataclasses.fields(Same)
    ]
    assert into(MARKS, Anything) == Anything(MARKS.identity, MARKS.at)


@pytest.mark.parametrize("model", [MarksStruct, MarksModel])
def test_special_types_in_libraries(model: type[MarksStruct] | type[MarksModel]) -> None:
    made = into(MARKS, model)
    assert (made.identity, made.at, made.span) == ("ab" * 32, MOMENT, SPAN)
    assert (made.uuid, made.connection) == (UUID(int=7), MARKS.connection)


@dataclasses.dataclass
class Forms:
    nested: Some[int | None] | None
    maybe_unit: Any
    outcome: Ok[int] | Err[str]
    data: bytes
    grid: Sequence[frozenset[int]]
    shapes: list[dict[str, Any] | None]


def test_boxes_lists_and_dicts() -> None:
    boxes = Boxes(
        Some(None), None, None, Err("no"), b"\1", [[1, 1], []], [], [None, ShapeText("t")]
    )
    assert into(boxes, Forms) == Forms(
        Some(None), None, Err("no"), b"\1", [frozenset({1}), frozenset()], [None, {"Text": "t"}]
    )


@dataclasses.dataclass
class Generated:
    """Of classes of the bindings themselves."""

    spot: Point | None
    shape: Shape
    color: Color


@dataclasses.dataclass
class Names:
    color: Literal["RED", "DARK_BLUE"]


@dataclasses.dataclass
class Name:
    color: str


@dataclasses.dataclass
class Tag:
    color: int


def test_enums_and_generated_classes() -> None:
    assert into(ADA, Generated) == Generated(ADA.spot, ADA.shape, Color.DARK_BLUE)
    assert into(ADA, Names) == Names("DARK_BLUE")
    assert into(ADA, Name) == Name("DARK_BLUE")
    assert into(ADA, Tag) == Tag(2)
    with pytest.raises(ConversionError, match=r"^Names\.color: expected 'RED' or 'DARK_BLUE', got"):
        into(replace(ADA, color=Color.GREEN), Names)


@dataclasses.dataclass
class Node:
    value: int
    children: list[Node]


@dataclasses.dataclass
class Link:
    value: int
    next: Link | None


def test_classes_that_contain_themselves() -> None:
    tree = Tree(1, [Tree(2, []), Tree(3, [Tree(4, [])])])
    assert into(tree, Node) == Node(1, [Node(2, []), Node(3, [Node(4, [])])])
    assert into(Chain(1, Chain(2, None)), Link) == Link(1, Link(2, None))


def test_a_variant_alone() -> None:
    assert into(ShapeCount(4), Count) == Count(4)
    assert into(ShapeNothing(), Nothing) == Nothing()
    assert into(ShapeSpot(Point(1, 2)), Spot) == Spot(1, 2)
    with pytest.raises(ConversionError, match=r"^Text: expected Text, got ShapeCount"):
        into(ShapeCount(4), Text)


@dataclasses.dataclass
class BadName:
    nome: str


@dataclasses.dataclass
class BadType:
    name: int


@dataclasses.dataclass
class BadFlag:
    a_bool: int


@dataclasses.dataclass
class BadMoment:
    at: datetime.datetime


@dataclasses.dataclass
class BadInside:
    shape: Path


@dataclasses.dataclass
class BadList:
    tags: list[int]


@dataclasses.dataclass
class BadColor:
    color: Literal[1] | bytes


class Checked(pydantic.BaseModel):
    name: int


class CheckedStruct(msgspec.Struct):
    name: int


@dataclasses.dataclass
class Positive:
    spot: CheckedSpot | None


@dataclasses.dataclass
class CheckedSpot:
    x: int

    def __post_init__(self) -> None:
        if self.x < 100:
            raise ValueError("x is 100 at least")


@dataclasses.dataclass
class BadTree:
    children: list[BadLeaf]


@dataclasses.dataclass
class BadLeaf:
    value: str


NUMBERS = {f"a_{sign}{bits}": 0 for sign in "iu" for bits in (8, 16, 32, 64, 128, 256)}
SCALARS = Scalars(a_string="", a_bool=True, a_f32=0.0, a_f64=0.0, **NUMBERS)
WRONG: list[tuple[Any, type[Any], str, str]] = [
    (ADA, BadName, "nome", "User has no such field, only name, tags, spot, shape, color"),
    (ADA, BadType, "name", "expected int, got str 'ada'"),
    (SCALARS, BadFlag, "a_bool", "expected int, got bool True"),
    (replace(MARKS, at=Timestamp(2**62)), BadMoment, "at", ""),
    (replace(ADA, shape=ShapeText("t")), BadInside, "shape", "expected Path, got ShapeText"),
    (ADA, BadList, "tags[0]", "expected int, got str 'x'"),
    (ADA, BadColor, "color", "expected typing.Literal[1] or bytes, got Color"),
    (replace(ADA, name="y" * 90), BadType, "name", "got str 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"),
    (ADA, Checked, "", "name\n  Input should be a valid integer"),
    (ADA, CheckedStruct, "", "Expected `int`, got `str` - at `$.name`"),
    (ADA, Positive, "spot", "x is 100 at least"),
    (replace(ADA, spot=Point(0, 0)), PlayerStruct, "spot", "Expected `int` >= 1 - at `$.x`"),
    (replace(ADA, spot=Point(0, 0)), PlayerModel, "spot", "greater than or equal to 1"),
    (Tree(1, [Tree(2, [])]), BadTree, "children[0].value", "expected str, got int 2"),
]


@pytest.mark.parametrize(("row", "model", "field", "text"), WRONG)
def test_what_does_not_fit(row: Any, model: type[Any], field: str, text: str) -> None:
    with pytest.raises(ConversionError) as caught:
        into(row, model)
    error = caught.value
    assert (error.model, error.field) == (model.__name__, field)
    assert text in error.message
    assert str(error) == f"{model.__name__}{'.' if field else ''}{field}: {error.message}"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert len(error.message) < 400


def test_the_cause_is_the_librarys_own_error() -> None:
    with pytest.raises(ConversionError) as caught:
        into(ADA, Checked)
    assert isinstance(caught.value.__cause__, pydantic.ValidationError)
    with pytest.raises(ConversionError) as caught:
        into(ADA, CheckedStruct)
    assert isinstance(caught.value.__cause__, msgspec.ValidationError)


def test_what_is_no_row_and_no_model() -> None:
    with pytest.raises(TypeError, match=r"^dict is not a class of generated bindings$"):
        into({"name": "ada"}, Player)
    with pytest.raises(TypeError, match=r"is no dataclass, msgspec\.Struct or pydantic\.BaseModel"):
        into(ADA, dict)
    assert into(Empty(), Nothing) == Nothing()


def test_a_class_with_an_annotation_that_means_nothing() -> None:
    class Local:
        pass

    @dataclasses.dataclass
    class Model:
        name: Local

    with pytest.raises(ConversionError, match=r"^Model: an annotation has no meaning: .*Local"):
        into(ADA, Model)


def test_libraries_are_not_imported() -> None:
    program = """
import dataclasses, sys
from tests.border.things import Point
from spacetime_py import into

@dataclasses.dataclass
class Spot:
    x: int

assert into(Point(1, 2), Spot) == Spot(1)
print(sorted({"msgspec", "pydantic", "httpx"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
