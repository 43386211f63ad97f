"""`spacetime-py publish` on a real server, and `generate` from a folder, a file, and a database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.server.api import Api, ApiError

from .conftest import GOOD, HEAD, Command, Done

pytestmark = [pytest.mark.runtime, pytest.mark.real_server, pytest.mark.usefixtures("runtime")]

WIDER = GOOD.replace("    text: str\n", "    text: str\n    size: u8\n", 1)


@pytest.fixture
def publish(command: Command, server: Api) -> Command:
    """As the owner of the databases, unless another token is given."""

    def run(*arguments: str | Path, **more: str) -> Done:
        owner = {"SPACETIMEDB_TOKEN": server.owner.token, **more}
        return command("publish", "--uri", server.url, *arguments, **owner)

    return run


def texts(server: Api, name: str) -> list[str]:
    return sorted(row["text"] for row in server.sql(name, "SELECT text FROM note"))


def test_publish_again_and_clear(
    publish: Command, project: Callable[[str], Path], server: Api
) -> None:
    folder = project(GOOD)
    name = folder.name
    first = publish(folder)
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith(f"created {name} (c200")
    server.call(name, "add", ["kept"])
    again = publish(folder, "--json")
    assert json.loads(again.out)["op"] == "updated"
    assert texts(server, name) == ["kept"]
    # Nobody is there to be asked.
    asked = publish(folder, "--clear")
    assert asked.code != 0
    assert texts(server, name) == ["kept"]
    cleared = publish(folder, "--clear", "-y")
    assert (cleared.code, cleared.err) == (0, "")
    assert texts(server, name) == []
    server.delete(name)


def test_nothing_bad_is_published(
    publish: Command, project: Callable[[str], Path], server: Api
) -> None:
    folder = project(HEAD + "raise KeyError('top')\n")
    done = publish(folder)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "main.py:3: KeyError: 'top'; the build imports the program" in done.err
    with pytest.raises(ApiError):
        server.schema(folder.name)


def test_a_change_that_the_server_refuses(
    publish: Command, project: Callable[[str], Path], server: Api
) -> None:
    folder = project(GOOD)
    assert publish(folder).code == 0
    server.call(folder.name, "add", ["kept"])
    done = publish(project(WIDER))
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "note" in done.err
    assert texts(server, folder.name) == ["kept"]
    assert publish(folder, "--clear", "-y").code == 0
    assert texts(server, folder.name) == []
    server.delete(folder.name)


def test_who_may_publish(publish: Command, project: Callable[[str], Path], server: Api) -> None:
    folder = project(GOOD)
    wrong = publish(folder, SPACETIMEDB_TOKEN="nonsense")
    assert (wrong.code, wrong.out, wrong.err.count("\n")) == (1, "", 1)
    assert "token" in wrong.err
    assert publish(folder).code == 0
    other = publish(folder, SPACETIMEDB_TOKEN=server.identity().token)
    assert (other.code, other.out, other.err.count("\n")) == (1, "", 1)
    assert f"the database {folder.name} belongs to somebody else" in other.err
    assert texts(server, folder.name) == []
    server.delete(folder.name)


def test_no_server(refused: Callable[..., str], project: Callable[[str], Path]) -> None:
    line = refused("publish", project(GOOD), "--uri", "http://127.0.0.1:9", "--token", "any")
    assert "cannot reach http://127.0.0.1:9" in line


def test_which_name(command: Command, project: Callable[[str], Path]) -> None:
    folder = project(GOOD)
    (folder / "pyproject.toml").write_text("[tool.spacetime]\n")
    done = command("publish", folder)
    assert done.code == 2
    assert "which name? Say --database NAME" in done.err


def test_files(publish: Command, tmp_path: Path, server: Api, chat_wasm: bytes) -> None:
    """Modules of any language; what is no module is refused in one line."""
    file, name = tmp_path / "any.wasm", f"file-{uuid4().hex}"
    file.write_bytes(chat_wasm)
    assert publish("--wasm", file, "-d", name).out.startswith(f"created {name}")
    server.delete(name)
    file.write_bytes(b"\0asm no module")
    done = publish("--wasm", file, "-d", name)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)


# ---------------------------------------------------------------- generate


def tree(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*.py")}


def test_bindings_of_folder_file_and_database_are_the_same(
    succeed: Callable[..., str],
    publish: Command,
    project: Callable[[str], Path],
    server: Api,
    tmp_path: Path,
) -> None:
    folder = project(GOOD)
    wasm = tmp_path / f"{folder.name}.wasm"
    succeed("build", folder, "-o", wasm)
    assert publish("--wasm", wasm, "-d", folder.name).code == 0
    sources: dict[str, list[str | Path]] = {
        "folder": ["--module", folder],
        "file": ["--wasm", wasm],
        "database": ["--uri", server.url, "--database", folder.name],
    }
    for out, source in sources.items():
        succeed("generate", *source, "--out", tmp_path / out)
    server.delete(folder.name)
    assert "class Note" in "".join(tree(tmp_path / "folder").values())
    assert tree(tmp_path / "folder") == tree(tmp_path / "file") == tree(tmp_path / "database")


def test_a_file_of_another_language(
    succeed: Callable[..., str], server: Api, all_types_wasm: bytes, tmp_path: Path
) -> None:
    name = f"types-{uuid4().hex}"
    file = tmp_path / f"{name}.wasm"
    file.write_bytes(all_types_wasm)
    server.publish(name, all_types_wasm)
    succeed("generate", "--wasm", file, "--out", tmp_path / "file")
    succeed("generate", "--uri", server.url, "--database", name, "--out", tmp_path / "database")
    server.delete(name)
    assert tree(tmp_path / "file") == tree(tmp_path / "database")


def test_no_module(refused: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / "some.wasm"
    file.write_bytes(b"\0asm\1\0\0\0")
    assert "is no module of SpacetimeDB" in refused("generate", "--wasm", file)
    file.write_bytes(b"hello")
    assert "is no module of SpacetimeDB" in refused("generate", "--wasm", file)


def test_the_name_is_remembered(
    publish: Command, project: Callable[[str], Path], server: Api
) -> None:
    folder, name = project(GOOD), f"remembered-{uuid4().hex}"
    file = folder / "pyproject.toml"
    settings = (
        "# mine\n[tool.spacetime]\nentry = 'src/main.py'  # the module\n\n[tool.other]\nx = 1\n"
    )
    file.write_text(settings)
    first = publish(folder, "-d", name)
    assert first.code == 0, first
    assert f"database = {name!r} from now on" in first.err
    written = file.read_text()
    assert f"entry = 'src/main.py'  # the module\ndatabase = \"{name}\"\n" in written
    assert written.startswith("# mine\n")
    assert written.endswith("[tool.other]\nx = 1\n")
    assert publish(folder).out.startswith(f"updated {name} (")
    other = f"{name}-2"
    assert publish(folder, "-d", other).out.startswith(f"created {other} (")
    assert file.read_text() == written, "what is there stays"
    for made in (name, other):
        server.delete(made)
