"""A new user: the wheel in a new virtual environment, no Rust, no `spacetime`: the quickstart."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.api import Api
from tests.server.python_modules import ROOT

pytestmark = [pytest.mark.real_server, pytest.mark.runtime, pytest.mark.slow]

TIMEOUT = 600.0
"""Seconds after which a step hangs. Building the wheel compiles the core."""

Run = Callable[..., str]


@pytest.fixture(scope="module")
def wheel(runtime: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As it is published, with the runtime in it."""
    data = ROOT / "python" / "spacetime_py" / "build" / "data"
    was_there = data.exists()
    out = tmp_path_factory.mktemp("wheel")
    try:
        _run(sys.executable, ROOT / "runtime" / "build.py", "--data", data)
        maturin = Path(sysconfig.get_path("scripts")) / "maturin"
        _run(maturin, "build", "--release", "--locked", "-i", sys.executable, "-o", out, cwd=ROOT)
    finally:
        if not was_there:
            shutil.rmtree(data, ignore_errors=True)
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def user(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs commands as somebody who has nothing but this virtual environment."""
    home = tmp_path_factory.mktemp("user")
    venv.create(home / "venv", with_pip=True)
    scripts = home / "venv" / "bin"
    kept = {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
    environment = {**kept, "PATH": str(scripts), "HOME": str(home)}

    def run(command: str, *arguments: str | Path, cwd: Path = home, **more: str) -> str:
        return _run(scripts / command, *arguments, cwd=cwd, env={**environment, **more})

    run("pip", "install", "--quiet", f"{wheel}[module]")
    return run


def _run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_from_init_to_a_client_that_hears(user: Run, server: Api, tmp_path: Path) -> None:
    name = f"quickstart-{os.getpid()}"
    user("spacetime-py", "init", name, cwd=tmp_path)
    project = tmp_path / name
    here = {"SPACETIMEDB_URI": server.url}
    published = user("spacetime-py", "publish", cwd=project, **here)
    assert published.startswith(f"created {name} (")
    assert "7 files" in user("spacetime-py", "generate", cwd=project, **here)
    heard = user("python", "main.py", "Ada", cwd=project, SPACETIMEDB_HOST=server.url)
    assert heard == "Ada is here (1 in all)\n"
    user("spacetime-py", "call", "add", "Grace", cwd=project, **here)
    assert "Grace" in user("spacetime-py", "sql", "SELECT * FROM person", cwd=project, **here)
    user("spacetime-py", "call", "say_hello", cwd=project, **here)
    assert "Hello, Ada!" in user("spacetime-py", "logs", cwd=project, **here)
    assert "ok" in user("spacetime-py", "doctor", cwd=project, **here)
    again = user("spacetime-py", "publish", cwd=project, **here)
    assert again.startswith(f"updated {name} (")


def test_each_template_by_itself(user: Run, tmp_path: Path) -> None:
    user("spacetime-py", "init", "only-module", "--module", cwd=tmp_path)
    assert "Python modules" in user("spacetime-py", "build", cwd=tmp_path / "only-module")
    assert (tmp_path / "only-module" / "build" / "module.wasm").stat().st_size < 5_000_000
    user("spacetime-py", "init", "only-client", "--client", cwd=tmp_path)
    assert not (tmp_path / "only-client" / "spacetimedb").exists()
