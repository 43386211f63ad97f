"""The command in a folder of its own, with a configuration folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

TIMEOUT = 60.0
"""Seconds after which a command hangs."""

HEAD = """\
from __future__ import annotations
from spacetime_py.server import PrimaryKey, ReducerContext, auto_inc, reducer, table, u8, u64
"""
GOOD = f"""{HEAD}
@table(public=True)
class Note:
    id: PrimaryKey[u64] = auto_inc()
    text: str

@reducer
def add(ctx: ReducerContext, text: str) -> None:
    ctx.db[Note].insert(Note(text=text))
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs `spacetime-py`; what it keeps for the user is in the test's folder."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SPACETIMEDB_")}
    environment = {**kept, "XDG_CONFIG_HOME": str(tmp_path / "config"), "NO_COLOR": "1"}

    def run(*arguments: str | Path, **more: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "spacetime_py", *map(str, arguments)],
            cwd=tmp_path,
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def succeed(command: Command) -> Callable[..., str]:
    """What a run that succeeds prints."""

    def run(*arguments: str | Path, **more: str) -> str:
        done = command(*arguments, **more)
        assert (done.code, done.err) == (0, "")
        return done.out

    return run


@pytest.fixture
def refused(command: Command) -> Callable[..., str]:
    """The one line in which a run says what is wrong."""

    def run(*arguments: str | Path, **more: str) -> str:
        done = command(*arguments, **more)
        assert (done.code, done.out) == (1, ""), done
        assert done.err.startswith("spacetime-py: ")
        assert done.err.count("\n") == 1
        return done.err

    return run


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a program into the project of the test, which is named like a database of its own."""
    folder = tmp_path / f"module-{uuid4().hex}"

    def write(text: str) -> Path:
        (folder / "src").mkdir(parents=True, exist_ok=True)
        (folder / "src" / "main.py").write_text(text)
        settings = f'[tool.spacetime]\ndatabase = "{folder.name}"\n'
        (folder / "pyproject.toml").write_text(settings)
        return folder

    return write
