"""Reducers that do more than put in or take out one row."""

from __future__ import annotations

from spacetime_py.server import Identity, ReducerContext, i32, reducer, u32

from .families import TABLES
from .tables import BtreeU32, IndexedSimpleEnum, LargeTable, Users
from .types import EveryPrimitive, SimpleEnum

PkU32 = TABLES["pk_u32"]
PkU32Two = TABLES["pk_u32_two"]
UniqueU32 = TABLES["unique_u32"]


@reducer
def no_op_succeeds(ctx: ReducerContext) -> None:
    pass


@reducer
def insert_large_table(ctx: ReducerContext, row: LargeTable) -> None:
    ctx.db[LargeTable].insert(row)


@reducer
def delete_large_table(ctx: ReducerContext, row: LargeTable) -> None:
    ctx.db[LargeTable].delete(row)


@reducer
def insert_caller_identity(ctx: ReducerContext) -> None:
    row = TABLES["one_identity"]
    ctx.db[row].insert(row(n=ctx.sender))


@reducer
def insert_caller_connection_id(ctx: ReducerContext) -> None:
    row = TABLES["one_connection_id"]
    ctx.db[row].insert(row(n=ctx.connection_id))


@reducer
def insert_call_timestamp(ctx: ReducerContext) -> None:
    row = TABLES["one_timestamp"]
    ctx.db[row].insert(row(n=ctx.timestamp))


@reducer
def insert_primitives_as_strings(ctx: ReducerContext, all: EveryPrimitive) -> None:
    row = TABLES["vec_string"]
    numbers = [all.a, all.b, all.c, all.d, all.e, all.f]
    numbers += [all.g, all.h, all.i, all.j, all.k, all.l]
    rest = [str(all.m), repr(all.n), repr(all.o), all.p]
    special = [str(all.q), str(all.r), str(all.s.micros), str(all.t.micros)]
    ctx.db[row].insert(row(n=[*map(str, numbers), *rest, *special]))


@reducer
def insert_unique_u32_update_pk_u32(ctx: ReducerContext, n: u32, unique: i32, pk: i32) -> None:
    ctx.db[UniqueU32].insert(UniqueU32(n=n, data=unique))
    ctx.db[PkU32.n].update(PkU32(n=n, data=pk))


@reducer
def delete_pk_u32_insert_pk_u32_two(ctx: ReducerContext, n: u32, data: i32) -> None:
    ctx.db[PkU32.n].delete(n)
    ctx.db[PkU32Two].insert(PkU32Two(n=n, data=data))


@reducer
def insert_btree_u32(ctx: ReducerContext, n: u32, data: i32) -> None:
    ctx.db[BtreeU32].insert(BtreeU32(n=n, data=data))


@reducer
def delete_btree_u32(ctx: ReducerContext, n: u32, data: i32) -> None:
    ctx.db[BtreeU32].delete(BtreeU32(n=n, data=data))


@reducer
def insert_pk_and_btree(ctx: ReducerContext, n: u32, pk: i32, btree: i32) -> None:
    ctx.db[PkU32].insert(PkU32(n=n, data=pk))
    ctx.db[BtreeU32].insert(BtreeU32(n=n, data=btree))


@reducer
def insert_indexed_simple_enum(ctx: ReducerContext, n: SimpleEnum) -> None:
    ctx.db[IndexedSimpleEnum].insert(IndexedSimpleEnum(n=n))


@reducer
def change_indexed_simple_enum(ctx: ReducerContext, old: SimpleEnum, new: SimpleEnum) -> None:
    ctx.db[IndexedSimpleEnum.n].delete(old)
    ctx.db[IndexedSimpleEnum].insert(IndexedSimpleEnum(n=new))


@reducer
def insert_users(ctx: ReducerContext, identity: Identity, name: str) -> None:
    ctx.db[Users].insert(Users(identity=identity, name=name))
