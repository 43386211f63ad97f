"""Rows to bytes and back."""

from __future__ import annotations

from collections.abc import Iterator

from ..line import Line, at_least
from .sizes import Sizes

KINDS = ("point", "user", "message", "complex")
FIELDS = {"made": "made", "one": "one field", "all": "every field"}
BATCH_GOALS = {
    ("message", "one"): 5.0,
    ("message", "all"): 3.0,
    ("user", "one"): 5.0,
    ("user", "all"): 3.0,
    ("complex", "one"): 3.0,
    ("complex", "all"): 1.2,
    ("point", "made"): 1.0,
    ("point", "all"): 0.4,
}
ARGUMENT_GOALS = {"message": 5.0, "complex": 5.0, "user": 0.9, "point": 0.9}
BLOBS = {"1 KB": 1 << 10, "64 KB": 1 << 16, "1 MB": 1 << 20}


def lines(sizes: Sizes) -> Iterator[Line]:
    yield from _decoding(sizes)
    yield from _encoding(sizes)


def _line(name: str, scenario: str, goal: float, data: str, unit: str, **options: object) -> Line:
    options |= {"data": data}
    return Line(name, scenario, options, unit, at_least(goal), data=(data,))


def _decoding(sizes: Sizes) -> Iterator[Line]:
    def line(name: str, goal: float, data: str, unit: str = "rows/s", **options: object) -> Line:
        return _line(f"decode {name}", "decode", goal, data, unit, **options)

    for (kind, fields), goal in BATCH_GOALS.items():
        data, name = f"rows.{kind}.{sizes.batch}", f"{kind}, batch, {FIELDS[fields]}"
        yield line(name, goal, data, kind=kind, fields=fields, mode="batch")
    data = f"rows.point.{sizes.batch}"
    yield line("point, batch, as an array", 5, data, kind="point", fields="all", mode="array")
    for kind in KINDS:
        data = f"rows.{kind}.{sizes.batch}"
        yield line(f"{kind}, each, every field", 0.9, data, kind=kind, fields="all", mode="each")
    for name, size in BLOBS.items():
        data = f"rows.blob.{sizes.of(size)}"
        yield line(f"blob of {name}", 0.9, data, "blobs/s", kind="blob", fields="all", mode="each")
    data, made = f"rows.point.{sizes.of(10_000)}", {"fields": "made", "mode": "batch", "work": 1}
    yield line("array of 10,000 points", 0.9, data, "arrays/s", kind="point", **made)


def _encoding(sizes: Sizes) -> Iterator[Line]:
    def line(name: str, goal: float, data: str, unit: str = "rows/s", **options: object) -> Line:
        return _line(f"encode {name}", "encode", goal, data, unit, **options)

    for kind, goal in ARGUMENT_GOALS.items():
        data = f"rows.{kind}.{sizes.batch}"
        yield line(f"{kind}, reducer arguments", goal, data, kind=kind, mode="args")
    for mode in ("batch", "each"):
        for kind in KINDS:
            yield line(f"{kind}, {mode}", 0.9, f"rows.{kind}.{sizes.batch}", kind=kind, mode=mode)
    for name, size in BLOBS.items():
        data = f"rows.blob.{sizes.of(size)}"
        yield line(f"blob of {name}", 0.9, data, "blobs/s", kind="blob", mode="each")
    data = f"rows.point.{sizes.of(10_000)}"
    yield line("array of 10,000 points", 0.9, data, "arrays/s", kind="point", mode="batch", work=1)
