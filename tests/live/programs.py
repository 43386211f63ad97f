"""Programs of their own process, on the database of a test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .target import Target

# Seconds after which a program that hangs fails.
PATIENCE = 60.0


def options_of(target: Target) -> str:
    """The arguments of `DbConnection`, in JSON."""
    database, protocols = target.database, list(target.place.protocols)
    return json.dumps({"uri": database.url, "database": database.name, "protocols": protocols})


def start(
    target: Target, source: str, folder: Path, options: str | None = None
) -> subprocess.Popen[str]:
    """`module_bindings` are those of the target, `sys.argv[1]` the options of `DbConnection`."""
    bindings = Path(target.bindings.__file__).parent
    shutil.copytree(bindings, folder / "module_bindings", dirs_exist_ok=True)
    program = folder / "program.py"
    program.write_text(source, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-W", "error", program, options or options_of(target)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
