"""The types that tables and reducers share.

A plain enum, products, and a sum with every kind of payload.
"""

from __future__ import annotations

import enum

from spacetime_py.server import TYPE_CHECKING, i32, i64, product, u32, variant

if TYPE_CHECKING:
    from typing import TypeAlias


class Color(enum.Enum):
    RED = 0
    GREEN = 1
    DARK_BLUE = 2


@product
class Point:
    x: i32
    y: i32


@product
class Line:
    from_point: Point
    to_point: Point
    label: str | None


@product
class Empty:
    pass


@variant
class ShapeNothing:
    pass


@variant
class ShapeCount:
    value: u32


@variant
class ShapeText:
    value: str


@variant
class ShapeSpot:
    value: Point


@variant
class ShapePath:
    value: list[Point]


@variant
class ShapeTint:
    value: Color


@variant
class ShapeBlob:
    value: bytes


@variant
class ShapeMaybe:
    value: i64 | None


Shape: TypeAlias = (
    ShapeNothing
    | ShapeCount
    | ShapeText
    | ShapeSpot
    | ShapePath
    | ShapeTint
    | ShapeBlob
    | ShapeMaybe
)
