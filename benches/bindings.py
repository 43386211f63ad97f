"""Bindings of the database that a benchmark made, generated from the running server."""

from __future__ import annotations

import importlib
import re
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from spacetime_py import cli
from tests.server.api import Api


def bindings_of(server: Api, database: str) -> Any:
    """A new package, which is Any: it is generated while the benchmark runs."""
    return _generated(["--uri", server.url, "--database", database], f"bindings_of_{database}")


def bindings_of_schema(schema: Path, name: str) -> Any:
    """The same from a file."""
    return _generated(["--schema", str(schema)], name)


def _generated(source: list[str], name: str) -> Any:
    folder = tempfile.mkdtemp(prefix="spacetime-py-bench-")
    name = re.sub(r"\W", "_", name)
    sys.path.insert(0, folder)
    # Standard output is for figures.
    with redirect_stdout(sys.stderr):
        status = cli.main(["generate", *source, "--out", f"{folder}/{name}"])
    if status != 0:
        raise SystemExit("cannot generate the bindings")
    return importlib.import_module(name)
