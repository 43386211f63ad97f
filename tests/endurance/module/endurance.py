"""A module that is called badly: reducers that raise, recurse, trap, and never end."""

from __future__ import annotations

from posix import abort

from spacetime_py.server import (
    Indexed,
    PrimaryKey,
    ReducerContext,
    ReducerError,
    UniqueViolation,
    auto_inc,
    reducer,
    table,
    u32,
    u64,
)

KEPT = 100
CALLS = [0]


@table(public=True)
class Row:
    key: PrimaryKey[u32]
    group: Indexed[u32]
    text: str


@table(public=True)
class Step:
    """The last calls of `step`: numbers of a sequence never come twice."""

    id: PrimaryKey[u64] = auto_inc()
    key: u32


def row_of(key: int, text: str) -> Row:
    return Row(key=key, group=key % 7, text=text)


@reducer
def put(ctx: ReducerContext, key: u32, text: str) -> None:
    row = ctx.db[Row.key].find(key)
    if row is None:
        ctx.db[Row].insert(row_of(key, text))
    else:
        row.text = text
        ctx.db[Row.key].update(row)


@reducer
def drop(ctx: ReducerContext, key: u32) -> None:
    if not ctx.db[Row.key].delete(key):
        raise ReducerError(f"no row {key}")


@reducer
def drop_group(ctx: ReducerContext, group: u32) -> None:
    ctx.db[Row.group].delete(group)


@reducer
def put_many(ctx: ReducerContext, keys: list[u32], text: str) -> None:
    """All or none: one key that is there already undoes the others."""
    ctx.db[Row].insert_many(row_of(key, text) for key in keys)


@reducer
def put_new(ctx: ReducerContext, keys: list[u32], text: str) -> None:
    """What cannot be inserted is left out: the exception is caught."""
    for key in keys:
        try:
            ctx.db[Row].insert(row_of(key, text))
        except UniqueViolation:
            continue


@reducer
def step(ctx: ReducerContext, key: u32) -> None:
    made = ctx.db[Step].insert(Step(key=key))
    ctx.db[Step.id].delete_range(end=max(made.id - KEPT, 0))


@reducer
def refuse(ctx: ReducerContext, key: u32, text: str) -> None:
    put(ctx, key, "refused")
    raise ReducerError(text)


@reducer
def crash(ctx: ReducerContext, key: u32) -> None:
    ctx.db[Row.group].delete(key % 7)
    raise KeyError(key)


@reducer
def deep(ctx: ReducerContext, key: u32) -> None:
    put(ctx, key, "deep")
    deep(ctx, key)


@reducer
def nested(ctx: ReducerContext, depth: u32) -> None:
    """Deep through C: each level is a call of `list` over a generator."""
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    raise ReducerError(str(len(repr(value))))


@reducer
def measure(ctx: ReducerContext, data: bytes) -> None:
    raise ReducerError(str(len(data)))


@reducer
def age(ctx: ReducerContext) -> None:
    """How often this instance was asked, the one thing that a new one does not know."""
    CALLS[0] += 1
    raise ReducerError(str(CALLS[0]))


@reducer
def trap(ctx: ReducerContext, key: u32) -> None:
    put(ctx, key, "trapped")
    abort()


@reducer
def spin(ctx: ReducerContext, key: u32) -> None:
    put(ctx, key, "spun")
    while True:
        pass
