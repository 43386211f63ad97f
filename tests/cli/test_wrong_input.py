"""Wrong input to each command: one clear line, an exit code, and nothing half-written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from spacetime_py.cli.app import app
from spacetime_py.cli.init import TEMPLATES
from spacetime_py.http import HttpClient
from tests.server.api import Api, Database

from .conftest import GOOD, Command

Refused = Callable[..., str]

CHAT = Path(__file__).parents[1] / "codegen" / "schemas" / "chat.json"
NOWHERE = "http://127.0.0.1:9"
WASM = b"\0asm\1\0\0\0"

# Every command that speaks to a server, with what it needs besides.
OF_A_SERVER = {
    "publish": ["publish", "--wasm", "empty.wasm", "-d", "x"],
    "generate": ["generate", "-d", "x"],
    "call": ["call", "-d", "x", "add"],
    "sql": ["sql", "-d", "x", "SELECT * FROM note"],
    "logs": ["logs", "-d", "x"],
    "describe": ["describe", "-d", "x"],
    "login": ["login"],
}
# And those that speak to none.
OTHERS = {
    "init": ["init", "name"],
    "build": ["build"],
    "replay": ["replay", "session.jsonl", "--schema", "chat.json"],
    "logout": ["logout"],
    "doctor": ["doctor"],
    "completion": ["completion", "bash"],
}


def each(commands: dict[str, list[str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("arguments", commands.values(), ids=commands.keys())


def files(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "empty.wasm").write_bytes(WASM)
    (tmp_path / "session.jsonl").write_text("no recording\n")
    shutil.copy(CHAT, tmp_path)
    return tmp_path


def test_no_command_is_left_out() -> None:
    assert {*OF_A_SERVER, *OTHERS} == {*app.list_commands(None)}  # type: ignore[arg-type]


# ---------------------------------------------------------------- no server, or not as whom


@each({**OF_A_SERVER, "doctor": ["doctor"]})
def test_no_server(command: Command, here: Path, arguments: list[str]) -> None:
    before = files(here)
    done = command(*arguments, "--uri", NOWHERE)
    assert done.code == 1
    said = done.out if arguments == ["doctor"] else done.err
    assert f"cannot reach {NOWHERE}" in said
    assert "is the server running?" in said
    assert arguments == ["doctor"] or done.err.count("\n") == 1
    assert files(here) == before


@each(OF_A_SERVER)
def test_what_is_no_token(refused: Refused, here: Path, arguments: list[str]) -> None:
    before = files(here)
    line = refused(*arguments, "--uri", NOWHERE, "--token", "two\nlines")
    assert "give it as the server gave it" in line
    assert files(here) == before


@pytest.mark.parametrize("token", ["", "two\nlines", "gr\u00fcn", "a b"])
def test_tokens_that_no_header_can_hold(token: str) -> None:
    with pytest.raises(ValueError, match=r"the token (is empty|has characters)"):
        HttpClient(NOWHERE, token)


@pytest.mark.real_server
@each({name: part for name, part in OF_A_SERVER.items() if name not in ("login", "publish")})
def test_a_token_of_nobody(
    refused: Refused, here: Path, arguments: list[str], chat_database: Database
) -> None:
    before = files(here)
    arguments = [chat_database.name if one == "x" else one for one in arguments]
    line = refused(*arguments, "--uri", chat_database.url, "--token", "nobodys")
    assert "HTTP 401" in line
    assert "token" in line
    assert files(here) == before


@pytest.mark.real_server
@each({name: part for name, part in OF_A_SERVER.items() if name not in ("login", "publish")})
def test_no_database(refused: Refused, here: Path, arguments: list[str], server: Api) -> None:
    before = files(here)
    line = refused(*arguments, "--uri", server.url)
    assert f"there is no database `x` at {server.url}" in line
    assert files(here) == before


# ---------------------------------------------------------------- the project


@each({**OF_A_SERVER, **OTHERS})
def test_a_bad_pyproject(command: Command, here: Path, arguments: list[str]) -> None:
    """Those that need none do not read it."""
    (here / "pyproject.toml").write_text("[tool.spacetime\n")
    before = files(here)
    done = command(*arguments)
    if arguments[0] in ("init", "completion"):
        assert done.code == 0
        return
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    if arguments[0] == "replay":
        assert "session.jsonl, line 1 is no line of a recording" in done.err
    else:
        assert f"cannot read {here / 'pyproject.toml'}: " in done.err
    assert files(here) == before


def test_what_is_no_wasm(refused: Refused, here: Path) -> None:
    (here / "empty.wasm").write_bytes(b"")
    line = refused("publish", "--wasm", "empty.wasm", "-d", "x", "--uri", NOWHERE)
    assert "empty.wasm is no wasm file" in line
    assert "empty.wasm is no module" in refused("generate", "--wasm", "empty.wasm")


@pytest.mark.real_server
def test_a_wasm_file_that_is_no_module(command: Command, here: Path, server: Api) -> None:
    token = ("--token", server.owner.token)
    done = command(
        "publish", "--wasm", "empty.wasm", "-d", "no-module", "--uri", server.url, *token
    )
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "there is no database" in command("sql", "-d", "no-module", "x", "--uri", server.url).err


@pytest.mark.parametrize("name", ["class", "import", "none", "async-def"])
def test_projects_called_like_keywords(command: Command, here: Path, name: str) -> None:
    """They are names of databases and of folders, never of Python."""
    assert command("init", name).code == 0
    assert f'database = "{name}"' in (here / name / "pyproject.toml").read_text()


def test_one_part_and_the_other(command: Command, here: Path) -> None:
    done = command("init", "name", "--module", "--client")
    assert done.code == 2
    assert "--module and --client exclude each other" in done.err
    assert not (here / "name").exists()


# ---------------------------------------------------------------- where nothing can be written


def limited(tmp_path: Path, size: int, *arguments: str | Path) -> str:
    """The line of a run that can write no file of more than `size` bytes, as on a full disk."""
    done = subprocess.run(
        ["prlimit", f"--fsize={size}", sys.executable, "-m", "spacetime_py", *map(str, arguments)],
        cwd=tmp_path,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done
    assert "File too large" in done.stderr
    return done.stderr


needs_prlimit = pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is Linux's")
SMALLER_THAN_ONE_OF_MANY = 1000


@needs_prlimit
def test_init_on_a_full_disk(here: Path) -> None:
    sizes = [path.stat().st_size for path in TEMPLATES.rglob("*") if path.is_file()]
    assert min(sizes) < SMALLER_THAN_ONE_OF_MANY < max(sizes)
    before = files(here)
    limited(here, SMALLER_THAN_ONE_OF_MANY, "init", "deep", "--path", "a/b/deep")
    assert files(here) == before
    assert not (here / "a").exists()


@needs_prlimit
def test_generate_on_a_full_disk(here: Path, command: Command) -> None:
    limited(here, 1000, "generate", "--schema", "chat.json", "--out", "new")
    assert not (here / "new").exists()
    assert command("generate", "--schema", CHAT.with_name("empty.json"), "--out", "old").code == 0
    before = files(here)
    limited(here, 1000, "generate", "--schema", "chat.json", "--out", "old")
    assert files(here) == before


@needs_prlimit
@pytest.mark.runtime
@pytest.mark.usefixtures("runtime")
def test_build_on_a_full_disk(project: Callable[[str], Path], tmp_path: Path) -> None:
    folder = project(GOOD)
    before = files(folder)
    limited(tmp_path, 100_000, "build", folder)
    assert files(folder) == before


@needs_prlimit
def test_login_on_a_full_disk(here: Path) -> None:
    line = limited(here, 10, "login", "--token", "one-that-is-long-enough")
    assert "cannot write" in line
    assert list((here / "config" / "spacetime-py").iterdir()) == []


def test_a_file_where_a_folder_should_be(refused: Refused, here: Path) -> None:
    before = files(here)
    out = here / "chat.json" / "below"
    assert f"{out}: Not a directory" in refused("generate", "--schema", CHAT, "--out", out)
    assert f"{out}: Not a directory" in refused("init", "name", "--path", out)
    elsewhere = {"XDG_CONFIG_HOME": str(here / "chat.json")}
    line = refused("login", "--token", "T", **elsewhere)
    assert f"cannot read {here / 'chat.json'}/spacetime-py/credentials.json: Not a" in line
    assert files(here) == before


def test_whoever_reads_the_output_may_have_enough() -> None:
    command = [sys.executable, "-m", "spacetime_py", "completion", "bash"]
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(command, stdout=closed, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (1, b"")
