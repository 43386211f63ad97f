"""A million rows come, change and go, and leave nothing behind. Figures are printed, not held."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 300.0
"""Seconds after which it hangs."""

pytestmark = [pytest.mark.real_server, pytest.mark.slow]


def test_a_million_rows() -> None:
    command = [sys.executable, "-m", "benches.load.million_rows", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, timeout=PATIENCE, check=True, capture_output=True, text=True
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    print(figures)
    assert figures["rows"] == 1_000_000
    # A row has 100 bytes on the wire.
    held = figures["rows"] * figures["bytes_per_row"]
    assert held > figures["rows"] * 50
    assert figures["bytes_left"] < held * 0.1
