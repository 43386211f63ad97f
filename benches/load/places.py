"""Where a load runs: a real server 1.2.0 with modules in Python, or in Rust, or the live peer.

Both have the same tables and reducers, so one client program runs on both: of `chat`, and of
`benches/load/module` with the workloads' own.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from benches.bindings import bindings_of_schema
from spacetime_py._core import schema_json
from spacetime_py.build.project import read_project
from spacetime_py.cli.settings import find_project
from spacetime_py.server import _module, _program
from tests.peer.process import Peer
from tests.server.modules import build_module
from tests.server.python_modules import ensure_runtime, python_module
from tests.server.server import Server

MODULE = Path(__file__).parent / "module"
CHAT = Path(__file__).parents[2] / "tests/codegen/schemas/chat.json"
PLACES = ("server", "server-rust", "peer-v1", "peer-v2", "peer-v3")
MAX_MESSAGE = 1 << 30
CONNECT_SECONDS = 60.0
"""More than programs wait by default: hundreds connect at once, to a busy machine."""


@dataclass
class Place:
    """A running server with a database of its own, and the bindings for it."""

    name: str
    server: Server | Peer
    database: str
    bindings: Any

    @property
    def is_peer(self) -> bool:
        return isinstance(self.server, Peer)

    def connection(self, **options: Any) -> Any:
        """A connection that is not entered yet."""
        protocols = (self.name.removeprefix("peer-"),) if self.is_peer else ("v3", "v2", "v1")
        defaults = {
            "uri": self.server.url,
            "protocols": protocols,
            "max_message_size": MAX_MESSAGE,
            "connect_timeout": CONNECT_SECONDS,
        }
        return self.bindings.DbConnection(database=self.database, **{**defaults, **options})


@contextmanager
def place(name: str, module: str = "load") -> Generator[Place, None, None]:
    """A new server, which ends with the block; `module` is `load` or `chat`."""
    schema = CHAT if module == "chat" else schema_of_module()
    bindings = bindings_of_schema(schema, f"load_bindings_{module}")
    if not name.startswith("peer"):
        wasm = rust_twin(module) if name == "server-rust" else wasm_of(module)
        with Server() as server:
            database = server.publish(f"{module}-{uuid4().hex}", wasm)
            yield Place(name, server, database.name, bindings)
    else:
        native = "chat" if module == "chat" else "generic"
        options = () if module == "chat" else ("--schema", str(schema))
        with Peer(databases={module: native}, options=options) as peer:
            yield Place(name, peer, module, bindings)


@cache
def wasm_of(module: str) -> bytes:
    """The module in Python, for a real server."""
    if module == "chat":
        return python_module("chat")
    ensure_runtime()
    project = find_project(MODULE)
    return read_project(project.folder, project.table).pack().wasm


def rust_twin(module: str) -> bytes:
    """The same module in Rust, to see what of a load is the module's."""
    if module != "chat":
        raise SystemExit("only chat has a twin in Rust: take `--place server` for the others")
    return build_module("chat").read_bytes()


@cache
def schema_of_module() -> Path:
    """What `benches/load/module` describes itself as; that needs no runtime."""
    spec = importlib.util.spec_from_file_location("load", MODULE / "src/load.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    _module.begin()
    sys.modules["load"] = program  # annotations are resolved there
    spec.loader.exec_module(program)
    if problems := _program.check():
        raise SystemExit("\n".join(problems))
    descriptor, path = tempfile.mkstemp(prefix="spacetime-py-load-", suffix=".json")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(schema_json(_program.describe(9)))
    return Path(path)
