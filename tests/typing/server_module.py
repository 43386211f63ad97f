"""A server module as its author types it, and what type checkers find wrong in it.

Each `type: ignore` is a mistake: without it the checkers complain, and with one too many too.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import TypeAlias

from typing_extensions import assert_type

from spacetime_py.server import (
    AnonymousViewContext,
    ConnectionId,
    Err,
    Identity,
    Index,
    Indexed,
    Ok,
    PrimaryKey,
    ProcedureContext,
    Query,
    ReducerContext,
    ScheduleAt,
    Some,
    Table,
    TimeDuration,
    Timestamp,
    Unique,
    UniqueIndex,
    ViewContext,
    auto_inc,
    client_connected,
    column,
    f64,
    i32,
    i64,
    index,
    init,
    log,
    procedure,
    product,
    reducer,
    table,
    u8,
    u64,
    variant,
    view,
)


class Color(enum.Enum):
    RED = 0
    DARK_BLUE = 1


@product
class Point:
    x: i32
    y: i32 = 0


@variant
class ShapeNothing:
    pass


@variant
class ShapeSpot:
    value: Point


Shape: TypeAlias = ShapeNothing | ShapeSpot


@table(public=True)
class Item:
    id: PrimaryKey[u64] = auto_inc()
    code: Unique[str]
    owner: Indexed[Identity]
    kind: u8
    level: i32 = 1
    color: Color
    shape: Shape | None = None
    nested: Some[bool | None] | None = None
    result: Ok[i32] | Err[str]
    points: list[Point]
    grade: u8 = column(default=7)
    slot: u64 = column(unique=True, index="direct")
    by_kind_and_level = index("kind", "level")


@table(scheduled="tick")
class Timer:
    scheduled_id: PrimaryKey[u64] = auto_inc()
    scheduled_at: ScheduleAt


def make(ctx: ReducerContext) -> Item:
    return Item(
        code="a", owner=ctx.sender, kind=1, color=Color.RED, result=Ok(1), points=[], slot=1
    )


@init
def on_init(ctx: ReducerContext) -> None:
    log.info("there it is", 1)
    ctx.db[Timer].insert(Timer(scheduled_at=TimeDuration(1)))
    ctx.db[Timer].insert(Timer(scheduled_at=Timestamp(1)))
    Timer(scheduled_at=1)  # type: ignore


@client_connected(name="connected")
def on_connect(ctx: ReducerContext) -> None:
    assert_type(ctx.connection_id, ConnectionId | None)
    assert_type(ctx.timestamp - Timestamp(0), TimeDuration)
    assert_type(ctx.rng.choice([1.5]), float)


@reducer
def tick(ctx: ReducerContext, timer: Timer) -> None:
    assert_type(timer.scheduled_at, TimeDuration | Timestamp)
    assert_type(timer.scheduled_id, int)


@reducer
def rows(ctx: ReducerContext, color: Color, shape: Shape, ratio: f64) -> None:
    assert_type(ctx.db[Item], Table[Item])
    item = ctx.db[Item].insert(make(ctx))
    assert_type(item, Item)
    assert_type(item.id, int)
    assert_type(item.code, str)
    assert_type(item.shape, ShapeNothing | ShapeSpot | None)
    assert_type(list(ctx.db[Item]), list[Item])
    assert_type(ctx.db[Item].delete(item), bool)
    item.level += 1
    item.id = "x"  # type: ignore
    item.kind = "x"  # type: ignore
    ctx.db[Item].insert(Point(1))  # type: ignore
    Item(code="a")  # type: ignore
    Point("x")  # type: ignore
    ctx.db.item.id.find(7)


@reducer
def indexes(ctx: ReducerContext) -> None:
    assert_type(ctx.db[Item.id], UniqueIndex[Item, int])
    assert_type(ctx.db[Item.id].find(7), Item | None)
    assert_type(ctx.db[Item.code].delete("a"), bool)
    assert_type(ctx.db[Item.owner], Index[Item, Identity])
    assert_type(ctx.db[Item.owner].filter(ctx.sender), Iterator[Item])
    assert_type(next(ctx.db[Item.by_kind_and_level].filter((1,))), Item)
    assert_type(next(ctx.db[Item.id].range(1, 5)), Item)
    ctx.db[Item.id].find("x")  # type: ignore
    ctx.db[Item.owner].filter("x")  # type: ignore
    ctx.db[Item.id].update(Point(1))  # type: ignore
    ctx.db[Item.id].range("x")  # type: ignore
    ctx.db[Item.by_kind_and_level].filter(1)  # type: ignore


@reducer  # type: ignore
def gives_something(ctx: ReducerContext) -> int:
    return 1


@reducer  # type: ignore
def without_context(name: str) -> None:
    pass


def area(shape: Shape) -> int:
    match shape:
        case ShapeNothing():
            return 0
        case ShapeSpot(point):
            return point.x * point.y


@view
def mine(ctx: ViewContext) -> list[Item]:
    return list(ctx.db[Item.owner].filter(ctx.sender))


@view(public=False)
def third(ctx: AnonymousViewContext) -> Query[Item]:
    return Query(Item, "SELECT * FROM item WHERE kind = 3")


@procedure
def count(ctx: ProcedureContext, kind: u8) -> i64:
    number = ctx.with_tx(lambda tx: tx.db[Item].count())
    assert_type(number, int)
    return number + ctx.rng.randint(kind, 5)
