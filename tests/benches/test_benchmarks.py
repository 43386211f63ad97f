"""The benchmarks run, and keep the names by which CodSpeed knows their history."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ROOT / "benches/python/names.txt"
PATIENCE = 600.0
"""Seconds after which it hangs."""

pytestmark = pytest.mark.slow


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "benches/python", "-q", *arguments]
    # Not as part of a run of CodSpeed, if this is one.
    environment = {name: value for name, value in os.environ.items() if "CODSPEED" not in name}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        timeout=PATIENCE,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_all_benchmarks_give_the_right_results() -> None:
    """Once each, not measured: they assert what they do."""
    assert " failed" not in run()


def test_names_stay() -> None:
    """A name that changes loses its history: if that is meant, run with UPDATE_GOLDEN=1."""
    listed = run("--collect-only")
    names = sorted(
        line.removeprefix("benches/python/") for line in listed.split("\n\n")[0].split("\n")
    )
    if os.environ.get("UPDATE_GOLDEN"):
        NAMES.write_text("\n".join(names) + "\n", encoding="utf-8")
    assert NAMES.read_text(encoding="utf-8").splitlines() == names
