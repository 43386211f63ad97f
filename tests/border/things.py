"""A module with every kind of type, declared as a generated package declares it."""

from __future__ import annotations

import enum
from typing import TypeAlias
from uuid import UUID

from spacetime_py import ConnectionId, Err, Identity, Ok, ScheduleAt, Some, TimeDuration, Timestamp
from spacetime_py.bindings import Module, plain_enum, product, variant

from .describe import (
    SCALARS,
    SCHEDULE_AT,
    UNIT,
    Array,
    Described,
    Ref,
    Scalar,
    marked,
    option,
    result,
    sum_type,
)
from .describe import product as product_type

_STRING, _U8, _I32 = Scalar("string"), Scalar("u8"), Scalar("i32")

TYPES = (
    product_type(**{f"a_{name}": Scalar(name) for name in SCALARS}),
    product_type(x=_I32, y=_I32),
    sum_type(Red=UNIT, Green=UNIT, DarkBlue=UNIT),
    sum_type(Nothing=UNIT, Count=Scalar("u32"), Text=_STRING, Spot=Ref(1), Path=Array(Ref(3))),
    product_type(
        name=_STRING,
        tags=Array(_STRING),
        spot=option(Ref(1)),
        shape=Ref(3),
        color=Ref(2),
    ),
    product_type(value=_I32, children=Array(Ref(5))),
    product_type(),
    product_type(
        nested=option(option(_I32)),
        maybe_unit=option(UNIT),
        unit=UNIT,
        outcome=result(_I32, _STRING),
        data=Array(_U8),
        grid=Array(Array(_I32)),
        empties=Array(Ref(6)),
        shapes=Array(option(Ref(3))),
    ),
    product_type(
        identity=marked("Identity"),
        connection=marked("ConnectionId"),
        at=marked("Timestamp"),
        span=marked("TimeDuration"),
        uuid=marked("Uuid"),
        schedule=SCHEDULE_AT,
    ),
    product_type(value=_I32, next=option(Ref(9))),
    sum_type(Only=_STRING),
)
MODULE = Module(bytes(Described(TYPES)))


@product(MODULE, 0)
class Scalars:
    """One of each."""

    a_string: str
    a_bool: bool
    a_i8: int
    a_u8: int
    a_i16: int
    a_u16: int
    a_i32: int
    a_u32: int
    a_i64: int
    a_u64: int
    a_i128: int
    a_u128: int
    a_i256: int
    a_u256: int
    a_f32: float
    a_f64: float


@product(MODULE, 1)
class Point:
    """A place."""

    x: int
    y: int


@plain_enum(MODULE, 2)
class Color(enum.Enum):
    RED = 0
    GREEN = 1
    DARK_BLUE = 2


@variant(MODULE, 3, 0)
class ShapeNothing:
    pass


@variant(MODULE, 3, 1)
class ShapeCount:
    value: int


@variant(MODULE, 3, 2)
class ShapeText:
    value: str


@variant(MODULE, 3, 3)
class ShapeSpot:
    value: Point


@variant(MODULE, 3, 4)
class ShapePath:
    value: list[Shape]


Shape: TypeAlias = "ShapeNothing | ShapeCount | ShapeText | ShapeSpot | ShapePath"


@product(MODULE, 4)
class User:
    """Row of `user`."""

    name: str
    tags: list[str]
    spot: Point | None
    shape: Shape
    color: Color


@product(MODULE, 5)
class Tree:
    value: int
    children: list[Tree]


@product(MODULE, 6)
class Empty:
    pass


@product(MODULE, 7)
class Boxes:
    nested: Some[int | None] | None
    maybe_unit: Some[None] | None
    unit: None
    outcome: Ok[int] | Err[str]
    data: bytes
    grid: list[list[int]]
    empties: list[Empty]
    shapes: list[Shape | None]


@product(MODULE, 8)
class Marks:
    identity: Identity
    connection: ConnectionId
    at: Timestamp
    span: TimeDuration
    uuid: UUID
    schedule: ScheduleAt


@product(MODULE, 9)
class Chain:
    value: int
    next: Chain | None


@variant(MODULE, 10, 0)
class SingleOnly:
    value: str


def user(name: str = "ada", tags: list[str] | None = None, spot: Point | None = None) -> User:
    return User(name, tags or [], spot, ShapeNothing(), Color.RED)
