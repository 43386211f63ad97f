"""The patches on pristine sources: they fit without fuzz, and a hunk that has drifted is told."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from .patched import APPLY, ROOT, VERSIONS, download, run_own_tests

# They take sources from the registry, as the build of the server does.
pytestmark = pytest.mark.real_server

CHECK = ROOT / "cli-patches" / "check"
PATCH = ROOT / "cli-patches" / "1.x" / "cli.patch"


class Hunk(NamedTuple):
    file: str
    """In the crate."""
    lines: list[str]
    """What it finds there."""


def hunks() -> list[Hunk]:
    found: list[Hunk] = []
    file = ""
    for line in PATCH.read_text().splitlines():
        if line.startswith("--- a/crates/cli/"):
            file = line.removeprefix("--- a/crates/cli/")
        elif line.startswith("@@"):
            found.append(Hunk(file, []))
        elif line.startswith((" ", "-")) and not line.startswith("---"):
            found[-1].lines.append(line[1:])
    return found


HUNKS = hunks()


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("pristine")
    return {version: download(version, place) for version in VERSIONS}


def texts(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def run(tool: Path, tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tool, tree], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("version", VERSIONS)
def test_they_fit_what_was_published(
    sources: dict[str, Path], version: str, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(sources[version], tree)
    done = run(APPLY, tree)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tree}: the patches for 1.x fit, without fuzz\n"
    before, after = texts(sources[version]), texts(tree)
    changed = {path for path, text in before.items() if after.get(path) != text}
    assert changed == {hunk.file for hunk in HUNKS} | {"Cargo.toml"}
    assert not [path for path in {*after} - {*before} if path.endswith((".rej", ".orig"))]
    assert "has the patches already" in run(APPLY, tree).stderr


def test_a_check_leaves_the_tree_alone(sources: dict[str, Path]) -> None:
    tree = sources[VERSIONS[0]]
    before = texts(tree)
    done = run(CHECK, tree)
    assert done.stdout == f"the patches fit {tree}, without fuzz\n"
    assert done.returncode == 0
    assert texts(tree) == before


@pytest.mark.parametrize("hunk", HUNKS, ids=lambda hunk: f"{Path(hunk.file).stem}-{hunk.lines[0]}")
@pytest.mark.parametrize("line", ["first", "last"])
def test_a_line_that_is_not_what_a_hunk_expects(
    sources: dict[str, Path], hunk: Hunk, line: str, tmp_path: Path
) -> None:
    """Each hunk has one line of context on each side: with the least fuzz it would still apply."""
    tree = tmp_path / "tree"
    shutil.copytree(sources[VERSIONS[0]], tree)
    file = tree / hunk.file
    there = "\n".join(hunk.lines)
    drifted = [*hunk.lines]
    place = 0 if line == "first" else -1
    drifted[place] = drifted[place] + " // drifted"
    text = file.read_text()
    assert text.count(f"\n{there}\n") == 1
    file.write_text(text.replace(f"\n{there}\n", "\n" + "\n".join(drifted) + "\n"))
    before = texts(tree)
    done = run(APPLY, tree)
    assert done.returncode == 1
    assert f"the hunks of {PATCH} do not fit {tree}" in done.stderr
    assert re.search(r"1 out of \d+ hunks? FAILED", done.stderr)
    assert texts(tree) == before
    assert run(CHECK, tree).returncode != 0


def test_lines_that_only_moved_do_no_harm(sources: dict[str, Path], tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(sources[VERSIONS[0]], tree)
    for path in {hunk.file for hunk in HUNKS}:
        text = (tree / path).read_text()
        (tree / path).write_text("// something new\n" * 20 + text)
    assert run(APPLY, tree).returncode == 0


@pytest.mark.slow
def test_our_own_files_pass_their_tests() -> None:
    """They are part of upstream's crate, and compile nowhere else."""
    run_own_tests()
