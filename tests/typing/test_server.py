"""Type checkers know a server module's rows, keys and contexts, and find the mistakes in them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from .test_typing import ROOT, run

CHECKED = [
    Path(__file__).parent / "server_module.py",
    ROOT / "tests" / "modules" / "chat_py" / "src",
    ROOT / "tests" / "modules" / "all_types_py" / "src",
]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("checked", CHECKED, ids=lambda path: path.parent.name)
def test_mypy(tmp_path: Path, checked: Path) -> None:
    config = tmp_path / "mypy.ini"
    config.write_text(f"[mypy]\nmypy_path = {ROOT / 'python'}:{checked}\n", encoding="utf-8")
    strict = ["--strict", "--explicit-package-bases", "--python-version", "3.10"]
    run("mypy", *strict, "--config-file", config, "--cache-dir", tmp_path / "cache", checked)


def test_pyright(tmp_path: Path) -> None:
    """Strictly, and with no `type: ignore` that it does not need."""
    config = tmp_path / "pyrightconfig.json"
    settings = {
        "include": [os.path.relpath(path, tmp_path) for path in CHECKED],
        "extraPaths": [str(ROOT / "python"), *map(str, CHECKED[1:])],
        "pythonVersion": "3.10",
        "typeCheckingMode": "strict",
        "enableTypeIgnoreComments": True,
        "reportUnnecessaryTypeIgnoreComment": True,
    }
    config.write_text(json.dumps(settings), encoding="utf-8")
    run("pyright", "--project", config, "--pythonpath", sys.executable)
