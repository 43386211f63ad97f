"""Builds with cargo, in the cache folder that `runtime/cache.py` keeps."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from runtime.cache import BuildError, cache_folder, lock, run, say, tail

__all__ = ["BuildError", "cache_folder", "lock", "run_cargo", "say", "tail"]

# Made for the caller's own builds: they would change ours, or fail for wasm.
FOREIGN_SETTINGS = (
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_RUSTFLAGS",
)


def run_cargo(
    title: str, command: Sequence[str], folder: Path, settings: Mapping[str, str] | None = None
) -> None:
    """Run a cargo command and show its progress; `BuildError` has the end of its output."""
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN_SETTINGS}
    environment |= {"CARGO_TERM_COLOR": "never", "CARGO_TERM_PROGRESS_WHEN": "never"}
    environment |= settings or {}
    log = cache_folder() / "build" / f"{title.replace(' ', '-')}.log"
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)

    def progress() -> str:
        crates = log.read_bytes().count(b" Compiling ")
        return f", {crates} crates"

    run(title, command, folder, environment, log, progress=progress)
