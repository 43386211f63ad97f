"""Collects `bench_*.py`, and gives the benchmarks the bindings of the test module `all_types`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from spacetime_py import cli

SCHEMA = Path(__file__).parents[2] / "tests/codegen/schemas/schema-1.2.0-version9.json"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    if file_path.name.startswith("bench_") and file_path.suffix == ".py":
        module: pytest.Module = pytest.Module.from_parent(parent, path=file_path)
        return module
    return None


@pytest.fixture(scope="session")
def bindings(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Bindings of `all_types`, which are Any: they are generated while the benchmarks run."""
    folder = tmp_path_factory.mktemp("bindings")
    out = folder / "bench_all_types"
    assert cli.main(["generate", "--schema", str(SCHEMA), "--out", str(out)]) == 0
    sys.path.insert(0, str(folder))
    return importlib.import_module(out.name)
