"""What commands print for people."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, cast

import click

from .._core import ConnectionId, Identity, TimeDuration, Timestamp
from ..http import Variant
from ..sums import Err, Ok, Some

NAME = "spacetime-py"


def complain(message: str) -> None:
    """What is wrong, in one line on standard error."""
    line = " ".join(message.split())
    click.echo(f"{click.style(NAME, fg='red', bold=True)}: {line}", file=sys.stderr)


@contextmanager
def working(what: str) -> Generator[None, None, None]:
    """Say what takes a while, as long as it does and if somebody sits before a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    click.secho(f"{what} ...", dim=True, nl=False, err=True)
    try:
        yield
    finally:
        click.echo("\r\033[K", nl=False, err=True)


def print_json(value: Any) -> None:
    """Special types as their text, bytes in hex."""
    click.echo(json.dumps(_plain(value), ensure_ascii=False))


def _plain(value: Any) -> Any:
    if isinstance(value, Variant):
        return {value.name: _plain(value.value)}
    if isinstance(value, Some | Ok | Err):
        return _boxed(cast("Any", value))
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in _items(value)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in _each(value)]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Timestamp | TimeDuration):
        return value.micros
    if isinstance(value, Identity | ConnectionId):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    return value


def _boxed(box: Any) -> dict[str, Any]:
    return {type(box).__name__.lower(): _plain(box.value)}


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    pairs: Iterable[tuple[Any, Any]] = value.items()
    return pairs


def _each(value: Any) -> Iterable[Any]:
    each: Iterable[Any] = value
    return each


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Columns as wide as what is in them; numbers to the right."""
    lines = list(rows)
    cells = [[cell(value) for value in row] for row in lines]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(columns)]
    numeric = [
        bool(lines) and all(isinstance(row[i], int | float) for row in lines)
        for i in range(len(columns))
    ]
    click.echo(click.style(_line(columns, widths, [False] * len(columns)), bold=True))
    click.echo("  ".join("-" * width for width in widths))
    for row in cells:
        click.echo(_line(row, widths, numeric))


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = [
        text.rjust(width) if is_right else text.ljust(width)
        for text, width, is_right in zip(cells, widths, right, strict=True)
    ]
    return "  ".join(parts).rstrip()


def cell(value: Any) -> str:
    """A value in a table."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value if value.isprintable() else json.dumps(value, ensure_ascii=False)[1:-1]
    if isinstance(value, Timestamp):
        return value.to_datetime().isoformat(sep=" ")
    if isinstance(value, Identity | ConnectionId | int | float):
        return str(value)
    return json.dumps(_plain(value), ensure_ascii=False)
