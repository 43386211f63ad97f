"""Packages of npm for scripts of tests: installed once per lock file, kept in the cache."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from .cache import cache_folder, lock


def beside_packages(sources: Path, folder: Path) -> Path:
    """The folder, with the scripts of `sources` in it and the packages that they import."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    digest = hashlib.sha256((sources / "package-lock.json").read_bytes()).hexdigest()[:16]
    packages = cache_folder() / f"typescript-{digest}"
    with lock("typescript"):
        if not (packages / "done").exists():
            _install(sources, packages)
    for script in sources.glob("*.mjs"):
        shutil.copyfile(script, folder / script.name)
    (folder / "node_modules").symlink_to(packages / "node_modules")
    return folder


def _install(sources: Path, packages: Path) -> None:
    packages.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(sources / name, packages / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=packages, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (packages / "done").touch()
