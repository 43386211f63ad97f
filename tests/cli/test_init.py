"""`init`: the templates under their true names, and nothing of anybody's is overwritten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from spacetime_py.cli.init import TEMPLATES

from .conftest import Command


def files(folder: Path) -> dict[str, str]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def test_a_project_with_both(succeed: Callable[..., str], tmp_path: Path) -> None:
    said = succeed("init", "my-chat")
    assert said.startswith("my-chat: ")
    commands = [line.split("#")[0].split() for line in said.splitlines() if line.startswith(" ")]
    assert [command[:2] for command in commands] == [
        ["cd", "my-chat"],
        ["spacetime-py", "publish"],
        ["spacetime-py", "generate"],
        ["python", "main.py"],
    ]
    made = files(tmp_path / "my-chat")
    assert {"main.py", ".gitignore", "pyproject.toml", "module_bindings/types.py"} <= set(made)
    assert {"spacetimedb/pyproject.toml", "spacetimedb/src/module/main.py"} <= set(made)
    assert not any("{{" in text for text in made.values())
    assert 'database = "my-chat"' in made["pyproject.toml"]
    count = sum(path.is_file() for path in TEMPLATES.glob("*/**/*"))
    assert len(made) == count


@pytest.mark.parametrize("part", ["module", "client"])
def test_one_part(succeed: Callable[..., str], tmp_path: Path, part: str) -> None:
    said = succeed("init", "one", f"--{part}", "--path", tmp_path / "deep" / "folder")
    assert ("publish" in said, "main.py" in said) == (part == "module", part == "client")
    made = files(tmp_path / "deep" / "folder")
    assert len(made) == sum(path.is_file() for path in (TEMPLATES / part).rglob("*"))


def test_folders_that_are_not_empty(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    assert "taken is not empty" in refused("init", "taken")
    assert files(tmp_path / "taken") == {"notes.txt": "mine"}
    (tmp_path / "file").write_text("mine")
    assert "file/below: Not a directory" in refused("init", "name", "--path", "file/below")


def test_a_repository_that_is_new(succeed: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "new" / ".git").mkdir(parents=True)
    succeed("init", "new")
    assert (tmp_path / "new" / "main.py").exists()


@pytest.mark.parametrize("name", ["Chat", "my_chat", "-chat", "chat-", "a b", "", "../x"])
def test_names_that_a_database_cannot_have(command: Command, tmp_path: Path, name: str) -> None:
    done = command("init", "--", name)
    assert done.code == 2
    assert "is no name for a database" in " ".join(done.err.split())
    assert files(tmp_path) == {}
