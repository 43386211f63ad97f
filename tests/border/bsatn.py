"""BSATN in plain Python: what the core is measured by.

Values are models: a product is a tuple, a sum (options and results too) is a `Case`, an array is
a list, an array of u8 is bytes, a marked product such as Identity is its number.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .describe import Array, Product, Ref, Scalar, Sum, Type

WIDTHS = {f"{sign}{bits}": bits for sign in "iu" for bits in (8, 16, 32, 64, 128, 256)}


@dataclass(frozen=True)
class Case:
    """A value of a sum type."""

    tag: int
    payload: Any = ()


@dataclass(frozen=True)
class Bits:
    """A float by its bits, so that NaNs keep theirs."""

    bits: int


NONE = Case(1)


def some(payload: Any) -> Case:
    return Case(0, payload)


def limits(scalar: str) -> tuple[int, int]:
    bits = WIDTHS[scalar]
    return (0, 2**bits - 1) if scalar[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def is_marked(ty: Type) -> bool:
    return isinstance(ty, Product) and len(ty.fields) == 1 and ty.fields[0][0].startswith("__")


def encode(ty: Type, value: Any, types: Sequence[Type]) -> bytes:
    if isinstance(ty, Ref):
        return encode(types[ty.index], value, types)
    if isinstance(ty, Scalar):
        return _scalar(ty.name, value)
    if isinstance(ty, Array):
        if ty.element == Scalar("u8"):
            return struct.pack("<I", len(value)) + bytes(value)
        items = [encode(ty.element, item, types) for item in value]
        return struct.pack("<I", len(items)) + b"".join(items)
    if isinstance(ty, Sum):
        assert isinstance(value, Case)
        return bytes([value.tag]) + encode(ty.variants[value.tag][1], value.payload, types)
    values = (value,) if is_marked(ty) else value
    pairs = zip(ty.fields, values, strict=True)
    return b"".join(encode(field, item, types) for (_, field), item in pairs)


def _scalar(name: str, value: Any) -> bytes:
    if name == "bool":
        return b"\1" if value else b"\0"
    if name == "string":
        return struct.pack("<I", len(value.encode())) + bytes(value.encode())
    if name in ("f32", "f64"):
        return bytes(value.bits.to_bytes(int(name[1:]) // 8, "little"))
    return bytes(value.to_bytes(WIDTHS[name] // 8, "little", signed=name[0] == "i"))
