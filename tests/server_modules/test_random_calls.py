"""Random calls of the Python `all_types`, good and bad, against a model; memory stays as it is.

`SPACETIME_CALLS=100000` makes it as long as one likes.
"""

from __future__ import annotations

import os
import random
import struct
from typing import Any

import pytest

from .plain import plain_v9
from .raw import read_module

pytest.importorskip("wasmtime")

from spacetime_py.build import BuildError, Program, pack, read_modules
from spacetime_py.build.database import Database
from spacetime_py.build.engine import compile_wasm
from spacetime_py.build.host import Host

from .live_fixtures import MODULES

CALLS = int(os.environ.get("SPACETIME_CALLS", "3000"))
SENDER = bytes([5]) + bytes(31)


def text(value: str) -> bytes:
    return struct.pack("<I", len(value.encode())) + value.encode()


def note(value: str | None) -> bytes:
    return b"\1" if value is None else b"\0" + text(value)


class Twin:
    """The module, and what its tables `item` and `diary` should hold."""

    def __init__(self) -> None:
        packed = pack(Program("all_types", read_modules(MODULES / "all_types_py" / "src")))
        self.database = Database(packed.module_def)
        self.host = Host(compile_wasm(packed.wasm, cached=True), self.database)
        assert self.host.setup() is None
        module = read_module(packed.description)["V9"]
        self.numbers = {one["name"]: n for n, one in enumerate(module["reducers"])}
        assert "item" in plain_v9(module)["tables"]
        self.items: dict[int, list[Any]] = {}
        self.diary: set[tuple[str, int]] = set()

    def call(self, name: str, arguments: bytes = b"") -> str | None:
        outcome = self.host.reducer(self.numbers[name], arguments, sender=SENDER, timestamp=7)
        assert outcome.code in (0, 1)
        self.host.logs.clear()
        return outcome.error

    def rows(self, name: str) -> list[tuple[Any, ...]]:
        (table,) = [one for one in self.database.tables if one.definition.name == name]
        return list(table.rows.values())

    def compare(self) -> None:
        assert sorted(row[:2] + row[3:5] for row in self.rows("item")) == sorted(
            (id, item[0], item[1], item[2]) for id, item in self.items.items()
        )
        assert {row[:2] for row in self.rows("diary")} == self.diary


def step(twin: Twin, rng: random.Random) -> None:
    id, level = rng.randrange(20), rng.randrange(-(2**31), 2**31)
    code, key = f"c{rng.randrange(20)}", struct.pack("<Q", id)
    known = twin.items.get(id)
    choice = rng.choice([add, change, remove, write, refuse, nonsense, huge])
    choice(twin, rng, id, key, code, level, known)


def add(twin: Twin, rng: Any, id: int, key: bytes, code: str, level: int, known: Any) -> None:
    error = twin.call("add_item", key + text(code) + b"\3" + struct.pack("<i", level) + note(None))
    if known is not None or code in [item[0] for item in twin.items.values()]:
        assert error is not None
        assert error.startswith("UniqueViolation: item: ")
    else:
        assert error is None
        twin.items[id] = [code, 3, level]


def change(twin: Twin, rng: Any, id: int, key: bytes, code: str, level: int, known: Any) -> None:
    name = rng.choice(["set_item", "replace_item", "touch_item"])
    arguments = key if name == "touch_item" else key + struct.pack("<i", level)
    error = twin.call(name, arguments + (note(code) if name == "set_item" else b""))
    assert error == (f"no item {id}" if known is None else None)
    if known is not None and name != "touch_item":
        known[2] = level


def remove(twin: Twin, rng: Any, id: int, key: bytes, code: str, level: int, known: Any) -> None:
    assert twin.call("drop_item", key) is None
    twin.items.pop(id, None)


def write(twin: Twin, rng: Any, id: int, key: bytes, code: str, level: int, known: Any) -> None:
    name = rng.choice(["add_diary", "drop_diary"])
    assert twin.call(name, text(code) + struct.pack("<i", id)) is None
    (twin.diary.add if name == "add_diary" else twin.diary.discard)((code, id))


def refuse(twin: Twin, rng: Any, id: int, key: bytes, code: str, level: int, known: Any) -> None:
    assert twin.call("fail", text(code)) == code
    assert twin.call("insert_then_fail", text(code)) == "rolled back"


def nonsense(twin: Twin, rng: Any, id: int, key: bytes, code: str, level: int, known: Any) -> None:
    """Bytes that are no arguments; servers check them before, the module does not rely on it."""
    name = rng.choice(["add_item", "set_user_types", "many_args", "put_scalars", "set_lists"])
    assert twin.call(name, b"\xff" * rng.randrange(1, 9)) is not None


def huge(twin: Twin, rng: Any, id: int, key: bytes, code: str, level: int, known: Any) -> None:
    assert twin.call("fail", text("ä" * 200_000)) == "ä" * 200_000


def test_random_calls() -> None:
    try:
        twin = Twin()
    except BuildError as error:
        if "the runtime for server modules is not here" in str(error):
            pytest.skip(str(error))
        raise
    rng, warm = random.Random(5), 0
    for number in range(CALLS):
        step(twin, rng)
        if number % 100 == 0:
            twin.compare()
        if number == CALLS // 3:
            warm = twin.host.memory_size()
    twin.compare()
    assert twin.host.memory_size() == warm
