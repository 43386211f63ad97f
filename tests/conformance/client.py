"""`python -m tests.conformance.client CASE`: one case in one process.

| variable | |
| --- | --- |
| `SPACETIME_SDK_TEST_DB_NAME` | the database, new and of the case's module |
| `SPACETIME_SDK_TEST_SERVER_URL` | the server, default http://localhost:3000 |
| `SPACETIME_SDK_TEST_PROTOCOLS` | the versions to offer, default v3,v2,v1 |

It generates its bindings from the running database. `--list` prints the names of the cases.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import anyio

from spacetime_py import cli

from .cases import CASES
from .registry import Case
from .world import World, say

# Seconds after which a case that hangs has failed.
PATIENCE = 60.0


def main(arguments: list[str]) -> int:
    """0 when the case holds, 1 when it does not, 2 when it cannot be told."""
    if arguments == ["--list"]:
        print(*CASES, sep="\n")
        return 0
    if len(arguments) != 1:
        say("usage: python -m tests.conformance.client CASE | --list")
        return 2
    if arguments[0] not in CASES:
        say(f"no such case: {arguments[0]}")
        return 2
    database = os.environ.get("SPACETIME_SDK_TEST_DB_NAME")
    if not database:
        say("SPACETIME_SDK_TEST_DB_NAME names the database")
        return 2
    uri = os.environ.get("SPACETIME_SDK_TEST_SERVER_URL", "http://localhost:3000")
    protocols = os.environ.get("SPACETIME_SDK_TEST_PROTOCOLS", "v3,v2,v1").split(",")
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        bindings = _bindings(uri, database, Path(folder))
        world = World(uri, database, bindings, tuple(protocols))
        return _run(CASES[arguments[0]], world)


def _bindings(uri: str, database: str, folder: Path) -> Any:
    source = ["--uri", uri, "--database", database]
    with redirect_stdout(sys.stderr):
        status = cli.main(["generate", *source, "--out", str(folder / "module_bindings")])
    if status != 0:
        raise SystemExit(2)
    sys.path.insert(0, str(folder))
    return importlib.import_module("module_bindings")


def _run(case: Case, world: World) -> int:
    async def bounded() -> None:
        with anyio.fail_after(PATIENCE):
            await case.body(world)

    try:
        anyio.run(bounded)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
