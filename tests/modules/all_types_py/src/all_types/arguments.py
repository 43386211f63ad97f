"""Reducers that take each type as an argument of its own.

Each one stores its arguments in the columns of the same name, of the row with that id, and makes
the row when there is none: a client sees what it sent in the public tables `scalars` and
`containers`.
"""

from __future__ import annotations

from spacetime_py.server import (
    TYPE_CHECKING,
    ConnectionId,
    Identity,
    ReducerContext,
    ReducerError,
    ScheduleAt,
    Some,
    TimeDuration,
    Timestamp,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    i128,
    i256,
    reducer,
    u8,
    u16,
    u32,
    u64,
    u128,
    u256,
)

from .tables import Containers, Scalars
from .types import Color, Empty, Line, Point, Shape, ShapeNothing

if TYPE_CHECKING:
    from typing import Any

# ---------------------------------------------------------------- scalars


@reducer
def set_signed(
    ctx: ReducerContext,
    id: u32,
    v_i8: i8,
    v_i16: i16,
    v_i32: i32,
    v_i64: i64,
    v_i128: i128,
    v_i256: i256,
) -> None:
    edit_scalars(
        ctx, id, v_i8=v_i8, v_i16=v_i16, v_i32=v_i32, v_i64=v_i64, v_i128=v_i128, v_i256=v_i256
    )


@reducer
def set_unsigned(
    ctx: ReducerContext,
    id: u32,
    v_u8: u8,
    v_u16: u16,
    v_u32: u32,
    v_u64: u64,
    v_u128: u128,
    v_u256: u256,
) -> None:
    edit_scalars(
        ctx, id, v_u8=v_u8, v_u16=v_u16, v_u32=v_u32, v_u64=v_u64, v_u128=v_u128, v_u256=v_u256
    )


@reducer
def set_floats(ctx: ReducerContext, id: u32, v_f32: f32, v_f64: f64) -> None:
    edit_scalars(ctx, id, v_f32=v_f32, v_f64=v_f64)


@reducer
def set_plain(ctx: ReducerContext, id: u32, v_bool: bool, v_text: str, v_bytes: bytes) -> None:
    edit_scalars(ctx, id, v_bool=v_bool, v_text=v_text, v_bytes=v_bytes)


@reducer
def set_special(
    ctx: ReducerContext,
    id: u32,
    v_identity: Identity,
    v_conn: ConnectionId,
    v_time: Timestamp,
    v_span: TimeDuration,
    v_when: ScheduleAt,
) -> None:
    edit_scalars(
        ctx, id, v_identity=v_identity, v_conn=v_conn, v_time=v_time, v_span=v_span, v_when=v_when
    )


def edit_scalars(ctx: ReducerContext, id: u32, **columns: Any) -> None:
    rows = ctx.db[Scalars.id]
    row = rows.find(id)
    if row is not None:
        rows.update(changed(row, columns))
    else:
        ctx.db[Scalars].insert(changed(zero_scalars(id), columns))


def changed(row: Any, columns: dict[str, Any]) -> Any:
    for name, value in columns.items():
        setattr(row, name, value)
    return row


def zero_scalars(id: u32) -> Scalars:
    return Scalars(
        id=id,
        v_bool=False,
        v_u8=0,
        v_u16=0,
        v_u32=0,
        v_u64=0,
        v_u128=0,
        v_u256=0,
        v_i8=0,
        v_i16=0,
        v_i32=0,
        v_i64=0,
        v_i128=0,
        v_i256=0,
        v_f32=0.0,
        v_f64=0.0,
        v_text="",
        v_bytes=b"",
        v_identity=Identity("0" * 64),
        v_conn=ConnectionId("0" * 32),
        v_time=Timestamp(0),
        v_span=TimeDuration(0),
        v_when=TimeDuration(0),
    )


# ---------------------------------------------------------------- containers


@reducer
def set_options(
    ctx: ReducerContext,
    id: u64,
    o_num: i32 | None,
    o_text: str | None,
    o_point: Point | None,
    o_nested: Some[bool | None] | None,
    o_identity: Identity | None,
) -> None:
    edit_containers(
        ctx,
        id,
        o_num=o_num,
        o_text=o_text,
        o_point=o_point,
        o_nested=o_nested,
        o_identity=o_identity,
    )


@reducer
def set_lists(
    ctx: ReducerContext,
    id: u64,
    l_num: list[i64],
    l_text: list[str],
    l_point: list[Point],
    l_opt: list[u8 | None],
    l_list: list[list[u16]],
    l_color: list[Color],
    l_shape: list[Shape],
) -> None:
    edit_containers(
        ctx,
        id,
        l_num=l_num,
        l_text=l_text,
        l_point=l_point,
        l_opt=l_opt,
        l_list=l_list,
        l_color=l_color,
        l_shape=l_shape,
    )


@reducer
def set_user_types(
    ctx: ReducerContext, id: u64, line: Line, color: Color, shape: Shape, empty: Empty
) -> None:
    edit_containers(ctx, id, line=line, color=color, shape=shape, empty=empty)


def edit_containers(ctx: ReducerContext, id: u64, **columns: Any) -> None:
    if id == 0:
        raise ReducerError("id 0 would be replaced by the next number of the sequence")
    rows = ctx.db[Containers.id]
    row = rows.find(id)
    if row is not None:
        rows.update(changed(row, columns))
    else:
        ctx.db[Containers].insert(changed(empty_containers(id), columns))


def empty_containers(id: u64) -> Containers:
    return Containers(
        id=id,
        o_num=None,
        o_text=None,
        o_point=None,
        o_nested=None,
        o_identity=None,
        l_num=[],
        l_text=[],
        l_point=[],
        l_opt=[],
        l_list=[],
        l_color=[],
        l_shape=[],
        line=Line(from_point=Point(0, 0), to_point=Point(0, 0), label=None),
        color=Color.RED,
        shape=ShapeNothing(),
        empty=Empty(),
    )
