"""The cache folder: what is built once per machine, by one process at a time, in full view.

The runtime's build and that of the tests' server share it, so it needs nothing but Python.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PROGRESS_SECONDS = 15
LOG_LINES = 40


class BuildError(Exception):
    """Something could not be built or installed; the message says what to do."""


def cache_folder() -> Path:
    """`spacetime-py` in the user's cache folder, made when missing."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "spacetime-py"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def say(text: str) -> None:
    """Tell the human; standard output is for the result."""
    print(f"[build] {text}", file=sys.stderr, flush=True)


def key_of(parts: Iterable[str | bytes]) -> str:
    """A short name for exactly these inputs."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:16]


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


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, filled by `make` unless it is there: whole or not at all."""
    if not folder.exists():
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        make(partial)
        partial.rename(folder)
    return folder


def run(
    title: str,
    command: Sequence[str | Path],
    folder: Path,
    settings: Mapping[str, str],
    log: Path,
    quiet: bool = False,
    progress: Callable[[], str] = lambda: "",
) -> None:
    """Run a build step, its output added to `log`, with a line now and then of how far it is.

    `BuildError` has the end of the output.
    """
    words = [str(word) for word in command]
    start = time.monotonic()
    with log.open("ab") as output:
        output.write(f"$ {' '.join(words)}\n".encode())
        output.flush()
        process = subprocess.Popen(
            words, cwd=folder, env=dict(settings), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _watch(title, process, start, progress)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode != 0:
        raise BuildError(f"{title} failed (whole output: {log})\n{tail(log)}")
    if not quiet:
        say(f"{title}: done in {_since(start)}")


def _watch(
    title: str, process: subprocess.Popen[bytes], start: float, progress: Callable[[], str]
) -> None:
    while True:
        try:
            process.wait(timeout=PROGRESS_SECONDS)
            return
        except subprocess.TimeoutExpired:
            say(f"{title}: {_since(start)} so far{progress()}")


def _since(start: float) -> str:
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def tail(log: Path) -> str:
    """The last lines of a log, indented for an error message."""
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join(f"  {line}" for line in lines) or "  (empty)"
