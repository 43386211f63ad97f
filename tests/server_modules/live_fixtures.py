"""The modules written in Python in the place of the Rust ones; registered by `live.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacetime_py.build import Program, pack, read_modules

MODULES = Path(__file__).resolve().parent.parent / "modules"


@pytest.fixture(scope="session")
def chat_wasm() -> bytes:
    return packed("chat_py", "chat")


@pytest.fixture(scope="session")
def all_types_wasm() -> bytes:
    return packed("all_types_py", "all_types")


def packed(folder: str, entry: str, abi: str = "10.0") -> bytes:
    """A test module for a real server."""
    return pack(Program(entry, read_modules(MODULES / folder / "src")), abi=abi).wasm
