"""Type checkers accept generated packages, find the mistakes in examples.py, and know the core."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GOLDEN = sorted((ROOT / "tests" / "codegen" / "golden").glob("*/*.py"))
CHECKED = [HERE / "examples.py", *GOLDEN]

pytestmark = pytest.mark.slow


def run(tool: str, *arguments: str | Path) -> None:
    pytest.importorskip(tool.split(".")[0])
    command = [sys.executable, "-m", tool, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_is_something_to_check() -> None:
    assert len(GOLDEN) >= 6 * 6


def test_mypy(tmp_path: Path) -> None:
    strict = ["--strict", "--explicit-package-bases", "--python-version", "3.10"]
    config = _mypy_config(tmp_path)
    run("mypy", *strict, "--config-file", config, "--cache-dir", tmp_path / "cache", *CHECKED)


def test_pyright(tmp_path: Path) -> None:
    """Strictly, and with no `type: ignore` that it does not need."""
    config = tmp_path / "pyrightconfig.json"
    settings = {
        "include": [os.path.relpath(path, tmp_path) for path in CHECKED],  # it takes no others
        "extraPaths": [str(ROOT), str(ROOT / "python")],
        "pythonVersion": "3.10",
        "typeCheckingMode": "strict",
        "enableTypeIgnoreComments": True,
        "reportUnnecessaryTypeIgnoreComment": True,
        "reportUnusedExpression": False,
    }
    config.write_text(json.dumps(settings), encoding="utf-8")
    run("pyright", "--project", config, "--pythonpath", sys.executable)


def test_stub_of_the_core(tmp_path: Path) -> None:
    allowed, config = HERE / "stubtest-allowlist.txt", _mypy_config(tmp_path)
    run("mypy.stubtest", "spacetime_py._core", "--allowlist", allowed, "--mypy-config-file", config)


def _mypy_config(folder: Path) -> Path:
    """The project's settings would leave the packages out."""
    path = folder / "mypy.ini"
    path.write_text(f"[mypy]\nmypy_path = {ROOT / 'python'}\n", encoding="utf-8")
    return path
