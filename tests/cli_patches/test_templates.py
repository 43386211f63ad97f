"""The templates as they are written out: formatted, checked, typed; and no file is forgotten."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from spacetime_py.cli.init import template_files

from .bindings import BINDINGS, generated
from .patched import APPLY, ROOT

TEMPLATES = ROOT / "templates" / "python"
SOURCES = ROOT / "cli-patches" / "src"


def written(part: str, place: Path) -> Path:
    """A template as `init` writes it for a project called `my-chat`."""
    for path, text in template_files(part, "my-chat", place).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return place


def check(*command: str | Path, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("part", ["module", "client"])
def test_the_code_is_formatted_and_clean(tmp_path: Path, part: str) -> None:
    folder = written(part, tmp_path / part)
    options = ("--isolated", "--line-length=100")
    check("ruff", "format", "--check", *options, ".", folder=folder)
    rules = ("--select=B,C4,E,F,I,PT,RUF,SIM,UP,W", "--ignore=RUF012")
    check("ruff", "check", *options, *rules, ".", folder=folder)


@pytest.mark.slow
@pytest.mark.parametrize(("part", "files"), [("module", "src"), ("client", "main.py")])
def test_the_code_is_strictly_typed(tmp_path: Path, part: str, files: str) -> None:
    folder = written(part, tmp_path / part)
    check("mypy", "--strict", files, folder=folder)


@pytest.mark.runtime
@pytest.mark.usefixtures("runtime")
def test_the_bindings_of_the_client_are_current(tmp_path: Path) -> None:
    current = generated(tmp_path)
    message = "run `python -m tests.cli_patches.bindings`"
    assert {path.name: path.read_text() for path in BINDINGS.iterdir()} == current, message


def test_version_1_embeds_every_file() -> None:
    """Its list is written by hand, since the crate cannot look for files."""
    source = (SOURCES / "1.x" / "subcommands" / "init" / "python.rs").read_text()
    named = set(re.findall(r'include_str!\("../project/python/(.*?)"\)', source))
    files = [path for path in (TEMPLATES / "module").rglob("*") if path.is_file()]
    assert named == {str(path.relative_to(TEMPLATES / "module")) for path in files}


def test_a_tree_of_something_else_is_refused(tmp_path: Path) -> None:
    done = subprocess.run([APPLY, tmp_path], capture_output=True, text=True)
    assert done.returncode == 1
    assert "neither SpacetimeDB's repository nor its CLI's crate" in done.stderr


def test_a_hunk_that_has_drifted_changes_nothing(tmp_path: Path) -> None:
    tasks = tmp_path / "src" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "mod.rs").write_text("pub mod other;\n")
    (tmp_path / "Cargo.toml").write_text('[package]\nversion = "1.2.0"\n')
    done = subprocess.run([APPLY, tmp_path], capture_output=True, text=True)
    assert done.returncode == 1
    assert "cli.patch do not fit" in done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == ["Cargo.toml", "mod.rs"]


def test_our_rust_files_are_formatted() -> None:
    """They belong to no crate of ours, so that `cargo fmt` passes them by."""
    options = ("--check", "--edition=2021", "--config-path", ROOT)
    done = subprocess.run(
        ["rustfmt", *options, *SOURCES.rglob("*.rs")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
