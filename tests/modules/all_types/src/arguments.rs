//! Reducers that take each type as an argument of its own.
//!
//! Each one stores its arguments in the columns of the same name, of the row with that id, and makes the row when there
//! is none: a client sees what it sent in the public tables `scalars` and `containers`.
use crate::tables::*;
use crate::types::{Color, Empty, Line, Point, Shape};
use spacetimedb::sats::{i256, u256};
use spacetimedb::{reducer, ConnectionId, Identity, ReducerContext, ScheduleAt, Table, TimeDuration, Timestamp};

// ---------------------------------------------------------------- scalars

#[reducer]
pub fn set_signed(
    ctx: &ReducerContext,
    id: u32,
    v_i8: i8,
    v_i16: i16,
    v_i32: i32,
    v_i64: i64,
    v_i128: i128,
    v_i256: i256,
) {
    edit_scalars(ctx, id, |row| Scalars { v_i8, v_i16, v_i32, v_i64, v_i128, v_i256, ..row });
}

#[reducer]
pub fn set_unsigned(
    ctx: &ReducerContext,
    id: u32,
    v_u8: u8,
    v_u16: u16,
    v_u32: u32,
    v_u64: u64,
    v_u128: u128,
    v_u256: u256,
) {
    edit_scalars(ctx, id, |row| Scalars { v_u8, v_u16, v_u32, v_u64, v_u128, v_u256, ..row });
}

#[reducer]
pub fn set_floats(ctx: &ReducerContext, id: u32, v_f32: f32, v_f64: f64) {
    edit_scalars(ctx, id, |row| Scalars { v_f32, v_f64, ..row });
}

#[reducer]
pub fn set_plain(ctx: &ReducerContext, id: u32, v_bool: bool, v_text: String, v_bytes: Vec<u8>) {
    edit_scalars(ctx, id, |row| Scalars { v_bool, v_text, v_bytes, ..row });
}

#[reducer]
pub fn set_special(
    ctx: &ReducerContext,
    id: u32,
    v_identity: Identity,
    v_conn: ConnectionId,
    v_time: Timestamp,
    v_span: TimeDuration,
    v_when: ScheduleAt,
) {
    edit_scalars(ctx, id, |row| Scalars { v_identity, v_conn, v_time, v_span, v_when, ..row });
}

fn edit_scalars(ctx: &ReducerContext, id: u32, edit: impl FnOnce(Scalars) -> Scalars) {
    let rows = ctx.db.scalars().id();
    match rows.find(id) {
        Some(row) => rows.update(edit(row)),
        None => ctx.db.scalars().insert(edit(zero_scalars(id))),
    };
}

fn zero_scalars(id: u32) -> Scalars {
    Scalars {
        id,
        v_bool: false,
        v_u8: 0,
        v_u16: 0,
        v_u32: 0,
        v_u64: 0,
        v_u128: 0,
        v_u256: u256::ZERO,
        v_i8: 0,
        v_i16: 0,
        v_i32: 0,
        v_i64: 0,
        v_i128: 0,
        v_i256: i256::ZERO,
        v_f32: 0.0,
        v_f64: 0.0,
        v_text: String::new(),
        v_bytes: Vec::new(),
        v_identity: Identity::ZERO,
        v_conn: ConnectionId::ZERO,
        v_time: Timestamp::UNIX_EPOCH,
        v_span: TimeDuration::ZERO,
        v_when: ScheduleAt::Interval(TimeDuration::ZERO),
    }
}

// ---------------------------------------------------------------- containers

#[reducer]
pub fn set_options(
    ctx: &ReducerContext,
    id: u64,
    o_num: Option<i32>,
    o_text: Option<String>,
    o_point: Option<Point>,
    o_nested: Option<Option<bool>>,
    o_identity: Option<Identity>,
) -> Result<(), String> {
    edit_containers(ctx, id, |row| Containers { o_num, o_text, o_point, o_nested, o_identity, ..row })
}

#[reducer]
pub fn set_lists(
    ctx: &ReducerContext,
    id: u64,
    l_num: Vec<i64>,
    l_text: Vec<String>,
    l_point: Vec<Point>,
    l_opt: Vec<Option<u8>>,
    l_list: Vec<Vec<u16>>,
    l_color: Vec<Color>,
    l_shape: Vec<Shape>,
) -> Result<(), String> {
    edit_containers(ctx, id, |row| Containers { l_num, l_text, l_point, l_opt, l_list, l_color, l_shape, ..row })
}

#[reducer]
pub fn set_user_types(
    ctx: &ReducerContext,
    id: u64,
    line: Line,
    color: Color,
    shape: Shape,
    empty: Empty,
) -> Result<(), String> {
    edit_containers(ctx, id, |row| Containers { line, color, shape, empty, ..row })
}

fn edit_containers(ctx: &ReducerContext, id: u64, edit: impl FnOnce(Containers) -> Containers) -> Result<(), String> {
    if id == 0 {
        return Err("id 0 would be replaced by the next number of the sequence".into());
    }
    let rows = ctx.db.containers().id();
    match rows.find(id) {
        Some(row) => rows.update(edit(row)),
        None => ctx.db.containers().insert(edit(empty_containers(id))),
    };
    Ok(())
}

fn empty_containers(id: u64) -> Containers {
    let origin = || Point { x: 0, y: 0 };
    Containers {
        id,
        o_num: None,
        o_text: None,
        o_point: None,
        o_nested: None,
        o_identity: None,
        l_num: Vec::new(),
        l_text: Vec::new(),
        l_point: Vec::new(),
        l_opt: Vec::new(),
        l_list: Vec::new(),
        l_color: Vec::new(),
        l_shape: Vec::new(),
        line: Line { from_point: origin(), to_point: origin(), label: None },
        color: Color::Red,
        shape: Shape::Nothing,
        empty: Empty {},
    }
}
