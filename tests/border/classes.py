"""Python classes for described types, declared as generated packages do it, and their values."""

from __future__ import annotations

import enum
import math
import struct
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from spacetime_py import ConnectionId, Err, Identity, Ok, Some, TimeDuration, Timestamp
from spacetime_py.bindings import Module, plain_enum, product, variant

from .bsatn import Bits, Case, is_marked
from .describe import SCHEDULE_AT, UNIT, Array, Described, Product, Ref, Scalar, Sum, Type


def is_option(ty: Type) -> bool:
    return isinstance(ty, Sum) and [name for name, _ in ty.variants] == ["some", "none"]


def is_result(ty: Type) -> bool:
    return isinstance(ty, Sum) and [name for name, _ in ty.variants] == ["ok", "err"]


def is_enum(ty: Type) -> bool:
    return isinstance(ty, Sum) and bool(ty.variants) and all(p == UNIT for _, p in ty.variants)


class Classes:
    """The classes of a module, and the way between models and Python's values."""

    def __init__(self, types: Sequence[Type]) -> None:
        self.types = types
        self.module = Module(bytes(Described(types)))
        self.products: dict[int, Any] = {}
        self.variants: dict[tuple[int, int], Any] = {}
        self.enums: dict[int, Any] = {}
        for index, ty in enumerate(types):
            if isinstance(ty, Product):
                fields = [name for name, _ in ty.fields]
                self.products[index] = product(self.module, index)(declare(f"T{index}", fields))
            elif is_enum(ty):
                self._declare_enum(index, ty)
            elif isinstance(ty, Sum):
                self._declare_variants(index, ty)

    def _declare_enum(self, index: int, ty: Type) -> None:
        assert isinstance(ty, Sum)
        members = [(name, tag) for tag, (name, _) in enumerate(ty.variants)]
        declared: Any = enum.Enum(f"T{index}", members)  # type: ignore[misc]
        self.enums[index] = plain_enum(self.module, index)(declared)

    def _declare_variants(self, index: int, ty: Sum) -> None:
        for tag, (name, payload) in enumerate(ty.variants):
            declared = declare(f"T{index}{name}", [] if payload == UNIT else ["value"])
            self.variants[index, tag] = variant(self.module, index, tag)(declared)

    def make(self, ty: Type, model: Any) -> Any:
        """The Python value of a model."""
        if isinstance(ty, Ref):
            return self._make_named(ty.index, model)
        if isinstance(ty, Scalar):
            return float_of(ty.name, model) if isinstance(model, Bits) else model
        if isinstance(ty, Array):
            return (
                model if ty.element == Scalar("u8") else [self.make(ty.element, m) for m in model]
            )
        if isinstance(ty, Product):
            return marked_value(ty, model) if is_marked(ty) else None
        return self._make_special(ty, model)

    def _make_named(self, index: int, model: Any) -> Any:
        ty = self.types[index]
        if isinstance(ty, Product):
            pairs = zip(ty.fields, model, strict=True)
            return self.products[index](*[self.make(field, value) for (_, field), value in pairs])
        assert isinstance(ty, Sum)
        if index in self.enums:
            return self.enums[index](model.tag)
        payload = ty.variants[model.tag][1]
        values = [] if payload == UNIT else [self.make(payload, model.payload)]
        return self.variants[index, model.tag](*values)

    def _make_special(self, ty: Sum, model: Case) -> Any:
        inner = ty.variants[model.tag][1]
        if is_option(ty):
            if model.tag == 1:
                return None
            value = self.make(inner, model.payload)
            return Some(value) if inner == UNIT or is_option(inner) else value
        value = self.make(inner, model.payload)
        if is_result(ty):
            return Err(value) if model.tag else Ok(value)
        return value

    def read(self, ty: Type, value: Any) -> Any:
        """The model of a Python value, read through its fields."""
        if isinstance(ty, Ref):
            return self._read_named(ty.index, value)
        if isinstance(ty, Scalar):
            return bits_of(ty.name, value) if isinstance(value, float) else value
        if isinstance(ty, Array):
            return (
                value if ty.element == Scalar("u8") else [self.read(ty.element, v) for v in value]
            )
        if isinstance(ty, Product):
            return marked_number(value) if is_marked(ty) else ()
        return self._read_special(ty, value)

    def _read_named(self, index: int, value: Any) -> Any:
        ty = self.types[index]
        if isinstance(ty, Product):
            assert type(value) is self.products[index]
            return tuple(self.read(field, getattr(value, name)) for name, field in ty.fields)
        assert isinstance(ty, Sum)
        if index in self.enums:
            return Case(value.value)
        [tag] = [t for (i, t), cls in self.variants.items() if i == index and type(value) is cls]
        payload = ty.variants[tag][1]
        return Case(tag) if payload == UNIT else Case(tag, self.read(payload, value.value))

    def _read_special(self, ty: Sum, value: Any) -> Case:
        if is_option(ty):
            inner = ty.variants[0][1]
            if value is None:
                return Case(1)
            is_wrapped = inner == UNIT or is_option(inner)
            return Case(0, self.read(inner, value.value if is_wrapped else value))
        if is_result(ty):
            tag = [Ok, Err].index(type(value))
            return Case(tag, self.read(ty.variants[tag][1], value.value))
        assert ty == SCHEDULE_AT
        return Case([TimeDuration, Timestamp].index(type(value)), value.micros)


def declare(name: str, fields: Sequence[str]) -> Any:
    namespace = {"__annotations__": dict.fromkeys(fields, "object"), "__module__": __name__}
    return type(name, (), namespace)


def marked_value(ty: Product, number: int) -> Any:
    marker = ty.fields[0][0]
    if marker == "__identity__":
        return Identity(f"{number:064x}")
    if marker == "__connection_id__":
        return ConnectionId(f"{number:032x}")
    if marker == "__uuid__":
        return UUID(int=number)
    return TimeDuration(number) if "duration" in marker else Timestamp(number)


def marked_number(value: Any) -> int:
    number = value.micros if isinstance(value, TimeDuration | Timestamp) else int(value)
    assert isinstance(number, int)
    return number


def float_of(name: str, model: Bits) -> float:
    """By the bits: the processor may quiet a NaN of 32 bits when it widens it."""
    bits = model.bits
    if name == "f32":
        narrow: float = struct.unpack("<f", struct.pack("<I", bits))[0]
        if not math.isnan(narrow):
            return narrow
        bits = (bits >> 31) << 63 | 0x7FF << 52 | (bits & 0x7FFFFF) << 29
    wide: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return wide


def bits_of(name: str, value: float) -> Bits:
    wide: int = struct.unpack("<Q", struct.pack("<d", value))[0]
    if name == "f64":
        return Bits(wide)
    if math.isnan(value):
        return Bits((wide >> 63) << 31 | 0xFF << 23 | (wide >> 29) & 0x7FFFFF)
    narrow: int = struct.unpack("<I", struct.pack("<f", value))[0]
    return Bits(narrow)
