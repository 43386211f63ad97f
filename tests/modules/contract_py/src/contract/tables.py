"""Tables of a shape of their own."""

from __future__ import annotations

from spacetime_py.server import (
    Identity,
    Indexed,
    PrimaryKey,
    f64,
    i32,
    i128,
    table,
    u8,
    u32,
    u256,
)

from .types import EveryList, EveryPrimitive, Payload, SimpleEnum, UnitStruct


@table(public=True)
class LargeTable:
    a: u8
    b: u256
    c: i128
    d: bool
    e: f64
    f: str
    g: SimpleEnum
    h: Payload
    i: UnitStruct
    j: EveryPrimitive
    k: EveryList


@table(public=True, accessor="btree_u32")
class BtreeU32:
    n: Indexed[u32]
    data: i32


@table(public=True)
class IndexedSimpleEnum:
    n: Indexed[SimpleEnum]


@table(public=True)
class Users:
    """Everybody sees the row of its own only."""

    identity: PrimaryKey[Identity]
    name: str


@table(public=True)
class Connected:
    identity: Identity


@table(public=True)
class Disconnected:
    identity: Identity
