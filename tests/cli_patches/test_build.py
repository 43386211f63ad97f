"""`spacetime build` of a Python project: what is run, what comes out, and what a failure says."""

from __future__ import annotations

from pathlib import Path

import pytest

from .command import WASM, Spacetime, StandIn

pytestmark = pytest.mark.real_server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    return folder


def build(spacetime: Spacetime, project: Path) -> str:
    return spacetime.succeed("build", "--project-path", project)


def refused(spacetime: Spacetime, project: Path) -> str:
    return spacetime.fail("build", "--project-path", project)


def test_python_builds_in_the_project(
    spacetime: Spacetime, stand_in: StandIn, project: Path
) -> None:
    assert "Build finished successfully." in build(spacetime, project)
    wasm = project / "build" / "module.wasm"
    assert stand_in.told("folder") == str(project)
    assert stand_in.told("arguments") == f"-m spacetime_py build . -o {wasm}"
    assert wasm.read_bytes() == WASM


def test_a_relative_path_is_the_same_project(
    spacetime: Spacetime, stand_in: StandIn, project: Path
) -> None:
    spacetime.succeed("build", "--project-path", "project", folder=project.parent)
    assert stand_in.told("folder") == str(project)


def test_nothing_optimizes_what_python_built(
    spacetime: Spacetime, project: Path, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    optimizer = tools / "wasm-opt"
    optimizer.write_text(f"#!/bin/sh\ntouch {tools}/was-run\n")
    optimizer.chmod(0o755)
    spacetime.variables["PATH"] = f"{tools}:/usr/bin:/bin"
    build(spacetime, project)
    assert not (tools / "was-run").exists()
    assert [path.name for path in (project / "build").iterdir()] == ["module.wasm"]


def test_the_environment_of_the_project_is_found(
    spacetime: Spacetime, stand_in: StandIn, project: Path
) -> None:
    inner = project / "spacetimedb"
    inner.mkdir()
    (inner / "setup.py").touch()
    (project / ".venv").symlink_to(stand_in.folder)
    del spacetime.variables["VIRTUAL_ENV"]
    build(spacetime, inner)
    assert stand_in.told("folder") == str(inner)


def test_the_reason_of_a_failure_is_shown(
    spacetime: Spacetime, stand_in: StandIn, project: Path
) -> None:
    stand_in.will(status=1, stderr="src/main.py:3: a table needs columns\n")
    message = refused(spacetime, project)
    assert "src/main.py:3: a table needs columns\n" in message
    assert f"Python did not build the module in {project}: see above" in message


def test_an_old_result_is_not_taken_for_a_new_one(
    spacetime: Spacetime, stand_in: StandIn, project: Path
) -> None:
    build(spacetime, project)
    stand_in.will(wasm=None)
    assert "module.wasm is not there, or is no wasm" in refused(spacetime, project)


def test_what_is_no_wasm_is_not_returned(
    spacetime: Spacetime, stand_in: StandIn, project: Path
) -> None:
    stand_in.will(wasm=b"a marker")
    assert "is not there, or is no wasm" in refused(spacetime, project)


def test_a_python_without_the_package_says_how_to_get_it(
    spacetime: Spacetime, stand_in: StandIn, project: Path
) -> None:
    stand_in.will(has_package=False)
    python = stand_in.folder / "bin" / "python"
    message = refused(spacetime, project)
    assert f"{python} has no spacetime_py: run `{python} -m pip install" in message
    assert not stand_in.was_asked()


def test_no_python_at_all(spacetime: Spacetime, project: Path, tmp_path: Path) -> None:
    spacetime.variables = {"PATH": str(tmp_path)}
    assert "cannot run python3: install Python 3.10 or newer" in refused(spacetime, project)
