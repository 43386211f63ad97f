"""A program for the interpreter inside of a module: what reducers meet there."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from spacetime_py.server import (
    TYPE_CHECKING,
    AnonymousViewContext,
    Err,
    HostError,
    Identity,
    Indexed,
    NoSuchRow,
    Ok,
    PrimaryKey,
    ProcedureContext,
    Query,
    ReducerContext,
    ReducerError,
    Some,
    TimeDuration,
    Timestamp,
    Unique,
    UniqueViolation,
    Uuid,
    ViewContext,
    auto_inc,
    column,
    i64,
    index,
    log,
    procedure,
    product,
    reducer,
    table,
    u8,
    u32,
    u64,
    variant,
    view,
)

if TYPE_CHECKING:
    from typing import TypeAlias


@dataclass(frozen=True)
class Frozen:
    x: u8
    y: str


@product
class Node:
    n: u8
    below: list[Node]


@variant
class TreeLeaf:
    pass


@variant
class TreeFork:
    value: list[Tree]


Tree: TypeAlias = TreeLeaf | TreeFork


@table(public=True)
class Thing:
    id: PrimaryKey[u64] = auto_inc()
    code: Unique[str]
    owner: Indexed[Identity]
    kind: u8
    level: u32 = 0
    lookup: Indexed[u32] = column(index="hash")
    slot: Unique[u32] = column(index="direct")
    grade: u8 = column(default=7)
    by_kind_and_level = index("kind", "level")


@table(name="Values", accessor="values")
class Values:
    key: PrimaryKey[Uuid]
    frozen: Frozen
    node: Node
    tree: Tree
    result: Ok[i64] | Err[str]
    nested: Some[bool | None] | None


@table(event=True, public=True)
class Bang:
    text: str


def thing(ctx: ReducerContext, number: int, kind: int = 0, level: int = 0) -> Thing:
    return Thing(
        code=f"c{number}", owner=ctx.sender, kind=kind, level=level, lookup=number % 3, slot=number
    )


@reducer
def fill(ctx: ReducerContext, count: u32) -> None:
    ctx.db[Thing].insert_many(thing(ctx, n, n // 4, n) for n in range(count))


@reducer
def look(ctx: ReducerContext) -> None:
    """Everything that reads, on twelve things."""
    db = ctx.db
    both = db[Thing.by_kind_and_level]
    assert len(db[Thing]) == 12
    assert [one.id for one in db[Thing]] == list(range(1, 13))
    found = db[Thing.id].find(3)
    assert found is not None
    assert (found.code, found.grade, found.owner) == ("c2", 7, ctx.sender)
    assert db[Thing.id].find(99) is None
    assert db[Thing.code].find("c11") is not None
    assert sorted(one.slot for one in db[Thing.lookup].filter(1)) == [1, 4, 7, 10]
    assert db[Thing.owner].count(ctx.sender) == 12
    assert [one.slot for one in db[Thing.slot].range(3, 6, include_end=True)] == [3, 4, 5, 6]
    assert [one.slot for one in both.filter((1,))] == [4, 5, 6, 7]
    assert [one.slot for one in both.filter((1, 6))] == [6]
    assert [one.slot for one in both.range((1, 6), (1,), include_end=True)] == [6, 7]
    assert [one.slot for one in both.range((1,), (3,))] == list(range(4, 12))
    assert [one.slot for one in db.thing.slot.range(None, 2)] == [0, 1]
    assert next(iter(db[Thing])).code == "c0"


@reducer
def change(ctx: ReducerContext) -> None:
    """Everything that writes, on twelve things."""
    db = ctx.db
    first = db[Thing.id].find(1)
    assert first is not None
    first.level = 50
    assert db[Thing.id].update(first) is first
    again = db[Thing.code].find("c0")
    assert again is not None
    assert again.level == 50
    assert db[Thing.id].delete(2)
    assert not db[Thing.id].delete(2)
    assert db[Thing].delete(first)
    assert not db[Thing].delete(first)
    assert db[Thing.lookup].delete(2) == 4
    assert db[Thing.by_kind_and_level].delete_range((1,), (3,)) == 5
    assert [one.slot for one in db[Thing]] == [3]
    inserted = db[Thing].insert(thing(ctx, 100))
    assert inserted.id > 12
    assert db[Thing].clear() == 2
    assert len(db[Thing]) == 0


@reducer
def errors(ctx: ReducerContext) -> None:
    ctx.db[Thing].insert(thing(ctx, 1))
    try:
        ctx.db[Thing].insert(thing(ctx, 1))
    except UniqueViolation as error:
        log.info(error, error.errno, error.table)
    try:
        ctx.db[Thing.id].update(Thing(id=77, code="x", owner=ctx.sender, kind=0, lookup=0, slot=9))
    except NoSuchRow as error:
        log.info(error, error.errno, isinstance(error, HostError))
    for wrong in (300, -1, "x", None):
        row = thing(ctx, 5)
        row.kind = wrong  # type: ignore[assignment]
        try:
            ctx.db[Thing].insert(row)
        except (OverflowError, TypeError) as error:
            log.info(f"{type(error).__name__}: {error}")


@reducer
def values(ctx: ReducerContext) -> None:
    """Every kind of value goes in and comes out as it was."""
    row = Values(
        key=ctx.new_uuid_v7(),
        frozen=Frozen(3, "y"),
        node=Node(1, [Node(2, []), Node(3, [Node(4, [])])]),
        tree=TreeFork([TreeLeaf(), TreeFork([])]),
        result=Err("e"),
        nested=Some(None),
    )
    ctx.db[Values].insert(row)
    (back,) = ctx.db[Values]
    assert back == row
    assert isinstance(back.key, uuid.UUID)
    assert back.key.version == 7
    found = ctx.db[Values.key].find(row.key)
    assert found is not None
    assert found.nested == Some(None)
    row.result, row.nested = Ok(-5), None
    ctx.db[Values.key].update(row)
    assert list(ctx.db[Values]) == [row]


@reducer
def context(ctx: ReducerContext) -> None:
    log.info(ctx.sender, ctx.connection_id, ctx.timestamp.micros, ctx.is_internal)
    log.debug(ctx.identity, ctx.jwt)
    log.info(ctx.rng.randint(1, 6), ctx.rng.sample(range(100), 3), ctx.timestamp - Timestamp(1))
    assert TimeDuration(1) + TimeDuration(2) == TimeDuration(3)


@reducer
def speak(ctx: ReducerContext) -> None:
    print("one", 2)
    print("a\nb")
    log.trace("quiet")
    ctx.db[Bang].insert(Bang(text="!"))


@reducer
def refuse(ctx: ReducerContext, text: str) -> None:
    ctx.db[Thing].insert(thing(ctx, 55))
    raise ReducerError(text)


@reducer
def stumble(ctx: ReducerContext) -> None:
    ctx.db[Thing].insert(thing(ctx, 56))
    try:
        dict[str, int]()["missing"]
    except KeyError as error:
        raise ValueError("worse") from error


@reducer
def fall(ctx: ReducerContext) -> None:
    fall(ctx)


@view
def mine(ctx: ViewContext) -> list[Thing]:
    return list(ctx.db[Thing.owner].filter(ctx.sender))


@view
def first(ctx: AnonymousViewContext) -> Thing | None:
    return ctx.db[Thing.id].find(1)


@view
def third(ctx: AnonymousViewContext) -> Query[Thing]:
    return Query(Thing, "SELECT * FROM thing WHERE kind = 3")


@procedure
def count(ctx: ProcedureContext, more: u8) -> u64:
    return ctx.with_tx(lambda tx: tx.db[Thing].count()) + more


@procedure
def nothing(ctx: ProcedureContext) -> None:
    pass
