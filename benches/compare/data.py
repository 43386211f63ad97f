"""The files that a run needs, by names that say what is in them. Made once, in one folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from spacetime_py import cli
from spacetime_py._core import describe

from . import frames
from .rows import KINDS, complex_row, message, user
from .schema import bench_schema


def make(folder: Path, name: str) -> None:
    """One of these, when it is not there yet:

    `rows.KIND.COUNT`, `rows.blob.BYTES`; `applied.COUNT` and `applied.COUNT.TABLES`, the answer to
    a first subscription to `message` and to as many tables; `applied_indexed.COUNT`, one to
    `message`, `user` and `complex`, with two rows for each owner; `inserts.FIRST.COUNT.SIZE` and
    `delete.FIRST.COUNT`, transactions; `changes.COUNT.SIZE` and `changes_back.COUNT.SIZE`, which
    change rows and change them back; `updates.ROWS.COUNT.SIZE`, of random rows.
    """
    path = folder / name
    if path.exists():
        return
    partial = path.with_suffix(".partial")
    frames.write(partial, _bodies(name))
    partial.rename(path)


def make_bindings(folder: Path, name: str, more_tables: int = 0) -> None:
    """The schema as `NAME.json` and `NAME.bsatn`, and our generated package of it as `NAME`."""
    schema = folder / f"{name}.json"
    if not schema.exists():
        schema.write_text(json.dumps(bench_schema(more_tables)))
        (folder / f"{name}.bsatn").write_bytes(describe(schema.read_text()))
        code = cli.main(["generate", "--schema", str(schema), "--out", str(folder / name)])
        assert code == 0, "the bindings could not be generated"


def _bodies(name: str) -> Iterable[bytes]:
    what, *rest = name.split(".")
    if what == "rows":
        return _rows(rest[0], int(rest[1]))
    numbers = [int(text) for text in rest]
    if what == "applied" and len(numbers) == 1:
        return [frames.applied("message", [message(number) for number in range(numbers[0])])]
    if what == "applied":
        return [_applied_to_tables(*numbers)]
    if what == "applied_indexed":
        return [_applied_indexed(*numbers)]
    if what == "inserts":
        first, count, size = numbers
        return frames.inserts("message", first, count, size)
    if what == "delete":
        first, count = numbers
        rows = [message(number) for number in range(first, first + count)]
        return [frames.update("message", rows, [])]
    if what in ("changes", "changes_back"):
        return _changes(numbers[0], numbers[1], is_back=what == "changes_back")
    assert what == "updates", f"no data is named {name}"
    return frames.random_updates(*numbers)


def _rows(kind: str, count: int) -> Iterable[bytes]:
    if kind == "blob":
        data = bytes(number % 251 for number in range(count))
        row = len(data).to_bytes(4, "little") + data
        return [row] * max(1, min(1000, (4 << 20) // count))
    return map(KINDS[kind], range(count))


def _applied_to_tables(count: int, tables: int) -> bytes:
    names = [f"message_{number}" for number in range(1, tables + 1)]
    share = count // tables
    rows = [[message(number) for number in range(share)]] * tables
    return frames.applied_to_all(names, rows)


def _applied_indexed(count: int) -> bytes:
    numbers = range(count)
    rows = [
        list(map(message, numbers)),
        list(map(user, numbers)),
        [complex_row(number, owner=number // 2) for number in numbers],
    ]
    return frames.applied_to_all(["message", "user", "complex"], rows)


def _changes(count: int, size: int, is_back: bool) -> Iterable[bytes]:
    old, new = (1, 0) if is_back else (0, 1)
    for start in range(0, count * size, size):
        numbers = range(start, start + size)
        yield frames.update(
            "message",
            [message(number, old) for number in numbers],
            [message(number, new) for number in numbers],
        )
