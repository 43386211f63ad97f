"""Bindings of the database that a benchmark made, generated from the running server."""

from __future__ import annotations

import importlib
import sys
import tempfile
from typing import Any

from spacetime_py import cli
from tests.server.api import Api


def bindings_of(server: Api, database: str) -> Any:
    """A new package, which is Any: it is generated while the benchmark runs."""
    folder = tempfile.mkdtemp(prefix="spacetime-py-bench-")
    name = f"bindings_of_{database}".replace("-", "_")
    sys.path.insert(0, folder)
    source = ["--uri", server.url, "--database", database]
    if cli.main(["generate", *source, "--out", f"{folder}/{name}"]) != 0:
        raise SystemExit("cannot generate the bindings")
    return importlib.import_module(name)
