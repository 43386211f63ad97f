"""Types of SpacetimeDB, and module descriptions (RawModuleDef, version 10) written by hand.

Written from the protocol's description, not from the generator, so that the two check each other.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

# By tag, from 4 on.
SCALARS = ["string", "bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"]
SCALARS += ["i128", "u128", "i256", "u256", "f32", "f64"]
MARKED = {
    "Identity": ("__identity__", "u256"),
    "ConnectionId": ("__connection_id__", "u128"),
    "Timestamp": ("__timestamp_micros_since_unix_epoch__", "i64"),
    "TimeDuration": ("__time_duration_micros__", "i64"),
    "Uuid": ("__uuid__", "u128"),
}


@dataclass(frozen=True)
class Scalar:
    name: str


@dataclass(frozen=True)
class Array:
    element: Type


@dataclass(frozen=True)
class Ref:
    index: int


@dataclass(frozen=True)
class Product:
    fields: tuple[tuple[str, Type], ...]


@dataclass(frozen=True)
class Sum:
    variants: tuple[tuple[str, Type], ...]


Type: TypeAlias = "Scalar | Array | Ref | Product | Sum"

UNIT = Product(())


def product(**fields: Type) -> Product:
    return Product(tuple(fields.items()))


def sum_type(**variants: Type) -> Sum:
    return Sum(tuple(variants.items()))


def option(some: Type) -> Sum:
    return sum_type(some=some, none=UNIT)


def result(ok: Type, err: Type) -> Sum:
    return sum_type(ok=ok, err=err)


def marked(name: str) -> Product:
    marker, scalar = MARKED[name]
    return Product(((marker, Scalar(scalar)),))


SCHEDULE_AT = sum_type(Interval=marked("TimeDuration"), Time=marked("Timestamp"))


@dataclass(frozen=True)
class Function:
    name: str
    params: Product
    returns: Type = UNIT


@dataclass(frozen=True)
class Table:
    name: str
    row: int
    primary_key: int | None = None
    unique: tuple[int, ...] = ()
    is_event: bool = False


@dataclass(frozen=True)
class Described:
    """What a module has; types by their place in the typespace."""

    types: Sequence[Type]
    tables: Sequence[Table] = ()
    reducers: Sequence[Function] = ()
    procedures: Sequence[Function] = ()
    views: Sequence[Table] = field(default=())

    def __bytes__(self) -> bytes:
        names = [array([]) + text(f"T{i}") + u32(i) + b"\0" for i in range(len(self.types))]
        keys = [
            text(view.name) + array([text(self._column(view))])
            for view in self.views
            if view.primary_key is not None
        ]
        sections = [
            (0, [write_type(ty) for ty in self.types]),
            (1, names),
            (2, [_table(table) for table in self.tables]),
            (3, [_reducer(reducer) for reducer in self.reducers]),
            (4, [_procedure(procedure) for procedure in self.procedures]),
            (5, [_view(view) for view in self.views]),
            (13, keys),
        ]
        return b"\2" + array([bytes([tag]) + array(items) for tag, items in sections])

    def _column(self, view: Table) -> str:
        row = self.types[view.row]
        assert isinstance(row, Product)
        assert view.primary_key is not None
        return row.fields[view.primary_key][0]


def u32(number: int) -> bytes:
    return struct.pack("<I", number)


def text(value: str) -> bytes:
    return u32(len(value.encode())) + value.encode()


def array(items: Sequence[bytes]) -> bytes:
    return u32(len(items)) + b"".join(items)


def write_type(ty: Type) -> bytes:
    if isinstance(ty, Ref):
        return b"\0" + u32(ty.index)
    if isinstance(ty, Sum):
        return b"\1" + _elements(ty.variants)
    if isinstance(ty, Product):
        return b"\2" + _elements(ty.fields)
    if isinstance(ty, Array):
        return b"\3" + write_type(ty.element)
    return bytes([4 + SCALARS.index(ty.name)])


def _elements(elements: tuple[tuple[str, Type], ...]) -> bytes:
    return array([b"\0" + text(name) + write_type(ty) for name, ty in elements])


def _columns(columns: Sequence[int]) -> bytes:
    return array([struct.pack("<H", column) for column in columns])


def _table(table: Table) -> bytes:
    key = [] if table.primary_key is None else [table.primary_key]
    constraints = array([b"\1\0" + _columns([column]) for column in table.unique])
    kind_and_access = b"\1\0"
    indexes, sequences, defaults = array([]), array([]), array([])
    head = text(table.name) + u32(table.row) + _columns(key) + indexes + constraints
    return head + sequences + kind_and_access + defaults + bytes([table.is_event])


def _reducer(function: Function) -> bytes:
    params = _elements(function.params.fields)
    return text(function.name) + params + b"\1" + write_type(UNIT) + write_type(Scalar("string"))


def _procedure(function: Function) -> bytes:
    params = _elements(function.params.fields)
    return text(function.name) + params + write_type(function.returns) + b"\1"


def _view(view: Table) -> bytes:
    return text(view.name) + u32(0) + b"\1\0" + array([]) + write_type(Array(Ref(view.row)))
