"""Rows that real servers sent, through generated classes: each value is what the truth says."""

from __future__ import annotations

import enum
import gzip
import json
import math
import struct
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from spacetime_py import (
    ConnectionId,
    Err,
    Identity,
    Ok,
    Some,
    TimeDuration,
    Timestamp,
    from_bsatn,
    to_bsatn,
)

from .packages import GOLDEN, load_package

RECORDINGS = Path(__file__).parent.parent / "recordings"
SERVERS = {"1.2.0": "schema_1_2_0_version9", "2.8.3": "schema_2_8_3_version10"}


def tables(server: str, scenario: str) -> dict[str, Any]:
    path = RECORDINGS / f"v1-{server}" / f"{scenario}.truth.json.gz"
    connections = json.loads(gzip.decompress(path.read_bytes()))["client_cache_at_end"]
    return {table: truth for tables in connections.values() for table, truth in tables.items()}


def check(value: Any, truth: Any) -> None:
    """Compare with the recordings' form of a decoded value (tests/recordings/README.md)."""
    if isinstance(value, float):
        check_float(value, truth)
    elif isinstance(value, bool | str) or value is None:
        assert truth == ({"none": {}} if value is None else value)
    elif isinstance(value, int):
        assert value == int(truth)
    elif isinstance(value, bytes):
        assert truth == {"bytes": value.hex()}
    elif isinstance(value, list):
        assert len(value) == len(truth)
        for item, expected in zip(value, truth, strict=True):
            check_element(item, expected)
    elif isinstance(value, Identity | ConnectionId | UUID | Timestamp | TimeDuration):
        check_special(value, truth)
    elif isinstance(value, Ok | Err):
        check_element(value.value, truth[type(value).__name__.lower()])
    elif isinstance(value, Some):
        check_element(value.value, truth["some"])
    elif isinstance(value, enum.Enum):
        assert truth == {next(iter(truth)): {}}
        assert value.name.replace("_", "") == next(iter(truth)).upper()
    else:
        check_class(value, truth)


def check_element(value: Any, truth: Any) -> None:
    """Options that hold something are the bare value in Python."""
    is_option = isinstance(truth, dict) and set(truth) == {"some"} and not isinstance(value, Some)
    check(value, truth["some"] if is_option else truth)


def check_float(value: float, truth: dict[str, str]) -> None:
    bits = bytes.fromhex(truth["bits"])
    (expected,) = struct.unpack(">f" if "f32" in truth else ">d", bits)
    assert math.copysign(1, value) == math.copysign(1, expected)
    assert value == expected or (math.isnan(value) and math.isnan(expected))


def check_special(value: Any, truth: dict[str, Any]) -> None:
    if set(truth) == {"Interval"} or set(truth) == {"Time"}:
        assert isinstance(value, TimeDuration if "Interval" in truth else Timestamp)
        (truth,) = truth.values()
    number = {UUID: "int", Timestamp: "micros", TimeDuration: "micros"}.get(type(value))
    (expected,) = truth.values()
    assert (int(value) if number is None else getattr(value, number)) == int(expected)


def check_class(value: Any, truth: dict[str, Any]) -> None:
    fields = type(value).__match_args__
    if len(truth) == 1 and set(truth) != set(fields):  # a variant
        ((name, payload),) = truth.items()
        assert type(value).__name__.lower().endswith(name.lower())
        if not fields:
            assert payload == {}
        else:
            check_element(value.value, payload)
        return
    assert set(truth) == set(fields)
    for field in fields:
        check_element(getattr(value, field), truth[field])


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("scenario", ["all_types_roundtrip", "subscribe_all_tables"])
def test_rows_of_real_servers(server: str, scenario: str) -> None:
    package = load_package(GOLDEN / SERVERS[server])
    checked = 0
    for table, truth in tables(server, scenario).items():
        row_class = getattr(package, table.capitalize())
        for data, values in zip(truth["bsatn"], truth["values"], strict=True):
            row = from_bsatn(row_class, bytes.fromhex(data))
            check(row, values)
            rebuilt = row_class(*(getattr(row, field) for field in row_class.__match_args__))
            assert to_bsatn(rebuilt).hex() == data
            checked += 1
    assert checked >= 3
