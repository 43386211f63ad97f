"""The schemas, the packages that are expected of them, and the command that makes them."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from spacetime_py._core import generate

HERE = Path(__file__).parent
SCHEMAS = sorted((HERE / "schemas").glob("*.json"))
GOLDEN = HERE / "golden"
RUFF = HERE / "ruff.toml"


def package_name(schema: Path) -> str:
    return schema.stem.replace(".", "_").replace("-", "_")


def golden(schema: Path) -> Path:
    return GOLDEN / package_name(schema)


def load(name: str) -> Any:
    """A schema, by the name of its file without `.json`."""
    return json.loads((HERE / "schemas" / f"{name}.json").read_text(encoding="utf-8"))


def generated(schema: Any, include_private: bool = False, name: str = "test") -> dict[str, str]:
    return dict(generate(json.dumps(schema), name, include_private))


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())


def load_package(folder: Path) -> ModuleType:
    """Import a package from wherever it is."""
    name = f"_generated_{folder.name}"
    for known in [module for module in sys.modules if module.split(".")[0] == name]:
        del sys.modules[known]
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    spec.loader.exec_module(package)
    return package


def run(*arguments: str | Path, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command `spacetime-py`."""
    command: Sequence[str | Path] = [sys.executable, "-m", "spacetime_py.cli", *arguments]
    return subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)
