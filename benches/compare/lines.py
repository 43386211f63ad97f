"""What is compared, and the goals: the one place for both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Sides = Literal["both", "python"]


@dataclass(frozen=True)
class Goal:
    """A limit for the ratio to TypeScript, or for the number itself."""

    limit: float
    is_ratio: bool = True
    is_least: bool = True
    """At least, else at most."""

    def __str__(self) -> str:
        sign = ">=" if self.is_least else "<="
        return f"{sign} {self.limit:,g}{'x' if self.is_ratio else ''}"

    def is_met_by(self, value: float) -> bool:
        return value >= self.limit if self.is_least else value <= self.limit


@dataclass(frozen=True)
class Line:
    """One line of the table: a scenario with options, and one of the things that it measures."""

    name: str
    scenario: str
    options: Mapping[str, Any]
    unit: str
    goal: Goal | None = None
    metric: str = "rate"
    """A rate, which is told by CPU second and by the wall, or a value."""
    sides: Sides = "both"
    rounds: int | None = None
    """At most so many, where one takes long."""
    note: str = ""
    data: tuple[str, ...] = field(default=())
    """Options that name data files."""

    @property
    def is_rate(self) -> bool:
        return self.metric.startswith("rate")


def at_least(ratio: float) -> Goal:
    return Goal(ratio)


def at_most(ratio: float) -> Goal:
    return Goal(ratio, is_least=False)


def all_lines(is_quick: bool = False) -> list[Line]:
    """Every line; `is_quick` makes each as small as it can be and still run."""
    sizes = _Sizes(10, 10, 10) if is_quick else _Sizes(1_000, 1_000_000, 20_000)
    return [
        *_decoding(sizes),
        *_encoding(sizes),
        *_subscribing(sizes),
        *_transactions(sizes),
    ]


@dataclass(frozen=True)
class _Sizes:
    batch: int
    most_rows: int
    changed: int

    def rows(self, count: int) -> int:
        return min(count, self.most_rows)


_FIELDS = {"made": "made", "one": "one field", "all": "every field"}
_DECODE_GOALS = {
    ("message", "one"): 5.0,
    ("message", "all"): 3.0,
    ("user", "one"): 5.0,
    ("user", "all"): 3.0,
    ("complex", "one"): 3.0,
    ("complex", "all"): 1.2,
    ("point", "made"): 1.0,
    ("point", "all"): 0.4,
}
_BLOBS = {"1 KB": 1 << 10, "64 KB": 1 << 16, "1 MB": 1 << 20}


def _codec(name: str, scenario: str, goal: float, unit: str = "rows", **options: Any) -> Line:
    return Line(name, scenario, options, unit, at_least(goal), data=("data",))


def _decoding(sizes: _Sizes) -> Iterator[Line]:
    for (kind, fields), goal in _DECODE_GOALS.items():
        name = f"decode {kind}, batch, {_FIELDS[fields]}"
        data = f"rows.{kind}.{sizes.batch}"
        yield _codec(name, "decode", goal, kind=kind, fields=fields, mode="batch", data=data)
    data = f"rows.point.{sizes.batch}"
    yield _codec(
        "decode point, batch, as an array",
        "decode",
        5,
        kind="point",
        fields="all",
        mode="array",
        data=data,
    )
    for kind in ("point", "user", "message", "complex"):
        name, data = f"decode {kind}, each, every field", f"rows.{kind}.{sizes.batch}"
        yield _codec(name, "decode", 0.9, kind=kind, fields="all", mode="each", data=data)
    for name, size in _BLOBS.items():
        data = f"rows.blob.{min(size, sizes.most_rows)}"
        yield _codec(
            f"decode blob of {name}",
            "decode",
            0.9,
            "blobs",
            kind="blob",
            fields="all",
            mode="each",
            data=data,
        )
    data = f"rows.point.{sizes.rows(10_000)}"
    yield _codec(
        "decode array of 10,000 points",
        "decode",
        0.9,
        "arrays",
        kind="point",
        fields="made",
        mode="batch",
        data=data,
        work=1,
    )


def _encoding(sizes: _Sizes) -> Iterator[Line]:
    for kind, goal in (("message", 5.0), ("complex", 5.0), ("user", 0.9), ("point", 0.9)):
        name, data = f"encode {kind}, reducer arguments", f"rows.{kind}.{sizes.batch}"
        yield _codec(name, "encode", goal, kind=kind, mode="args", data=data)
    for mode in ("batch", "each"):
        for kind in ("point", "user", "message", "complex"):
            name, data = f"encode {kind}, {mode}", f"rows.{kind}.{sizes.batch}"
            yield _codec(name, "encode", 0.9, kind=kind, mode=mode, data=data)
    for name, size in _BLOBS.items():
        data = f"rows.blob.{min(size, sizes.most_rows)}"
        yield _codec(
            f"encode blob of {name}", "encode", 0.9, "blobs", kind="blob", mode="each", data=data
        )
    data = f"rows.point.{sizes.rows(10_000)}"
    yield _codec(
        "encode array of 10,000 points",
        "encode",
        0.9,
        "arrays",
        kind="point",
        mode="batch",
        data=data,
        work=1,
    )


def _subscribing(sizes: _Sizes) -> Iterator[Line]:
    for count in (1_000, 100_000, 1_000_000):
        for callback, goal in ((False, 15), (True, 5)):
            rows = sizes.rows(count)
            told = "on_insert reads 4 fields" if callback else "no callback"
            options = {"rows": rows, "callback": callback, "data": f"applied.{rows}"}
            name = f"first subscription of {count:,} rows, {told}"
            yield Line(name, "subscribe", options, "rows", at_least(goal), data=("data",))


def _transactions(sizes: _Sizes) -> Iterator[Line]:
    cached = sizes.rows(10_000)
    for size, goal in ((1, 8), (10, 4), (1000, 4)):
        name = f"transactions of {size:,}"
        size = min(size, sizes.changed // 2)
        count = sizes.changed // size
        options = {
            "size": size,
            "data": f"applied.{cached}",
            "there": f"inserts.{cached}.{count}.{size}",
            "back": f"delete.{cached}.{count * size}",
        }
        files = ("data", "there", "back")
        yield Line(
            f"{name} inserts, on_insert reads 4 fields",
            "transactions",
            options,
            "rows",
            at_least(goal),
            data=files,
        )
        count = cached // size
        changes = {
            "there": f"changes.{count}.{size}",
            "back": f"changes_back.{count}.{size}",
        }
        yield Line(
            f"{name} updates, on_update reads 5 fields",
            "transactions",
            {**options, **changes},
            "rows",
            at_least(goal),
            data=files,
        )
