"""The cache folder: what is built once per machine, by one process at a time, in full view."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PROGRESS_SECONDS = 15
LOG_LINES = 40

# Made for the caller's own builds: they would change ours, or fail for wasm.
FOREIGN_SETTINGS = (
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_RUSTFLAGS",
)


class BuildError(Exception):
    """Something could not be built or installed; the message says what to do."""


def cache_folder() -> Path:
    """`spacetime-py` in the user's cache folder, made when missing."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "spacetime-py"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def say(text: str) -> None:
    """Tell the human, and keep standard output free for results."""
    print(f"[tests.server] {text}", file=sys.stderr, flush=True)


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Let one process at a time in; the system frees the lock even when its holder is killed."""
    with (cache_folder() / f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is building ({name}): waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run_cargo(
    title: str, command: Sequence[str], folder: Path, settings: Mapping[str, str] | None = None
) -> None:
    """Run a cargo command and show its progress; `BuildError` has the end of its output."""
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN_SETTINGS}
    environment |= {"CARGO_TERM_COLOR": "never", "CARGO_TERM_PROGRESS_WHEN": "never"}
    environment |= settings or {}
    log = cache_folder() / "build" / f"{title.replace(' ', '-')}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            seconds = _watch(title, process, log)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode != 0:
        raise BuildError(f"{title} failed (whole output: {log})\n{tail(log)}")
    say(f"{title}: done in {seconds // 60} min {seconds % 60} s")


def _watch(title: str, process: subprocess.Popen[bytes], log: Path) -> int:
    """Wait for the end and say how far it is; returns the seconds it took."""
    start = time.monotonic()
    while True:
        try:
            process.wait(timeout=PROGRESS_SECONDS)
            return round(time.monotonic() - start)
        except subprocess.TimeoutExpired:
            seconds = round(time.monotonic() - start)
            crates = log.read_bytes().count(b" Compiling ")
            say(f"{title}: {seconds // 60} min {seconds % 60:02} s, {crates} crates so far")


def tail(log: Path) -> str:
    """The last lines of a log, indented for an error message."""
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join(f"  {line}" for line in lines) or "  (empty)"
