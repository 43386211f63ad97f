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
        module: pytest.Module = pytest.Module.from_parent(  # pyright: ignore[reportUnknownMemberType]
            parent, path=file_path
        )
        return module
    return None


def pytest_itemcollected(item: pytest.Item) -> None:
    # One run a round: of several, pytest-codspeed 5.0.4 divides by their number once too often for
    # the table that it prints. Here no run is so short that it would need others around it.
    item.add_marker(pytest.mark.benchmark(min_time=0, max_time=1))


@pytest.fixture(scope="session")
def bindings(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Bindings of `all_types`, which are Any: they are generated while the benchmarks run."""
    folder = tmp_path_factory.mktemp("bindings")
    out = folder / "bench_all_types"
    assert cli.main(["generate", "--schema", str(SCHEMA), "--out", str(out)]) == 0
    sys.path.insert(0, str(folder))
    return importlib.import_module(out.name)
