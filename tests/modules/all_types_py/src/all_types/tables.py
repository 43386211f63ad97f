"""Every kind of table.

Each column type, keys and indexes of all sorts, none at all, private, scheduled.
"""

from __future__ import annotations

from spacetime_py.server import (
    ConnectionId,
    Identity,
    Indexed,
    PrimaryKey,
    ScheduleAt,
    Some,
    TimeDuration,
    Timestamp,
    Unique,
    auto_inc,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    i128,
    i256,
    index,
    table,
    u8,
    u16,
    u32,
    u64,
    u128,
    u256,
)

from .types import Color, Empty, Line, Point, Shape


@table(public=True)
class Scalars:
    id: PrimaryKey[u32]
    v_bool: bool
    v_u8: u8
    v_u16: u16
    v_u32: u32
    v_u64: u64
    v_u128: u128
    v_u256: u256
    v_i8: i8
    v_i16: i16
    v_i32: i32
    v_i64: i64
    v_i128: i128
    v_i256: i256
    v_f32: f32
    v_f64: f64
    v_text: str
    v_bytes: bytes
    v_identity: Identity
    v_conn: ConnectionId
    v_time: Timestamp
    v_span: TimeDuration
    v_when: ScheduleAt


@table(public=True)
class Containers:
    id: PrimaryKey[u64] = auto_inc()
    o_num: i32 | None
    o_text: str | None
    o_point: Point | None
    o_nested: Some[bool | None] | None
    o_identity: Identity | None
    l_num: list[i64]
    l_text: list[str]
    l_point: list[Point]
    l_opt: list[u8 | None]
    l_list: list[list[u16]]
    l_color: list[Color]
    l_shape: list[Shape]
    line: Line
    color: Color
    shape: Shape
    empty: Empty


@table(public=True)
class Item:
    id: PrimaryKey[u64]
    code: Unique[str]
    owner: Indexed[Identity]
    kind: u8
    level: i32
    note: str | None
    by_kind_and_level = index("kind", "level")


@table(public=True)
class Tag:
    id: PrimaryKey[u32] = auto_inc()
    item_id: Indexed[u64]
    label: str


@table(public=True)
class Diary:
    """No primary key, no index."""

    text: str
    n: i32


@table(public=True)
class Bulk:
    id: PrimaryKey[u32]
    value: u64
    name: str


@table(public=True)
class Dot:
    """Rows of one fixed size."""

    id: PrimaryKey[u32]
    x: f32
    y: f32


@table(public=True)
class Marker:
    """Rows of size zero."""

    nothing: Empty


@table(public=True)
class Profile:
    who: PrimaryKey[Identity]
    name: Unique[str]
    color: Color


@table(public=True)
class Presence:
    conn: PrimaryKey[ConnectionId]
    who: Identity
    since: Timestamp


@table
class Secret:
    id: PrimaryKey[u32]
    text: str


@table
class Gate:
    id: PrimaryKey[u8]
    closed: bool


@table(public=True, scheduled="ring")
class Alarm:
    scheduled_id: PrimaryKey[u64] = auto_inc()
    scheduled_at: ScheduleAt
    text: str


@table(public=True)
class RingNote:
    id: PrimaryKey[u64] = auto_inc()
    text: str
    at: Timestamp
