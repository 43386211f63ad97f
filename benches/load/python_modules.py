"""What a server module costs when it is written in Python, beside its twin in Rust.

    python -m benches.load.python_modules [--calls 1000] [--json]

One SpacetimeDB 1.2.0 runs both twins of `all_types`, and calls go to one after the other. What a
reducer takes is told by the host's own clock, `spacetime-execution-duration-micros`: the time
inside of the module. It has whole microseconds, cut off, which says little of an empty reducer;
so that one is also measured as a whole transaction, by the sums of seconds in the server's metrics.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import uuid4

from benches.metrics.process import cpu_seconds
from tests.server.modules import build_module
from tests.server.python_modules import python_module
from tests.server.server import Server

BATCH = 25
"""Calls of one twin between two looks at the metrics."""
ROWS = 1_000
STARTS = 50
NO_GOAL = float("inf")
PUBLICATIONS = 3


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    what: str
    python: float
    rust: float
    unit: str
    goal: float
    is_ratio: bool = True
    energy_python: int | None = None
    energy_rust: int | None = None
    note: str = ""

    @property
    def measured(self) -> float:
        """What the goal speaks of."""
        if not self.is_ratio:
            return self.python
        return self.python / self.rust if self.rust else NO_GOAL

    @property
    def is_met(self) -> bool:
        return self.measured <= self.goal


@dataclass(frozen=True)
class Call:
    micros: int
    energy: int
    seconds: float
    """From the request to the answer."""


class Twin:
    """A database of one of the twins, and a connection for calls."""

    def __init__(self, server: Server, wasm: bytes) -> None:
        self.server = server
        self.database = server.publish(f"twin-{uuid4().hex}", wasm)
        self._http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self._headers = {
            "Authorization": f"Bearer {server.owner.token}",
            "Content-Type": "application/json",
        }

    def call(self, reducer: str, *arguments: Any, fails: bool = False) -> Call:
        path = f"/v1/database/{self.database.name}/call/{reducer}"
        start = time.perf_counter()
        self._http.request("POST", path, json.dumps(arguments), self._headers)
        answer = self._http.getresponse()
        body = answer.read()
        seconds = time.perf_counter() - start
        if fails == (answer.status == 200):
            raise SystemExit(f"{reducer}: {answer.status} {body.decode()}")
        micros = int(answer.headers.get("spacetime-execution-duration-micros", 0))
        return Call(micros, int(answer.headers.get("spacetime-energy-used", 0)), seconds)

    def transactions(self, reducer: str) -> float:
        """Seconds that all calls of a reducer took, begin, commit and queries with them."""
        self._http.request("GET", "/v1/metrics")
        text = self._http.getresponse().read().decode()
        labels = f'db="{self.database.identity}",reducer="{reducer}"'
        found = re.search(
            rf"^spacetime_reducer_plus_query_duration_sec_sum{{{labels}}} (\S+)$", text, re.M
        )
        return float(found[1]) if found else 0.0


Step = Callable[[Twin, int], Call]
"""Makes the call to be measured, with what has to be around it."""


class Pair:
    """The twins of one module in one server."""

    def __init__(self, server: Server, name: str) -> None:
        self.python = Twin(server, python_module(name))
        self.rust = Twin(server, build_module(name).read_bytes())

    def calls(self, step: Step, count: int) -> tuple[list[Call], list[Call]]:
        """Both twins in turn."""
        python: list[Call] = []
        rust: list[Call] = []
        for number in range(-count // 10, count):
            made = step(self.python, number), step(self.rust, number)
            if number >= 0:  # the first ones warm up
                python.append(made[0])
                rust.append(made[1])
        return python, rust

    def line(self, what: str, goal: float, step: Step, count: int) -> Line:
        """Medians of many calls."""
        python, rust = self.calls(step, count)
        return Line(
            what,
            statistics.median(call.micros for call in python),
            statistics.median(call.micros for call in rust),
            "us",
            goal,
            energy_python=round(statistics.median(call.energy for call in python)),
            energy_rust=round(statistics.median(call.energy for call in rust)),
        )


def empty(twin: Twin, number: int) -> Call:
    return twin.call("noop")


def insert(twin: Twin, number: int) -> Call:
    return twin.call("add_item", number + 1_000_000, f"code-{number}", 3, number, None)


def change(twin: Twin, number: int) -> Call:
    return twin.call("set_item", number % 100 + 1_000_000, number, {"some": f"note {number}"})


def bulk(twin: Twin, number: int) -> Call:
    made = twin.call("bulk_insert", 0, ROWS, 7)
    twin.call("bulk_delete", 0, ROWS)
    return made


def empty_transactions(pair: Pair, calls: int) -> Line:
    """Medians of the means of batches: sums are finer than whole microseconds."""
    found: dict[Twin, list[float]] = {pair.python: [], pair.rust: []}
    for _ in range(max(calls // BATCH, 1) * 4):
        for twin, means in found.items():
            before = twin.transactions("noop")
            for _ in range(BATCH):
                twin.call("noop")
            means.append((twin.transactions("noop") - before) / BATCH * 1e6)
    python, rust = map(statistics.median, found.values())
    return Line("empty reducer, whole transaction", python, rust, "us", 1.5)


def empty_inside(pair: Pair, calls: int) -> Line:
    """Means, for a median of whole microseconds says nothing of less than one."""
    measured = pair.calls(empty, calls)
    python, rust = (sorted(call.micros for call in one) for one in measured)
    kept = slice(0, len(python) * 95 // 100)  # the rest is what else the machine did
    energy = [round(statistics.median(call.energy for call in one)) for one in measured]
    return Line(
        "empty reducer, in the module",
        statistics.mean(python[kept]),
        statistics.mean(rust[kept]),
        "us",
        NO_GOAL,
        energy_python=energy[0],
        energy_rust=energy[1],
        note="means of whole microseconds, cut off: each is up to 1 us more. Rust's is less than "
        "the header can tell, so the goal is measured on whole transactions",
    )


def starts(pair: Pair) -> Line:
    """A new instance takes the place of one that trapped, and is called for the first time."""
    found: list[float] = []
    for twin in (pair.python, pair.rust):
        usual = statistics.median(twin.call("noop").seconds for _ in range(STARTS))
        times: list[float] = []
        for _ in range(STARTS):
            trap = twin.call("boom", "", fails=True)
            first = twin.call("noop")
            times.append((trap.seconds + first.seconds - 2 * usual) * 1e3)
        found.append(statistics.median(times))
    note = "with the trap that ended the instance before, and its log"
    python, rust = found
    return Line("cold start", python, rust, "ms", 2.0, is_ratio=False, note=note)


def publications() -> Line:
    """CPU seconds of all threads of a new server, for one keeps what it has compiled."""
    found: list[float] = []
    for wasm in (python_module("chat"), build_module("chat").read_bytes()):
        times: list[float] = []
        for _ in range(PUBLICATIONS):
            with Server() as server:
                before = cpu_seconds(server.pid)
                server.publish("chat", wasm)
                times.append(cpu_seconds(server.pid) - before)
        found.append(statistics.median(times))
    python, rust = found
    return Line("publishing chat, CPU of the server", python, rust, "s", 5.0, is_ratio=False)


def size() -> Line:
    python, rust = len(python_module("chat")), len(build_module("chat").read_bytes())
    return Line("packed chat", python / 1e6, rust / 1e6, "MB", 5.0, is_ratio=False)


def measure(server: Server, calls: int) -> list[Line]:
    pair = Pair(server, "all_types")
    lines = [
        empty_inside(pair, calls * 5),
        empty_transactions(pair, calls),
        pair.line("single insert", 2.0, insert, calls),
        pair.line("find and update", 3.0, change, calls),
        pair.line(f"{ROWS:,} rows by insert_many", 4.0, bulk, calls),
    ]
    return [*lines, starts(pair)]


def table(lines: Sequence[Line]) -> str:
    rows: list[tuple[str, ...]] = []
    rows += [("", "Python", "Rust", "unit", "times", "goal", "", "energy", "Rust's")]
    for line in lines:
        has_goal = line.goal != NO_GOAL
        times = f"{line.python / line.rust:.2f}" if line.rust else "-"
        sign = "x" if line.is_ratio else f" {line.unit}"
        energy = [f"{value:,}" if value else "" for value in (line.energy_python, line.energy_rust)]
        goal = f"{line.goal:g}{sign}" if has_goal else ""
        verdict = ("met" if line.is_met else "MISSED") if has_goal else ""
        figures = (f"{line.python:.2f}", f"{line.rust:.2f}", line.unit, times)
        rows.append((line.what, *figures, goal, verdict, *energy))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    shown = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    notes = [f"{line.what}: {line.note}" for line in lines if line.note]
    return "\n".join([*(row.rstrip() for row in shown), *notes])


def as_json(line: Line) -> dict[str, Any]:
    has_goal = line.goal != NO_GOAL
    verdict = {"goal": line.goal, "met": line.is_met} if has_goal else {"goal": None}
    return {**asdict(line), **verdict}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, usage="python -m benches.load.python_modules"
    )
    parser.add_argument("--calls", type=int, default=1_000, help="of each reducer and twin")
    parser.add_argument("--json", action="store_true", help="JSON instead of text")
    options = parser.parse_args()
    with Server() as server:
        lines = measure(server, options.calls)
    lines += [publications(), size()]
    if options.json:
        print(json.dumps([as_json(line) for line in lines]))
    else:
        print(table(lines))


if __name__ == "__main__":
    main()
