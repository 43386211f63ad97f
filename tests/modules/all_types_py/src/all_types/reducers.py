"""Reducers that make transactions of every shape.

Inserts, updates, deletes, none, failed, scheduled.
"""

from __future__ import annotations

from posix import abort

from spacetime_py.server import (
    ReducerContext,
    ReducerError,
    TimeDuration,
    Timestamp,
    f64,
    i32,
    i64,
    log,
    reducer,
    u8,
    u32,
    u64,
)

from .tables import (
    Alarm,
    Bulk,
    Containers,
    Diary,
    Dot,
    Gate,
    Item,
    Marker,
    Profile,
    RingNote,
    Scalars,
    Secret,
    Tag,
)
from .types import Color, Empty, Point, Shape

EMPTIED = [
    Scalars,
    Containers,
    Item,
    Tag,
    Diary,
    Bulk,
    Dot,
    Marker,
    Profile,
    Secret,
    Alarm,
    RingNote,
]
U64 = 2**64 - 1


@reducer
def put_scalars(ctx: ReducerContext, row: Scalars) -> None:
    if ctx.db[Scalars.id].find(row.id) is not None:
        ctx.db[Scalars.id].update(row)
    else:
        ctx.db[Scalars].insert(row)


@reducer
def drop_scalars(ctx: ReducerContext, id: u32) -> None:
    ctx.db[Scalars.id].delete(id)


@reducer
def put_containers(ctx: ReducerContext, row: Containers) -> None:
    if row.id != 0 and ctx.db[Containers.id].find(row.id) is not None:
        ctx.db[Containers.id].update(row)
    else:
        ctx.db[Containers].insert(row)


@reducer
def drop_containers(ctx: ReducerContext, id: u64) -> None:
    ctx.db[Containers.id].delete(id)


@reducer
def add_item(
    ctx: ReducerContext, id: u64, code: str, kind: u8, level: i32, note: str | None
) -> None:
    item = Item(id=id, code=code, owner=ctx.sender, kind=kind, level=level, note=note)
    ctx.db[Item].insert(item)


@reducer
def set_item(ctx: ReducerContext, id: u64, level: i32, note: str | None) -> None:
    item = item_of(ctx, id)
    item.level, item.note = level, note
    ctx.db[Item.id].update(item)


@reducer
def replace_item(ctx: ReducerContext, id: u64, level: i32) -> None:
    """Delete and insert under the same primary key, in one transaction."""
    item = item_of(ctx, id)
    ctx.db[Item.id].delete(id)
    item.level = level
    ctx.db[Item].insert(item)


@reducer
def touch_item(ctx: ReducerContext, id: u64) -> None:
    """Delete a row and insert it again unchanged: no net change."""
    item = item_of(ctx, id)
    ctx.db[Item.id].delete(id)
    ctx.db[Item].insert(item)


def item_of(ctx: ReducerContext, id: u64) -> Item:
    item = ctx.db[Item.id].find(id)
    if item is None:
        raise ReducerError(f"no item {id}")
    return item


@reducer
def drop_item(ctx: ReducerContext, id: u64) -> None:
    ctx.db[Item.id].delete(id)


@reducer
def add_tag(ctx: ReducerContext, item_id: u64, label: str) -> None:
    ctx.db[Tag].insert(Tag(item_id=item_id, label=label))


@reducer
def drop_tag(ctx: ReducerContext, id: u32) -> None:
    ctx.db[Tag.id].delete(id)


@reducer
def add_diary(ctx: ReducerContext, text: str, n: i32) -> None:
    ctx.db[Diary].insert(Diary(text=text, n=n))


@reducer
def drop_diary(ctx: ReducerContext, text: str, n: i32) -> None:
    ctx.db[Diary].delete(Diary(text=text, n=n))


@reducer
def bulk_insert(ctx: ReducerContext, from_: u32, count: u32, seed: u64) -> None:
    ctx.db[Bulk].insert_many(
        Bulk(id=id, value=(id * 0x9E37_79B9_7F4A_7C15 + seed) & U64, name=f"row-{id}")
        for id in range(from_, from_ + count)
    )


@reducer
def bulk_update(ctx: ReducerContext, from_: u32, count: u32, delta: u64) -> None:
    rows = ctx.db[Bulk.id]
    for id in range(from_, from_ + count):
        row = rows.find(id)
        if row is not None:
            row.value = (row.value + delta) & U64
            rows.update(row)


@reducer
def bulk_delete(ctx: ReducerContext, from_: u32, count: u32) -> None:
    for id in range(from_, from_ + count):
        ctx.db[Bulk.id].delete(id)


@reducer
def dot_insert(ctx: ReducerContext, from_: u32, count: u32) -> None:
    ctx.db[Dot].insert_many(
        Dot(id=id, x=id * 0.5, y=-float(id)) for id in range(from_, from_ + count)
    )


@reducer
def set_profile(ctx: ReducerContext, name: str, color: Color) -> None:
    row = Profile(who=ctx.sender, name=name, color=color)
    if ctx.db[Profile.who].find(ctx.sender) is not None:
        ctx.db[Profile.who].update(row)
    else:
        ctx.db[Profile].insert(row)


@reducer
def add_marker(ctx: ReducerContext) -> None:
    ctx.db[Marker].insert(Marker(nothing=Empty()))


@reducer
def drop_marker(ctx: ReducerContext) -> None:
    ctx.db[Marker].delete(Marker(nothing=Empty()))


@reducer
def add_secret(ctx: ReducerContext, id: u32, text: str) -> None:
    ctx.db[Secret].insert(Secret(id=id, text=text))


@reducer
def set_gate(ctx: ReducerContext, closed: bool) -> None:
    ctx.db[Gate.id].update(Gate(id=0, closed=closed))


@reducer
def fail(ctx: ReducerContext, message: str) -> None:
    raise ReducerError(message)


@reducer
def insert_then_fail(ctx: ReducerContext, text: str) -> None:
    """Insert a row, then fail: nothing may stay."""
    ctx.db[Diary].insert(Diary(text=text, n=-1))
    raise ReducerError("rolled back")


@reducer
def boom(ctx: ReducerContext, message: str) -> None:
    ctx.db[Diary].insert(Diary(text=message, n=-2))
    log.error(message)
    # An exception would be told to the caller. This ends the instance, as a panic in Rust does.
    abort()


@reducer
def noop(ctx: ReducerContext) -> None:
    pass


@reducer
def many_args(
    ctx: ReducerContext, a: u8, b: str, c: i32 | None, d: list[f64], e: Shape, f: Point
) -> None:
    log.info(a, b, c, d, e, f)


@reducer
def set_alarm_in(ctx: ReducerContext, micros: i64, text: str) -> None:
    at = Timestamp(ctx.timestamp.micros + micros)
    ctx.db[Alarm].insert(Alarm(scheduled_at=at, text=text))


@reducer
def set_alarm_every(ctx: ReducerContext, micros: i64, text: str) -> None:
    ctx.db[Alarm].insert(Alarm(scheduled_at=TimeDuration(micros), text=text))


@reducer
def cancel_alarms(ctx: ReducerContext) -> None:
    for row in list(ctx.db[Alarm]):
        ctx.db[Alarm.scheduled_id].delete(row.scheduled_id)


@reducer
def ring(ctx: ReducerContext, alarm: Alarm) -> None:
    ctx.db[RingNote].insert(RingNote(text=alarm.text, at=ctx.timestamp))


@reducer
def wipe(ctx: ReducerContext) -> None:
    """Empty every table between two tests."""
    for row_class in EMPTIED:
        ctx.db[row_class].clear()
    ctx.db[Gate.id].update(Gate(id=0, closed=False))
