"""Type checkers accept the programs of the documentation, strictly."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.codegen.packages import GOLDEN
from tests.documentation import BLOCKS, ROOT, SERVER_ABIS

from .test_typing import run

pytestmark = pytest.mark.slow

BINDINGS = {"chat": "chat", "all_types": "schema_1_2_0_version9"}


@pytest.fixture(params=[*sorted(BINDINGS), *SERVER_ABIS])
def programs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder with the programs for one module and its bindings, or with server modules."""
    if request.param in BINDINGS:
        shutil.copytree(GOLDEN / BINDINGS[request.param], tmp_path / "module_bindings")
    for block in BLOCKS:
        if block.module == request.param:
            file = tmp_path / (re.sub(r"\W", "_", block.place) + ".py")
            file.write_text(block.source, encoding="utf-8")
    return tmp_path


def test_mypy(programs: Path) -> None:
    config = programs / "mypy.ini"
    config.write_text(f"[mypy]\nmypy_path = {programs}:{ROOT / 'python'}\n", encoding="utf-8")
    cache = programs / "cache"
    run("mypy", "--strict", "--config-file", config, "--cache-dir", cache, *programs.glob("*.py"))


def test_pyright(programs: Path) -> None:
    config = programs / "pyrightconfig.json"
    paths = [str(programs), str(ROOT / "python")]
    settings = {"include": ["*.py"], "extraPaths": paths, "typeCheckingMode": "strict"}
    config.write_text(json.dumps(settings), encoding="utf-8")
    run("pyright", "--project", config, "--pythonpath", sys.executable)
