"""`docs/topics/observing.md` is true: names of loggers, numbers and metrics are those there are."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from spacetime_py import CallStats, ConnectionStats, StreamStats, TableStats, Timing, logs, otel

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/topics/observing.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    lines = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def names_in(text: str) -> set[str]:
    return set(re.findall(r"`([\w.]+)`", text))


def test_loggers() -> None:
    loggers = {name for row in table("Log") for name in names_in(row[0])}
    assert loggers == {one.name for one in vars(logs).values() if hasattr(one, "getEffectiveLevel")}


def test_nothing_else_logs() -> None:
    """All loggers of the client are in one file; what runs in a database has the database's."""
    package = ROOT / "python/spacetime_py"
    files = [
        file
        for file in package.rglob("*.py")
        if 'getLogger("spacetime_py' in file.read_text("utf-8")
    ]
    files = [file for file in files if not file.is_relative_to(package / "server")]
    assert files == [package / "logs.py"]


def test_levels() -> None:
    assert {row[1] for row in table("Log")} == {"DEBUG", "INFO", "WARNING", "ERROR"}


def test_numbers() -> None:
    there = {field.name for field in fields(ConnectionStats)} | {"cached_rows", "cached_bytes"}
    assert {name for row in table("Numbers") for name in names_in(row[0])} == there
    parts = [field for kind in (CallStats, TableStats, StreamStats) for field in fields(kind)]
    below = PAGE.partition("\n## Numbers\n")[2].partition("\n## ")[0]
    assert {field.name for field in [*parts, *fields(Timing)]} <= names_in(below)


def test_metrics_and_spans() -> None:
    metrics = set(re.findall(r"^\| `(spacetimedb\.client\.[\w.]+)`", PAGE, re.M))
    known = {**otel._COUNTED, **otel._MEASURED}
    assert metrics == {f"spacetimedb.client.{name}" for name in known}
    for name, unit in known.items():
        assert f"| `spacetimedb.client.{name}` | {unit} |" in PAGE
    assert {row[1].strip("`") for row in table("OpenTelemetry")[:5]} == {*otel._OPERATIONS.values()}
