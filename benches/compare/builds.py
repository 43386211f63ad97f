"""The sides that are compiled, on first use."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


class RunError(Exception):
    """A side could not run; the message is for the table."""


def go_side(folder: Path) -> Path:
    """The program of `go/`, in `folder`. Raises RunError."""
    program = folder / "go-side"
    if program.exists():
        return program
    if shutil.which("go") is None:
        raise RunError("go is not installed")
    _build(["go", "build", "-o", str(program), "."], ROOT / "benches/compare/go")
    return program


@cache
def rust_side() -> Path:
    """The release build of `benches/rust/examples/side.rs`. Raises RunError."""
    package = ["--release", "--locked", "-p", "spacetime_py_benches", "--example", "side"]
    built = _build(["cargo", "build", *package, "--message-format=json"], ROOT)
    messages = [json.loads(line) for line in built.splitlines()]
    return next(
        Path(message["executable"])
        for message in messages
        if message.get("executable") and message["target"]["name"] == "side"
    )


def _build(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RunError(f"{' '.join(command[:2])}: {reason(done.stderr)}")
    return done.stdout


def reason(stderr: str) -> str:
    """The line that says most: Node writes its version last, Python the error."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if not line.startswith(" ") and "rror" in line]
    return (errors or lines or ["no reason given"])[-1]
