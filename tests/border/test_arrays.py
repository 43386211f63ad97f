"""Rows of a fixed size as NumPy arrays: every type that has one, and what has none."""

from __future__ import annotations

import enum
import struct
from typing import Any
from uuid import UUID

import pytest

from spacetime_py import ConnectionId, Identity, TimeDuration, Timestamp, to_bsatn
from spacetime_py.arrays import array_from_bsatn, array_of, row_dtype
from spacetime_py.bindings import Module, plain_enum, product
from spacetime_py.exceptions import DecodeError

from . import things
from .describe import SCALARS, UNIT, Described, Ref, Scalar, marked, sum_type
from .describe import product as product_type
from .things import Point

NUMBERS = [name for name in SCALARS if name not in ("string", "bool")]
MARKED = {
    "identity": "Identity",
    "connection": "ConnectionId",
    "at": "Timestamp",
    "span": "TimeDuration",
    "uuid": "Uuid",
}
MODULE = Module(
    bytes(
        Described(
            (
                sum_type(Off=UNIT, On=UNIT),
                product_type(x=Scalar("f32"), y=Scalar("f64")),
                product_type(
                    **{f"a_{name}": Scalar(name) for name in NUMBERS},
                    ready=Scalar("bool"),
                    state=Ref(0),
                    spot=Ref(1),
                    **{name: marked(kind) for name, kind in MARKED.items()},
                ),
            )
        )
    )
)


@plain_enum(MODULE, 0)
class State(enum.Enum):
    OFF = 0
    ON = 1


@product(MODULE, 1)
class Spot:
    from_x: float
    y: float


@product(MODULE, 2)
class Row:
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
    ready: bool
    state: State
    spot: Spot
    identity: Identity
    connection: ConnectionId
    at: Timestamp
    span: TimeDuration
    uuid: UUID


def row(number: int) -> Row:
    bits = (8, 16, 32, 64, 128, 256)
    integers: Any = {f"a_{sign}{b}": number * (-1) ** (sign == "i") for b in bits for sign in "iu"}
    return Row(
        **integers,
        a_f32=number / 2,
        a_f64=number / 3,
        ready=number % 2 == 1,
        state=State.ON if number % 2 else State.OFF,
        spot=Spot(from_x=0.5, y=number),
        identity=Identity.from_bytes(bytes([number]) * 32),
        connection=ConnectionId.from_bytes(bytes([number]) * 16),
        at=Timestamp(1_700_000_000_000_000 + number),
        span=TimeDuration(-number),
        uuid=UUID(int=number),
    )


def test_every_type_of_fixed_size() -> None:
    rows = [row(number) for number in range(5)]
    array = array_of(rows)
    assert array.shape == (5,)
    assert array.dtype == row_dtype(Row)
    assert array.dtype.itemsize == len(to_bsatn(rows[0]))
    for name in ("i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f32", "f64"):
        assert array[f"a_{name}"].tolist() == [
            pytest.approx(getattr(one, f"a_{name}")) for one in rows
        ]
    assert array["ready"].tolist() == [one.ready for one in rows]
    assert array["state"].tolist() == [one.state.value for one in rows]
    assert array["spot"]["y"].tolist() == [one.spot.y for one in rows]
    assert array["spot"]["from_x"].tolist() == [0.5] * 5
    assert array["at"].tolist() == [one.at.to_datetime().replace(tzinfo=None) for one in rows]
    assert array["span"].tolist() == [one.span.to_timedelta() for one in rows]
    assert array["a_u128"][3].tobytes() == (3).to_bytes(16, "little")
    assert array["identity"][2].tobytes() == bytes(rows[2].identity)[::-1]


def test_the_rows_of_an_array_in_bsatn() -> None:
    rows = [row(number) for number in range(3)]
    data = struct.pack("<I", 3) + b"".join(map(to_bsatn, rows))
    array = array_from_bsatn(Row, data)
    assert (array == array_of(rows)).all()
    # So that it is as fast to compute with as any: the bytes after the count would not be aligned.
    assert array.ctypes.data % 8 == 0
    assert array.flags.writeable


def test_bytes_that_are_no_rows() -> None:
    data = struct.pack("<I", 1) + to_bsatn(row(1))
    ready = row_dtype(Row).fields["ready"][1] + 4  # type: ignore[index]
    with pytest.raises(DecodeError, match="array of Row: a bool is 0 or 1, not 7"):
        array_from_bsatn(Row, data[:ready] + b"\7" + data[ready + 1 :])
    with pytest.raises(DecodeError, match="too early"):
        array_from_bsatn(Row, data[:-1])
    with pytest.raises(DecodeError, match="1 bytes left over"):
        array_from_bsatn(Row, data + b"\0")
    points = struct.pack("<I", 3) + to_bsatn(Point(x=1, y=2)) * 2
    with pytest.raises(DecodeError, match="array of Point: the data ends too early"):
        array_from_bsatn(Point, points)


def test_no_rows() -> None:
    assert array_from_bsatn(Point, bytes(4)).shape == (0,)
    assert array_of([], Point).shape == (0,)
    with pytest.raises(ValueError, match="give row_type"):
        array_of([])


def test_a_field_without_a_fixed_size_is_named() -> None:
    with pytest.raises(TypeError, match=r"Boxes\.nested has no fixed size"):
        row_dtype(things.Boxes)
    with pytest.raises(TypeError, match="is not a class of rows"):
        row_dtype(int)
    with pytest.raises(TypeError, match="is not a class of rows"):
        row_dtype(things.ShapeCount)


def test_rows_of_one_class_only() -> None:
    with pytest.raises(TypeError, match="rows of Point, and one of Row"):
        array_of([Point(x=1, y=2), row(1)])


def test_an_array_is_its_own() -> None:
    array = array_of([Point(x=1, y=2)])
    array["x"] += 4
    assert array["x"].tolist() == [5]
