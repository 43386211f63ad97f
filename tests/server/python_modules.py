"""The test modules that are written in Python, as wasm for a real server."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from spacetime_py.build import pack
from spacetime_py.build.project import read_project
from spacetime_py.cli.settings import find_project

MODULES = Path(__file__).resolve().parents[1] / "modules"


@cache
def python_module(name: str, abi: str = "10.0") -> bytes:
    """The twin of the Rust module with that name."""
    project = find_project(MODULES / f"{name}_py")
    found = read_project(project.folder, {**project.table, "abi": abi})
    return pack(found.program, abi=found.abi, include=found.include).wasm
