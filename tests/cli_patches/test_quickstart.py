"""init, build, publish, generate, run: the patched command, a real server, and Python only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.server.api import Api

from .command import Spacetime, is_current
from .patched import ROOT

pytestmark = pytest.mark.real_server

CLIENT = ROOT / "templates" / "python" / "client"


@pytest.fixture
def python(spacetime: Spacetime) -> Spacetime:
    """The command with the Python that runs the tests, which has the package."""
    spacetime.variables["VIRTUAL_ENV"] = sys.prefix
    return spacetime


def texts(folder: Path, project: str = "") -> dict[str, str]:
    """The files of a folder; those of a template as they are written for a project."""
    return {
        path.name.replace("._py", ".py"): path.read_text().replace("{{name}}", project)
        for path in folder.iterdir()
    }


def run_client(folder: Path, uri: str, database: str, *arguments: str) -> str:
    environment = {"SPACETIMEDB_HOST": uri, "SPACETIMEDB_DB_NAME": database}
    command = [sys.executable, "main.py", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_from_nothing_to_a_client_that_hears(
    python: Spacetime, server: Api, tmp_path: Path
) -> None:
    name = f"quick-{uuid4().hex}"
    module = tmp_path / name
    python.succeed("init", "--lang", "python", module)
    python.succeed("build", "--project-path", module)
    assert (module / "build" / "module.wasm").stat().st_size > 1_000_000

    python.succeed("login", "--token", server.owner.token)
    python.succeed("publish", "--server", server.url, "--project-path", module, name)
    client = tmp_path / "client"
    bindings = client / "module_bindings"
    python.succeed("generate", "--lang", "python", "--project-path", module, "--out-dir", bindings)
    is_current(bindings, "--module", module)
    assert texts(bindings) == texts(CLIENT / "module_bindings", name)
    (client / "main.py").write_text((CLIENT / "main._py").read_text())
    assert run_client(client, server.url, name) == "Ada is here (1 in all)\n"
    heard = run_client(client, server.url, name, "Grace").splitlines()
    assert sorted(heard) == ["Ada is here (1 in all)", "Grace is here (2 in all)"]

    python.succeed("call", "--server", server.url, name, "say_hello")
    logs = python.succeed("logs", "--server", server.url, name)
    assert "Hello, Ada!" in logs
    assert "Hello, World!" in logs
    assert "a person needs a name" in python.fail("call", "--server", server.url, name, "add", "")
    server.delete(name)


def test_a_mistake_in_the_module_is_told_with_its_place(python: Spacetime, tmp_path: Path) -> None:
    module = tmp_path / "mistake"
    python.succeed("init", "--lang", "python", module)
    main = module / "src" / "module" / "main.py"
    main.write_text(main.read_text().replace("name: str\n", "name: complex\n"))
    message = python.fail("build", "--project-path", module)
    assert "main.py" in message
    assert "Traceback" not in message
    assert not (module / "build" / "module.wasm").exists()
