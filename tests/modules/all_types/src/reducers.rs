//! Reducers that make transactions of every shape: inserts, updates, deletes, none, failed, scheduled.
use crate::tables::*;
use crate::types::{Color, Empty, Point, Shape};
use spacetimedb::{reducer, ReducerContext, ScheduleAt, Table, TimeDuration, Timestamp};

#[reducer]
pub fn put_scalars(ctx: &ReducerContext, row: Scalars) {
    if ctx.db.scalars().id().find(row.id).is_some() {
        ctx.db.scalars().id().update(row);
    } else {
        ctx.db.scalars().insert(row);
    }
}

#[reducer]
pub fn drop_scalars(ctx: &ReducerContext, id: u32) {
    ctx.db.scalars().id().delete(id);
}

#[reducer]
pub fn put_containers(ctx: &ReducerContext, row: Containers) {
    if row.id != 0 && ctx.db.containers().id().find(row.id).is_some() {
        ctx.db.containers().id().update(row);
    } else {
        ctx.db.containers().insert(row);
    }
}

#[reducer]
pub fn drop_containers(ctx: &ReducerContext, id: u64) {
    ctx.db.containers().id().delete(id);
}

#[reducer]
pub fn add_item(ctx: &ReducerContext, id: u64, code: String, kind: u8, level: i32, note: Option<String>) {
    ctx.db.item().insert(Item { id, code, owner: ctx.sender, kind, level, note });
}

#[reducer]
pub fn set_item(ctx: &ReducerContext, id: u64, level: i32, note: Option<String>) -> Result<(), String> {
    let old = ctx.db.item().id().find(id).ok_or_else(|| format!("no item {id}"))?;
    ctx.db.item().id().update(Item { level, note, ..old });
    Ok(())
}

/// Delete and insert under the same primary key, in one transaction.
#[reducer]
pub fn replace_item(ctx: &ReducerContext, id: u64, level: i32) -> Result<(), String> {
    let old = ctx.db.item().id().find(id).ok_or_else(|| format!("no item {id}"))?;
    ctx.db.item().id().delete(id);
    ctx.db.item().insert(Item { level, ..old });
    Ok(())
}

/// Delete a row and insert it again unchanged: no net change.
#[reducer]
pub fn touch_item(ctx: &ReducerContext, id: u64) -> Result<(), String> {
    let old = ctx.db.item().id().find(id).ok_or_else(|| format!("no item {id}"))?;
    ctx.db.item().id().delete(id);
    ctx.db.item().insert(old);
    Ok(())
}

#[reducer]
pub fn drop_item(ctx: &ReducerContext, id: u64) {
    ctx.db.item().id().delete(id);
}

#[reducer]
pub fn add_tag(ctx: &ReducerContext, item_id: u64, label: String) {
    ctx.db.tag().insert(Tag { id: 0, item_id, label });
}

#[reducer]
pub fn drop_tag(ctx: &ReducerContext, id: u32) {
    ctx.db.tag().id().delete(id);
}

#[reducer]
pub fn add_diary(ctx: &ReducerContext, text: String, n: i32) {
    ctx.db.diary().insert(Diary { text, n });
}

#[reducer]
pub fn drop_diary(ctx: &ReducerContext, text: String, n: i32) {
    ctx.db.diary().delete(Diary { text, n });
}

#[reducer]
pub fn bulk_insert(ctx: &ReducerContext, from: u32, count: u32, seed: u64) {
    for id in from..from + count {
        let value = (id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(seed);
        ctx.db.bulk().insert(Bulk { id, value, name: format!("row-{id}") });
    }
}

#[reducer]
pub fn bulk_update(ctx: &ReducerContext, from: u32, count: u32, delta: u64) {
    for id in from..from + count {
        if let Some(row) = ctx.db.bulk().id().find(id) {
            ctx.db.bulk().id().update(Bulk { value: row.value.wrapping_add(delta), ..row });
        }
    }
}

#[reducer]
pub fn bulk_delete(ctx: &ReducerContext, from: u32, count: u32) {
    for id in from..from + count {
        ctx.db.bulk().id().delete(id);
    }
}

#[reducer]
pub fn dot_insert(ctx: &ReducerContext, from: u32, count: u32) {
    for id in from..from + count {
        ctx.db.dot().insert(Dot { id, x: id as f32 * 0.5, y: -(id as f32) });
    }
}

#[reducer]
pub fn set_profile(ctx: &ReducerContext, name: String, color: Color) {
    let row = Profile { who: ctx.sender, name, color };
    if ctx.db.profile().who().find(ctx.sender).is_some() {
        ctx.db.profile().who().update(row);
    } else {
        ctx.db.profile().insert(row);
    }
}

#[reducer]
pub fn add_marker(ctx: &ReducerContext) {
    ctx.db.marker().insert(Marker { nothing: Empty {} });
}

#[reducer]
pub fn drop_marker(ctx: &ReducerContext) {
    ctx.db.marker().delete(Marker { nothing: Empty {} });
}

#[reducer]
pub fn add_secret(ctx: &ReducerContext, id: u32, text: String) {
    ctx.db.secret().insert(Secret { id, text });
}

#[reducer]
pub fn set_gate(ctx: &ReducerContext, closed: bool) {
    ctx.db.gate().id().update(Gate { id: 0, closed });
}

#[reducer]
pub fn fail(_ctx: &ReducerContext, message: String) -> Result<(), String> {
    Err(message)
}

/// Insert a row, then fail: nothing may stay.
#[reducer]
pub fn insert_then_fail(ctx: &ReducerContext, text: String) -> Result<(), String> {
    ctx.db.diary().insert(Diary { text, n: -1 });
    Err("rolled back".into())
}

#[reducer]
pub fn boom(ctx: &ReducerContext, message: String) {
    ctx.db.diary().insert(Diary { text: message.clone(), n: -2 });
    panic!("{message}");
}

#[reducer]
pub fn noop(_ctx: &ReducerContext) {}

#[reducer]
pub fn many_args(_ctx: &ReducerContext, a: u8, b: String, c: Option<i32>, d: Vec<f64>, e: Shape, f: Point) {
    log::info!("{a} {b} {c:?} {d:?} {e:?} {f:?}");
}

#[reducer]
pub fn set_alarm_in(ctx: &ReducerContext, micros: i64, text: String) {
    let at = Timestamp::from_micros_since_unix_epoch(ctx.timestamp.to_micros_since_unix_epoch() + micros);
    ctx.db.alarm().insert(Alarm { scheduled_id: 0, scheduled_at: ScheduleAt::Time(at), text });
}

#[reducer]
pub fn set_alarm_every(ctx: &ReducerContext, micros: i64, text: String) {
    let every = ScheduleAt::Interval(TimeDuration::from_micros(micros));
    ctx.db.alarm().insert(Alarm { scheduled_id: 0, scheduled_at: every, text });
}

#[reducer]
pub fn cancel_alarms(ctx: &ReducerContext) {
    for row in ctx.db.alarm().iter().collect::<Vec<_>>() {
        ctx.db.alarm().scheduled_id().delete(row.scheduled_id);
    }
}

#[reducer]
pub fn ring(ctx: &ReducerContext, alarm: Alarm) {
    ctx.db.ring_note().insert(RingNote { id: 0, text: alarm.text, at: ctx.timestamp });
}

/// Empty every table between two tests.
#[reducer]
pub fn wipe(ctx: &ReducerContext) {
    macro_rules! clear {
        ($($t:ident),*) => { $( for row in ctx.db.$t().iter().collect::<Vec<_>>() { ctx.db.$t().delete(row); } )* };
    }
    clear!(scalars, containers, item, tag, diary, bulk, dot, marker, profile, secret, alarm, ring_note);
    ctx.db.gate().id().update(Gate { id: 0, closed: false });
}
