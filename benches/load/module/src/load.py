"""The database of the workloads: units of a game, readings of sensors, an order book, jobs.

Names of reducers and their meaning are those of the live peer's module `generic`, which takes this
module's schema: so one client runs on both.
"""

from __future__ import annotations

from spacetime_py.server import (
    Indexed,
    PrimaryKey,
    ReducerContext,
    f32,
    index,
    reducer,
    table,
    u8,
    u32,
    u64,
)


@table(public=True)
class Unit:
    """Something that moves."""

    id: PrimaryKey[u64]
    x: f32
    y: f32
    heading: f32


@table(public=True)
class Reading:
    """What a sensor measured."""

    id: PrimaryKey[u64]
    sensor: Indexed[u32]
    value: f32


@table(public=True)
class Offer:
    """An order that is not filled yet. Side 0 buys, side 1 sells."""

    id: PrimaryKey[u64]
    side: u8
    price: u32
    quantity: u32
    by_side_and_price = index("side", "price")


@table(public=True)
class Job:
    """State 0 waits, 1 is being worked on, 2 is done."""

    id: PrimaryKey[u64]
    worker: Indexed[u32]
    state: u8
    prompt: str
    answer: str


@reducer
def rewrite_unit(ctx: ReducerContext, first: u64, count: u32, seed: u64) -> None:
    """One tick: these units are somewhere else, which depends on `seed`; who is missing comes."""
    units = ctx.db[Unit.id]
    for id in range(first, first + count):
        turn = (id * 31 + seed * 17) % 360
        unit = units.find(id)
        if unit is None:
            ctx.db[Unit].insert(Unit(id=id, x=float(turn), y=float(id), heading=float(turn)))
        else:
            unit.x, unit.heading = float(turn), float(turn)
            units.update(unit)


@reducer
def insert_reading(ctx: ReducerContext, id: u64, sensor: u32, value: f32) -> None:
    ctx.db[Reading].insert(Reading(id=id, sensor=sensor, value=value))


@reducer
def update_reading(ctx: ReducerContext, row: Reading) -> None:
    ctx.db[Reading.id].update(row)


@reducer
def delete_reading(ctx: ReducerContext, id: u64) -> None:
    ctx.db[Reading.id].delete(id)


@reducer
def insert_offer(ctx: ReducerContext, id: u64, side: u8, price: u32, quantity: u32) -> None:
    ctx.db[Offer].insert(Offer(id=id, side=side, price=price, quantity=quantity))


@reducer
def update_offer(ctx: ReducerContext, row: Offer) -> None:
    ctx.db[Offer.id].update(row)


@reducer
def delete_offer(ctx: ReducerContext, id: u64) -> None:
    ctx.db[Offer.id].delete(id)


@reducer
def insert_job(
    ctx: ReducerContext, id: u64, worker: u32, state: u8, prompt: str, answer: str
) -> None:
    ctx.db[Job].insert(Job(id=id, worker=worker, state=state, prompt=prompt, answer=answer))


@reducer
def update_job(ctx: ReducerContext, row: Job) -> None:
    ctx.db[Job.id].update(row)
