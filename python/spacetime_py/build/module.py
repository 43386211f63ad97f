"""A module's file, of any language, as far as it can be looked at without a server."""

from __future__ import annotations

from pathlib import Path

from .engine import ADVICE, compile_wasm
from .errors import BuildError
from .host import Host


def describe(file: Path) -> bytes:
    """The RawModuleDef, in BSATN, that a module says it is. Raises BuildError."""
    try:
        import wasmtime
    except ImportError:
        raise BuildError(ADVICE) from None
    try:
        host = Host(compile_wasm(file.read_bytes()))
        problem = host.setup()
        if problem is None:
            return host.describe()
    except (wasmtime.WasmtimeError, wasmtime.Trap, NotImplementedError, KeyError) as error:
        problem = str(error).split("\n")[0]
    raise BuildError(f"{file} is no module of SpacetimeDB that can be run here: {problem}")
