"""The wasm engine that runs the runtime while a module is built: the package wasmtime."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .errors import BuildError

if TYPE_CHECKING:
    import wasmtime

ADVICE = """\
building a server module needs the package wasmtime, which spacetime-py's extra `module` brings:
  pip install 'spacetime-py[module]'"""

KEPT = 8
"""Compiled files in the cache, of 12 MB each."""

FUEL_PER_CALL = 120_000_000_000
"""What a SpacetimeDB host gives each call."""


class Compiled(NamedTuple):
    """A wasm module compiled for this machine, and its engine."""

    engine: wasmtime.Engine
    module: wasmtime.Module


def compile_wasm(wasm: bytes, *, cached: bool = False) -> Compiled:
    """Compile; with `cached` keep the result for the next time, per version of the engine."""
    try:
        import wasmtime
    except ImportError:
        raise BuildError(ADVICE) from None
    engine = _engine()
    if not cached:
        return Compiled(engine, wasmtime.Module(engine, wasm))
    path = _cache_path(wasm)
    if path.exists():
        try:
            return Compiled(engine, wasmtime.Module.deserialize_file(engine, str(path)))
        except wasmtime.WasmtimeError:
            path.unlink(missing_ok=True)  # of another build of the engine, or damaged
    module = wasmtime.Module(engine, wasm)
    _write(path, bytes(module.serialize()))
    _forget_old(path.parent)
    return Compiled(engine, module)


@cache
def _engine() -> wasmtime.Engine:
    import wasmtime

    config = wasmtime.Config()
    config.consume_fuel = True
    return wasmtime.Engine(config)


def _cache_path(wasm: bytes) -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    version = importlib.metadata.version("wasmtime")
    digest = hashlib.sha256(wasm).hexdigest()[:16]
    return Path(base, "spacetime-py", f"engine-{version}-{platform.machine()}-{digest}.cwasm")


def _forget_old(folder: Path) -> None:
    """Keep what was made last: two levels, and a few modules of those who test some."""
    with suppress(OSError):
        made = sorted(folder.glob("engine-*.cwasm"), key=lambda path: path.stat().st_mtime)
        for path in made[:-KEPT]:
            path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all; a cache that cannot be written is none."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        Path(file.name).replace(path)
