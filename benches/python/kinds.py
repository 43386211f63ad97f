"""What is encoded and decoded: a value of each type, large ones, rows as programs have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from examples.chat.module_bindings import Message, User
from spacetime_py import ConnectionId, Some, TimeDuration, Timestamp
from spacetime_py.bindings import Module, product
from tests.border.describe import (
    SCHEDULE_AT,
    UNIT,
    Array,
    Described,
    Scalar,
    Type,
    marked,
    option,
    sum_type,
)
from tests.border.describe import product as product_type
from tests.codegen.golden import schema_1_2_0_version9 as all_types

from .rows import identity, moment, text

_U8, _I32, _STRING = Scalar("u8"), Scalar("i32"), Scalar("string")


@dataclass(frozen=True)
class Sample:
    """A type of SpacetimeDB, and a value of it."""

    type: Type
    value: Any


# A name here is the name of a benchmark: it stays.
BY_TYPE: Mapping[str, Sample] = {
    "bool": Sample(Scalar("bool"), True),
    "u8": Sample(_U8, 200),
    "u16": Sample(Scalar("u16"), 60_000),
    "u32": Sample(Scalar("u32"), 4_000_000_000),
    "u64": Sample(Scalar("u64"), 1 << 63),
    "u128": Sample(Scalar("u128"), 1 << 127),
    "u256": Sample(Scalar("u256"), 1 << 255),
    "i8": Sample(Scalar("i8"), -100),
    "i16": Sample(Scalar("i16"), -30_000),
    "i32": Sample(_I32, -2_000_000_000),
    "i64": Sample(Scalar("i64"), -(1 << 62)),
    "i128": Sample(Scalar("i128"), -(1 << 126)),
    "i256": Sample(Scalar("i256"), -(1 << 254)),
    "f32": Sample(Scalar("f32"), 0.5),
    "f64": Sample(Scalar("f64"), 1 / 3),
    "string": Sample(_STRING, "a text of forty characters, as in a chat"),
    "bytes": Sample(Array(_U8), bytes(range(40))),
    "identity": Sample(marked("Identity"), identity(7)),
    "connection_id": Sample(marked("ConnectionId"), ConnectionId.from_bytes(bytes(range(16)))),
    "timestamp": Sample(marked("Timestamp"), Timestamp(1_795_000_000_000_000)),
    "time_duration": Sample(marked("TimeDuration"), TimeDuration(1_500_000)),
    "uuid": Sample(marked("Uuid"), UUID(int=1 << 100)),
    "schedule_at": Sample(SCHEDULE_AT, TimeDuration(1_500_000)),
    "option": Sample(option(_I32), 7),
    "option_of_option": Sample(option(option(_I32)), Some(7)),
    "plain_sum": Sample(sum_type(some=_STRING, none=UNIT), "a text"),
    "array_of_i32": Sample(Array(_I32), list(range(10))),
    "array_of_strings": Sample(Array(_STRING), [text(number) for number in range(10)]),
    "array_of_arrays": Sample(Array(Array(_I32)), [[1, 2, 3], [], [4]]),
}

# Of the smallest, objects are just below what glibc keeps for the next one of their size: a bit
# more, and instructions depend on what the rest of the process has done to the heap.
LARGE: Mapping[str, Sample] = {
    f"{kind}_{name}": sample
    for name, size in (("960B", 960), ("64KiB", 1 << 16), ("1MiB", 1 << 20))
    for kind, sample in (
        ("string", Sample(_STRING, "x" * size)),
        ("wide_string", Sample(_STRING, "\N{SNOWMAN}" * (size // 3))),
        ("bytes", Sample(Array(_U8), b"x" * size)),
        ("array_of_i32", Sample(Array(_I32), list(range(size // 4)))),
        ("array_of_strings", Sample(Array(_STRING), ["x" * 60] * (size // 64))),
    )
}


def _classes(samples: Mapping[str, Sample]) -> dict[str, type[Any]]:
    """A row class with one field for each: generated code has no class for a bare value."""
    rows = [product_type(value=sample.type) for sample in samples.values()]
    module = Module(bytes(Described(rows)))
    return {
        name: product(module, number)(type(name, (), {"__annotations__": {"value": object}}))
        for number, name in enumerate(samples)
    }


SAMPLES: Mapping[str, Sample] = {**BY_TYPE, **LARGE}
CLASSES = _classes(SAMPLES)

KINDS = ("point", "dot", "user", "message", "item", "scalars", "complex")


def row(kind: str) -> tuple[Any, dict[str, Any]]:
    """A generated class, and the arguments that make a row of it."""
    return _ROWS[kind]


_POINT = all_types.Point(x=1, y=2)
_ROWS: Mapping[str, tuple[Any, dict[str, Any]]] = {
    "point": (all_types.Point, {"x": -5, "y": 70_000}),
    "dot": (all_types.Dot, {"id": 7, "x": 0.5, "y": -7.25}),
    "user": (User, {"identity": identity(7), "name": "Ann of the Green", "online": True}),
    "message": (Message, {"sender": identity(7), "sent": moment(1), "text": text(1)}),
    "item": (
        all_types.Item,
        {"id": 7, "code": "A-7", "owner": identity(7), "kind": 3, "level": -5, "note": None},
    ),
    "scalars": (
        all_types.Scalars,
        {
            "id": 42,
            "v_bool": True,
            **{f"v_u{bits}": 1 << bits - 1 for bits in (8, 16, 32, 64, 128, 256)},
            **{f"v_i{bits}": -1 << bits - 2 for bits in (8, 16, 32, 64, 128, 256)},
            "v_f32": 0.5,
            "v_f64": 1 / 3,
            "v_text": text(1),
            "v_bytes": bytes(range(40)),
            "v_identity": identity(7),
            "v_conn": ConnectionId.from_bytes(bytes(range(16))),
            "v_time": moment(1),
            "v_span": TimeDuration(5),
            "v_when": TimeDuration(5),
        },
    ),
    "complex": (
        all_types.Containers,
        {
            "id": 42,
            "o_num": 7,
            "o_text": "some text",
            "o_point": _POINT,
            "o_nested": Some(True),
            "o_identity": identity(9),
            "l_num": list(range(10)),
            "l_text": [text(number) for number in range(5)],
            "l_point": [_POINT] * 5,
            "l_opt": [1, None, 3],
            "l_list": [[1, 2], [], [3]],
            "l_color": [all_types.Color.RED, all_types.Color.GREEN],
            "l_shape": [
                all_types.ShapeNothing(),
                all_types.ShapeText("x"),
                all_types.ShapeSpot(_POINT),
            ],
            "line": all_types.Line(from_point=_POINT, to_point=_POINT, label="a line"),
            "color": all_types.Color.DARK_BLUE,
            "shape": all_types.ShapePath([_POINT, _POINT]),
            "empty": all_types.Empty(),
        },
    ),
}
