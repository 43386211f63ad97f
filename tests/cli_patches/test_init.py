"""`spacetime init --lang python`: the template under its true names, with the project's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import Spacetime
from .patched import ROOT

pytestmark = pytest.mark.real_server

TEMPLATE = ROOT / "templates" / "python" / "module"
NAMES = {
    "pyproject._toml": "pyproject.toml",
    "requirements._txt": "requirements.txt",
    "_gitignore": ".gitignore",
    "README.md": "README.md",
    "AGENTS.md": "AGENTS.md",
    "src/module/__init__._py": "src/module/__init__.py",
    "src/module/main._py": "src/module/main.py",
}


def texts(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


@pytest.mark.parametrize("language", ["python", "py", "Python"])
def test_the_whole_template_is_written(spacetime: Spacetime, tmp_path: Path, language: str) -> None:
    project = tmp_path / "My_Chat 2"
    printed = spacetime.succeed("init", "--lang", language, project)
    assert f"Project successfully created at path: {project}" in printed
    template = texts(TEMPLATE)
    assert template.keys() == NAMES.keys()
    expected = {
        NAMES[name]: text.replace("{{name}}", "my-chat-2") for name, text in template.items()
    }
    assert texts(project) == expected


def test_the_folder_gives_its_name(spacetime: Spacetime, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    spacetime.succeed("init", "--lang", "python", folder=folder)
    assert 'name = "here"' in (folder / "pyproject.toml").read_text()


def test_a_folder_that_is_not_empty_is_left_alone(spacetime: Spacetime, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes").touch()
    assert "non-empty directory" in spacetime.fail("init", "--lang", "python", folder)
    assert list(texts(folder)) == ["notes"]


def test_a_missing_python_is_a_warning(spacetime: Spacetime, tmp_path: Path) -> None:
    spacetime.variables["PATH"] = str(tmp_path)
    printed = spacetime.succeed("init", "--lang", "python", tmp_path / "project")
    assert "you are missing Python 3.10 or newer" in printed
    assert (tmp_path / "project" / "pyproject.toml").is_file()
