"""Runs every line in rounds, the sides one after the other, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import data
from .builds import RunError, go_side, reason, rust_side
from .line import Line
from .measure import SECONDS
from .servers import serving

ROOT = Path(__file__).parents[2]
DEFAULT_SDK = "2.10.1"
"""The version of the TypeScript SDK."""
IN_PYTHON = ("msgspec", "floor")
"""Sides with scenarios of their own beside those of the Python side."""
TIMEOUT = 600.0
"""Seconds after which one run hangs."""

Answer = Mapping[str, Any]


@dataclass
class Rounds:
    """What a line's runs gave: one answer for each side and round, or why there is none."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    failure: str | None = None


@dataclass(frozen=True)
class Bench:
    """Where it runs."""

    folder: Path
    """Data files and bindings."""
    scripts: Mapping[str, Path]
    """The TypeScript side beside its `node_modules`, for each version of the SDK."""
    python_path: str
    """Where the Python side finds uvloop and msgspec."""
    is_quick: bool = False

    def prepare(self, line: Line) -> None:
        """Make the data of a line."""
        data.make_bindings(self.folder, "bindings")
        if (name := line.options.get("bindings")) is not None:
            data.make_bindings(self.folder, name, more_tables=line.options["tables"])
        for name in line.data:
            data.make(self.folder, name)

    def run(self, line: Line, side: str, options: Mapping[str, Any]) -> Answer:
        """Run a line on one side. Raises RunError."""
        given = {
            "scenario": f"{line.scenario}_{side}" if side in IN_PYTHON else line.scenario,
            "options": {**line.options, **options},
            "folder": str(self.folder),
            "quick": self.is_quick,
        }
        command, cwd = self._command(line, side)
        try:
            done = subprocess.run(
                command,
                cwd=cwd,
                env=_environment(self.python_path),
                input=json.dumps(given),
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
            )
        except subprocess.TimeoutExpired:
            raise RunError(f"{side}: no end within {TIMEOUT:g} s") from None
        if done.returncode != 0:
            raise RunError(f"{side}: exit code {done.returncode}: {reason(done.stderr)}")
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        if "failed" in answer:
            raise RunError(answer["failed"])
        return answer

    def _command(self, line: Line, side: str) -> tuple[list[str], Path]:
        if side == "python" or side in IN_PYTHON:
            return [sys.executable, "-m", "benches.compare.side"], ROOT
        if side == "go":
            return [str(go_side(self.folder))], ROOT
        if side == "rust":
            options = line.options
            module, data = self.folder / "bindings.bsatn", self.folder / options["data"]
            table, seconds = options.get("kind", "message"), 0 if self.is_quick else SECONDS
            given = [line.scenario, module, data, table, seconds]
            return [str(rust_side()), *map(str, given)], ROOT
        scripts = self.scripts[line.options.get("sdk", DEFAULT_SDK)]
        return ["node", "--expose-gc", "side.mjs"], scripts


def _environment(python_path: str) -> dict[str, str]:
    """Without proxies, which Node would ask for the way to this machine."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    paths = [kept.get("PYTHONPATH"), python_path]
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def key_of(line: Line) -> str:
    """Lines of one key are measured by the same run."""
    return json.dumps([line.scenario, line.options, line.other], sort_keys=True)


def run_lines(
    bench: Bench, lines: Sequence[Line], rounds: int, say: Callable[[str], None]
) -> Iterator[dict[str, Rounds]]:
    """By `key_of`, all that is known after each round. Every line runs once in a round."""
    unique = {key_of(line): line for line in lines}
    found = {key: Rounds() for key in unique}
    for number in range(rounds):
        for key, line in unique.items():
            state = found[key]
            if state.failure is not None or (line.rounds or rounds) <= number:
                continue
            say(f"round {number + 1} of {rounds}: {line.name}")
            try:
                bench.prepare(line)
                for side, answer in run_round(bench, line, number).items():
                    state.answers.setdefault(side, []).append(answer)
            except Exception as error:  # a server that cannot be built, say: the table tells it
                state.failure = (str(error) or type(error).__name__).splitlines()[0]
        yield found


def run_round(bench: Bench, line: Line, number: int) -> dict[str, Answer]:
    """Both sides of a line, once. Raises RunError, also when they have read different things."""
    with serving(line.server, bench.folder, line.data) as options:
        # Neither side is always the first.
        ordered = line.sides if number % 2 else line.sides[::-1]
        answers = {side: bench.run(line, side, options) for side in ordered}
    checksums = {side: answer["checksum"] for side, answer in answers.items()}
    if len(set(checksums.values())) > 1:
        raise RunError(f"the checksums differ: {checksums}")
    return answers


def selected(lines: Iterable[Line], only: Sequence[str]) -> list[Line]:
    """Lines whose name holds one of the texts; all when there is none."""
    return [line for line in lines if not only or any(text in line.name for text in only)]
