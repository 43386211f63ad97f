"""The types of columns that are made of others."""

from __future__ import annotations

import enum

from spacetime_py.server import (
    TYPE_CHECKING,
    ConnectionId,
    Identity,
    TimeDuration,
    Timestamp,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    i128,
    i256,
    product,
    u8,
    u16,
    u32,
    u64,
    u128,
    u256,
    variant,
)

if TYPE_CHECKING:
    from typing import TypeAlias


class SimpleEnum(enum.Enum):
    ZERO = 0
    ONE = 1
    TWO = 2


@variant
class PayloadNumber:
    value: u256


@variant
class PayloadText:
    value: str


@variant
class PayloadBytes:
    value: bytes


@variant
class PayloadWho:
    value: Identity


@variant
class PayloadEnums:
    value: list[SimpleEnum]


@variant
class PayloadNothing:
    pass


Payload: TypeAlias = (
    PayloadNumber | PayloadText | PayloadBytes | PayloadWho | PayloadEnums | PayloadNothing
)


@product
class UnitStruct:
    pass


@product
class ByteStruct:
    b: u8


@product
class EveryPrimitive:
    a: u8
    b: u16
    c: u32
    d: u64
    e: u128
    f: u256
    g: i8
    h: i16
    i: i32
    j: i64
    k: i128
    l: i256  # noqa: E741
    m: bool
    n: f32
    o: f64
    p: str
    q: Identity
    r: ConnectionId
    s: Timestamp
    t: TimeDuration


@product
class EveryList:
    a: bytes
    b: list[u16]
    c: list[u256]
    d: list[i8]
    e: list[i256]
    f: list[bool]
    g: list[f32]
    h: list[f64]
    i: list[str]
    j: list[Identity]
    k: list[ConnectionId]
    l: list[Timestamp]  # noqa: E741
    m: list[TimeDuration]
