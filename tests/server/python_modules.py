"""The test modules that are written in Python, as wasm for a real server.

They need the runtime, CPython for the module ABI: `runtime/build.py` makes it once per machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from spacetime_py.build.project import read_project
from spacetime_py.build.runtime import VARIABLE
from spacetime_py.cli.settings import find_project

from .cache import BuildError

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "tests" / "modules"


@cache
def ensure_runtime() -> None:
    """Build the runtime if it is not there, in full view, and make the packer find it."""
    command = [sys.executable, str(ROOT / "runtime" / "build.py")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"`{' '.join(command)}` failed: its last lines say why")
    os.environ[VARIABLE] = done.stdout.split("\n")[0]


@cache
def python_module(name: str, abi: str = "10.0") -> bytes:
    """The twin of the Rust module with that name. Raises BuildError."""
    ensure_runtime()
    project = find_project(MODULES / f"{name}_py")
    return read_project(project.folder, {**project.table, "abi": abi}).pack().wasm
