"""Memory that is used again, checked by CPython's own allocators for debugging."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Objects of nearly the same sizes, made by constructors and out of rows, each in the memory of the
# ones before. So many that not all of it is kept: what the allocator gets back it looks at.
PROGRAM = """
from spacetime_py import ConnectionId, Identity, TimeDuration, Timestamp
from tests.border.things import Point

makers = [
    Timestamp,
    lambda n: Point(n, n),
    TimeDuration,
    lambda n: Identity(f"{n:064x}"),
    lambda n: ConnectionId(f"{n:032x}"),
]
for make in 2 * makers:
    objects = [make(n) for n in range(40_000)]
    del objects
"""


def test_memory_is_used_within_its_bounds() -> None:
    command = [sys.executable, "-X", "dev", "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
