"""Builds server modules: a Python program becomes a wasm file that SpacetimeDB runs.

    from spacetime_py.build import Program, pack, read_modules

    modules = read_modules(Path("src"))
    Path("module.wasm").write_bytes(pack(Program("main", modules)).wasm)

It needs the package `wasmtime` (the extra `module`), and neither a Rust nor a C compiler.
"""

from __future__ import annotations

from .errors import BuildError
from .pack import Packed, pack
from .program import Program, Source, read_modules
from .runtime import LEVELS

__all__ = ["LEVELS", "BuildError", "Packed", "Program", "Source", "pack", "read_modules"]
