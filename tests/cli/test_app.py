"""The command itself, and `doctor`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spacetime_py import __version__
from spacetime_py.build import project
from spacetime_py.cli.settings import KEYS, MODULE_KEYS
from tests.server.api import Database

from .conftest import Command


def test_every_command_has_help(succeed: Callable[..., str]) -> None:
    commands = succeed("--help").partition("Commands:")[2]
    names = [line.split()[0] for line in commands.splitlines() if line.startswith("  ")]
    assert {"generate", "call", "sql", "logs", "describe", "login", "doctor", "replay"} <= {*names}
    for name in names:
        assert succeed(name, "--help").startswith(f"Usage: spacetime-py {name}")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(succeed: Callable[..., str], shell: str) -> None:
    script = succeed("completion", shell)
    assert "_SPACETIME_PY_COMPLETE" in script
    words = {"COMP_WORDS": "spacetime-py desc", "COMP_CWORD": "1"}
    found = succeed(_SPACETIME_PY_COMPLETE="bash_complete", **words)
    assert found == "plain,describe\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.spacetime]\nuri = 5\n", "[tool.spacetime] uri must be a string"),
        ("[tool]\nspacetime = 5\n", "tool.spacetime must be a table"),
        ("[tool.spacetime\n", "cannot read"),
        ("\ufeff[[", "cannot read"),
    ],
)
def test_a_bad_pyproject(
    refused: Callable[..., str], tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    said = refused("logs", "-d", "x")
    assert message in said
    assert str(tmp_path / "pyproject.toml") in said


@pytest.mark.real_server
def test_doctor(command: Command, tmp_path: Path, chat_database: Database) -> None:
    settings = f'[tool.spacetime]\nuri = "{chat_database.url}"\ndatabase = "{chat_database.name}"\n'
    (tmp_path / "pyproject.toml").write_text(settings)
    done = command("doctor")
    assert done.code == 0, done
    assert f"spacetime-py: {__version__}" in done.out
    assert f"server: 1.2.0 at {chat_database.url}" in done.out
    assert f"database {chat_database.name}: is there" in done.out
    assert command("generate").code == 0
    assert "bindings module_bindings: current" in command("doctor").out
    tables = tmp_path / "module_bindings" / "tables.py"
    tables.write_text(tables.read_text().split("\n")[0] + "\n")
    done = command("doctor", "--json")
    assert done.code == 1
    (bad,) = [finding for finding in json.loads(done.out) if finding["remedy"] is not None]
    assert (bad["what"], bad["remedy"]) == ("bindings module_bindings", "`spacetime-py generate`")


def test_doctor_finds_settings_that_are_misspelled(command: Command, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.spacetime]\ndatabse = "chat"\nabi = "10.0"\n')
    done = command("doctor", "--uri", "http://127.0.0.1:9", "--json")
    assert done.code == 1
    first, _ = (finding for finding in json.loads(done.out) if finding["remedy"] is not None)
    assert first["found"] == "nothing looks for databse in [tool.spacetime]"


def test_all_settings_of_a_module_are_known() -> None:
    assert {*project._KEYS} == MODULE_KEYS
    page = (Path(__file__).parents[2] / "docs" / "topics" / "command.md").read_text()
    for key in KEYS | MODULE_KEYS:
        assert f"| `{key}` |" in page


def test_doctor_without_a_server(command: Command) -> None:
    done = command("doctor", "--uri", "http://127.0.0.1:9")
    assert done.code == 1
    assert "cannot reach http://127.0.0.1:9" in done.out
    assert "--uri" in done.out


def test_the_reference_is_made_from_the_parser() -> None:
    tool = Path(__file__).parents[2] / "tools" / "cli_reference.py"
    subprocess.run([sys.executable, str(tool), "--check"], check=True, timeout=60)
