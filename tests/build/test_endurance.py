"""Many calls in one instance: no memory is lost, whatever they do, and rows equal a model."""

from __future__ import annotations

import random

import pytest

from spacetime_py.build import pack

from .probe import host_of, program

MANY = """
from __future__ import annotations
from spacetime_py.server import (
    Indexed, PrimaryKey, ReducerContext, ReducerError, auto_inc, reducer, table, u32, u64,
)

@table(public=True)
class Row:
    id: PrimaryKey[u64] = auto_inc()
    key: Indexed[u32]
    text: str | None = None
    parts: list[str]

@reducer
def add(ctx: ReducerContext, key: u32, parts: list[str]) -> None:
    ctx.db[Row].insert(Row(key=key, text="t" * (key % 50), parts=parts))

@reducer
def change(ctx: ReducerContext, id: u64) -> None:
    row = ctx.db[Row.id].find(id)
    if row is None:
        raise ReducerError(f"no row {id}")
    row.text = None
    row.key += 1
    ctx.db[Row.id].update(row)

@reducer
def drop(ctx: ReducerContext, key: u32) -> None:
    ctx.db[Row.key].delete(key)

@reducer
def look(ctx: ReducerContext, key: u32) -> None:
    for row in ctx.db[Row.key].filter(key):
        row.parts
    for row in ctx.db[Row]:
        break

@reducer
def recurse(ctx: ReducerContext) -> None:
    recurse(ctx)

@reducer
def cycle(ctx: ReducerContext) -> None:
    a = [1]
    a.append(a)
    raise ValueError(a)

@reducer
def wrong(ctx: ReducerContext, key: u32) -> None:
    ctx.db[Row].insert(Row(key=key, parts=[]))
    ctx.db[Row].insert(Row(key=-1, parts=["x"]))

@reducer
def partly(ctx: ReducerContext, key: u32) -> None:
    ctx.db[Row].insert_many(Row(key=key, parts=[str(n)] if n < 5 else None) for n in range(9))
"""

ADD, CHANGE, DROP, LOOK, RECURSE, CYCLE, WRONG, PARTLY = range(8)


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def test_memory_stays_flat_and_rows_equal_a_model() -> None:
    calls(2_000)


@pytest.mark.slow
def test_a_hundred_thousand_calls() -> None:
    calls(100_000)


def calls(count: int) -> None:
    host = host_of(pack(program(MANY)))
    rng = random.Random(1)
    model: dict[int, int] = {}
    next_id = 1
    size = 0
    for number in range(count):
        kind = rng.choice((ADD, ADD, CHANGE, DROP, LOOK, LOOK, CYCLE, WRONG, PARTLY, "junk"))
        key = rng.randrange(20)
        if number % 997 == 0:
            assert host.reducer(RECURSE).output.startswith(b"RecursionError")
        elif kind == "junk":
            data = rng.randbytes(rng.randrange(1, 40))
            host.reducer(rng.choice((LOOK, RECURSE, CYCLE)), data)
        elif kind == ADD:
            parts = u32(1) + u32(3) + b"abc"
            assert host.reducer(ADD, u32(key) + parts).code == 0
            model[next_id] = key
            next_id += 1
        elif kind == CHANGE:
            row = rng.choice(list(model)) if model else 10**9
            outcome = host.reducer(CHANGE, row.to_bytes(8, "little"))
            assert outcome.code == (0 if row in model else 1)
            if row in model:
                model[row] += 1
        elif kind in (WRONG, PARTLY):
            assert host.reducer(kind, u32(key)).code == 1
            next_id += 1 if kind == WRONG else 5  # numbers of a sequence stay used
        else:
            assert isinstance(kind, int)
            assert host.reducer(kind, u32(key) if kind != CYCLE else b"").code == (kind == CYCLE)
            if kind == DROP:
                model = {row: found for row, found in model.items() if found != key}
        host.logs.clear()
        if number == count // 2:
            size = host.memory_size()
    assert host.database is not None
    rows = host.database.tables[0].rows.values()
    assert {row[0]: row[1] for row in rows} == model
    assert host.memory_size() == size
