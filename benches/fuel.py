"""What the operations of server modules cost: fuel, in Python and in Rust.

    python -m benches.fuel              # measures, and compares with what is written down
    python -m benches.fuel --update     # writes it down: fuel.json, and the table of the guide

Fuel is what a host meters: the wasm instructions that a call ran. So it is the same on every
machine under any load, and a change of it is a change of the program. A server bills it as energy,
1,000 for each. The modules are the twins of `tests/modules/all_types`, run in the host of
`spacetime_py.build`, which counts as servers do.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacetime_py.build.database import Database
from spacetime_py.build.description import parse
from spacetime_py.build.engine import compile_wasm
from spacetime_py.build.host import Host
from tests.server.modules import build_module
from tests.server.python_modules import python_module

HERE = Path(__file__).parent
EXPECTED = HERE / "fuel.json"
GUIDE = HERE.parent / "docs/topics/modules.md"
BEGIN, END = "<!-- fuel: python -m benches.fuel --update -->\n", "<!-- end of fuel -->\n"

ROUNDS = 7
"""Calls of each reducer, of which the median counts: some call pays for the collector."""
ROWS = 1_000

CALLER: dict[str, Any] = {
    "sender": bytes(range(100, 132)),
    "connection_id": bytes(range(100, 116)),
    "timestamp": 1_800_000_000_000_000,
}
"""As large as they are in a server: zeros would be cheaper."""

TOLERANCES = {"python": 0.02, "python-10.5": 0.02, "rust": 0.25}
"""How far fuel may be from what was written down. Rust's depends on the compiler's version."""

Fuel = Mapping[str, Mapping[str, int]]
"""Module, operation, fuel."""


def uint(size: int, value: int) -> bytes:
    return value.to_bytes(size, "little")


def text(value: str) -> bytes:
    data = value.encode()
    return uint(4, len(data)) + data


def new_item(number: int) -> bytes:
    return uint(8, number) + text(f"code-{number:04}") + uint(1, 3) + uint(4, number) + b"\1"


def changed_item(number: int) -> bytes:
    return uint(8, number) + uint(4, number + 1) + b"\0" + text(f"note {number:04}")


def rows(extra: bytes = b"") -> Callable[[int], bytes]:
    return lambda _: uint(4, 0) + uint(4, ROWS) + extra


@dataclass(frozen=True)
class Operation:
    """A call of a reducer, with arguments for its n-th time."""

    reducer: str
    arguments: Callable[[int], bytes] = lambda _: b""
    refuses: bool = False


OPERATIONS = {
    "an empty reducer": Operation("noop"),
    "a refusal": Operation("fail", lambda _: text("not your turn"), refuses=True),
    "insert a row": Operation("add_item", new_item),
    "find a row and update it": Operation("set_item", changed_item),
    "delete a row by its key": Operation("drop_item", lambda number: uint(8, number)),
    f"{ROWS:,} rows by `insert_many`": Operation("bulk_insert", rows(uint(8, 7))),
    f"{ROWS:,} rows found and updated": Operation("bulk_update", rows(uint(8, 1))),
    f"{ROWS:,} rows deleted by their keys": Operation("bulk_delete", rows()),
}
"""In an order in which each finds what the ones before it have made."""


def measure(wasm: bytes) -> dict[str, int]:
    """The fuel of each operation, by its name."""
    host = Host(compile_wasm(wasm, cached=True))
    host.setup()
    module = parse(host.describe())
    host.database = Database(module)
    found: dict[str, list[int]] = {name: [] for name in OPERATIONS}
    for number in range(ROUNDS):
        for name, operation in OPERATIONS.items():
            reducer = module.reducers.index(operation.reducer)
            outcome = host.reducer(reducer, operation.arguments(number), **CALLER)
            assert (outcome.code == 1) == operation.refuses, (name, outcome)
            found[name].append(outcome.fuel)
    return {name: round(statistics.median(fuel)) for name, fuel in found.items()}


def measure_all() -> Fuel:
    """All three modules."""
    return {
        "python": measure(python_module("all_types")),
        "python-10.5": measure(python_module("all_types", "10.5")),
        "rust": measure(build_module("all_types").read_bytes()),
    }


def expected() -> Fuel:
    """What was written down."""
    fuel: Fuel = json.loads(EXPECTED.read_text())
    return fuel


def changes(before: Fuel, now: Fuel) -> Iterator[str]:
    """What is further away than its tolerance, for better or worse."""
    for module, tolerance in TOLERANCES.items():
        for name in OPERATIONS:
            old, new = before.get(module, {}).get(name, 0), now[module][name]
            if abs(new - old) > old * tolerance:
                change = f" ({new / old - 1:+.1%})" if old else ""
                yield f"{module}, {name}: {new:,} of fuel, and {old:,} are written down{change}"


def table(fuel: Fuel) -> str:
    """As it stands in the guide, in thousands."""
    lines = ["| thousands of fuel | Python | Rust | times |", "| --- | --- | --- | --- |"]
    for name in OPERATIONS:
        python, rust = fuel["python"][name], fuel["rust"][name]
        figures = f"{python / 1e3:,.1f} | {rust / 1e3:,.1f} | {python / rust:.0f}"
        lines.append(f"| {name} | {figures} |")
    return "\n".join(lines) + "\n"


def guide_with(fuel: Fuel) -> str:
    """The guide's text with this table."""
    head, begin, rest = GUIDE.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"{GUIDE} has no place for the table between {BEGIN}{END}")
    return head + begin + table(fuel) + end + tail


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Fuel of server modules")
    parser.add_argument("--update", action="store_true", help="write down what is measured")
    options = parser.parse_args()
    fuel = measure_all()
    print(table(fuel), end="")
    if options.update:
        EXPECTED.write_text(json.dumps(fuel, indent=2) + "\n")
        GUIDE.write_text(guide_with(fuel))
        return 0
    found = list(changes(expected(), fuel))
    print("\n".join(found), file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
