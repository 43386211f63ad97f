"""Scripts for Node beside the packages that their lock file names, installed once per machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .cache import cache_folder, lock

TIMEOUT = 60.0
"""Seconds after which a script hangs."""


def prepare(sources: Path, folder: Path) -> Path:
    """Copy the scripts of `sources` into `folder`, with what they import."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    for script in sources.glob("*.mjs"):
        shutil.copyfile(script, folder / script.name)
    (folder / "node_modules").symlink_to(node_modules(sources))
    return folder


def node_modules(sources: Path) -> Path:
    """The packages that the lock file in `sources` names."""
    digest = hashlib.sha256((sources / "package-lock.json").read_bytes()).hexdigest()[:16]
    packages = cache_folder() / f"typescript-{digest}"
    with lock("typescript"):
        if not (packages / "done").exists():
            _install(sources, packages)
    return packages / "node_modules"


def _install(sources: Path, packages: Path) -> None:
    packages.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(sources / name, packages / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=packages, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (packages / "done").touch()


def run_scenario(folder: Path, *arguments: str) -> None:
    """Run one scenario, which says `passed` in its last line."""
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    command = ["node", "run.mjs", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT
    )
    passed = done.returncode == 0 and done.stdout.splitlines()[-1:] == ["passed"]
    assert passed, f"{done.stdout}\n{done.stderr}"
