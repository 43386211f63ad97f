"""The benchmarks as CodSpeed runs them: instructions counted by valgrind, not time.

    python -m benches.simulation [--runs N] [--within PERCENT] [--json FILE] [PYTEST ARGUMENTS]

A process runs under callgrind with the options, cache and environment of CodSpeed's runner. The
figure of a benchmark is callgrind's estimate of cycles: each instruction one, a miss of the first
cache ten more, of the last one a hundred more. A run is two such processes, and the smaller figure
of each benchmark: where objects lie is decided by chance, since classes are made in the order of a
table with a random seed, and those that share lines of the cache only add misses. With two runs or
more the command ends with status 1 when a benchmark differs between them by more than `--within`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
CALLGRIND = (
    "--tool=callgrind",
    "--trace-children=yes",
    "--cache-sim=yes",
    # The same caches on every machine.
    "--I1=32768,8,64",
    "--D1=32768,8,64",
    "--LL=8388608,16,64",
    "--instr-atstart=no",
    "--combine-dumps=yes",
    "--dump-line=no",
    "--compress-strings=no",
)
ENVIRONMENT = {
    "CODSPEED_ENV": "local",
    "CODSPEED_RUNNER_MODE": "simulation",
    "PYTHONHASHSEED": "0",
    "PYTHONMALLOC": "malloc",
}
_TRIGGER = "desc: Trigger: Client Request: "
_EVENTS = ("Ir", "I1mr", "D1mr", "D1mw", "ILmr", "DLmr", "DLmw")


class SimulationError(Exception):
    """valgrind is not there, or a benchmark failed."""


def simulate(arguments: Sequence[str]) -> dict[str, int]:
    """One run; estimated cycles by the name of the benchmark. Raises SimulationError."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise SimulationError("valgrind is missing: `apt-get install valgrind`, on Linux")
    # Addresses are the same in every run, as far as nothing is random.
    steady = ["setarch", platform.machine(), "-R"] if shutil.which("setarch") else []
    # What pytest keeps of the last run would make the heap another one.
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    pytest += arguments or ["benches/python"]
    # And so would compiling the modules.
    collect = [*pytest, "--collect-only"]
    subprocess.run(collect, cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    one, other = (_count([*steady, valgrind], pytest) for _ in range(2))
    if lacking := one.keys() ^ other.keys():
        raise SimulationError(f"one of two processes lacks {', '.join(sorted(lacking))}")
    return {name: min(figure, other[name]) for name, figure in one.items()}


def _count(valgrind: Sequence[str], pytest: Sequence[str]) -> dict[str, int]:
    """What one process counts."""
    with tempfile.TemporaryDirectory(prefix="spacetime-py-callgrind-") as folder:
        out = f"--callgrind-out-file={folder}/%p.out"
        environment = {**os.environ, **ENVIRONMENT, "CODSPEED_PROFILE_FOLDER": folder}
        command = [*valgrind, *CALLGRIND, out, "--quiet", *pytest]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if done.returncode != 0:
            raise SimulationError(f"the benchmarks ended with status {done.returncode}")
        figures: dict[str, int] = {}
        for file in sorted(Path(folder).glob("*.out")):
            figures.update(cycles(file.read_text(errors="replace")))
    if not figures:
        raise SimulationError("no benchmark was measured")
    return figures


def cycles(profile: str) -> dict[str, int]:
    """Estimated cycles by benchmark, of a file that callgrind wrote."""
    found: dict[str, int] = {}
    name, events = "", list[str]()
    for line in profile.splitlines():
        if line.startswith("desc: Trigger: "):
            name = line.removeprefix(_TRIGGER) if line.startswith(_TRIGGER) else ""
        elif line.startswith("events: "):
            events = line.split()[1:]
        elif line.startswith("totals: ") and "::" in name:
            counts = dict(zip(events, map(int, line.split()[1:]), strict=False))
            instructions, *misses = (counts.get(event, 0) for event in _EVENTS)
            found[name] = instructions + 10 * sum(misses[:3]) + 100 * sum(misses[3:])
    return found


def differences(runs: Sequence[Mapping[str, int]]) -> dict[str, float]:
    """How far the runs of each benchmark are apart, in percent of the smallest figure.

    A benchmark that not all runs have is infinitely far.
    """
    names = {name for run in runs for name in run}
    apart: dict[str, float] = {}
    for name in sorted(names):
        figures = [run[name] for run in runs if name in run]
        is_everywhere = len(figures) == len(runs)
        low, high = min(figures), max(figures)
        apart[name] = (high - low) / low * 100 if is_everywhere and low else float("inf")
    return apart


def report(runs: Sequence[Mapping[str, int]], within: float) -> tuple[str, bool]:
    """Lines to print, and whether all benchmarks came out the same."""
    apart = differences(runs)
    width = max(len(_short(name)) for name in apart)
    lines = [
        f"{_short(name):{width}}  {runs[0].get(name, 0):>15,}  {percent:7.3f} %"
        f"{'' if percent <= within else '  DIFFERS'}"
        for name, percent in apart.items()
    ]
    differing = sum(percent > within for percent in apart.values())
    verdict = (
        f"{differing} of {len(apart)} benchmarks differ by more than {within:g} %"
        if differing
        else f"all {len(apart)} benchmarks within {within:g} %, at most {max(apart.values()):.3f} %"
    )
    lines.append(f"{len(runs)} runs: {verdict}" if len(runs) > 1 else f"{len(apart)} benchmarks")
    return "\n".join(lines), not differing


def _short(name: str) -> str:
    return re.sub(r"^.*/test_performance_", "", name)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--within", type=float, default=2.0, metavar="PERCENT")
    parser.add_argument("--json", type=Path, help="also write the figures of all runs here")
    options, arguments = parser.parse_known_args()
    try:
        runs = [simulate(arguments) for _ in range(options.runs)]
    except SimulationError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json is not None:
        options.json.write_text(json.dumps({"cycles": runs}, indent=1) + "\n")
    text, is_same = report(runs, options.within)
    print(text)
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
