"""Where a comparison runs: the data folder, the TypeScript side with its packages, versions."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from spacetime_py import __version__
from tests.server.cache import cache_folder, lock
from tests.server.npm import node_modules

from .driver import DEFAULT_SDK, ROOT, Bench

HERE = Path(__file__).parent
# Lock files name the SDKs; the packages are in the cache folder, for each lock file once.
PACKAGES = {"2.10.1": ROOT / "tests/peer/typescript", "1.12.0": ROOT / "tests/typescript"}
PACKAGES_OF_PYTHON = {"uvloop": "0.23.0", "msgspec": "0.22.0"}
SHARED_SCRIPT = ROOT / "tests/typescript/bindings.mjs"


class SetupError(Exception):
    """Something is missing on this machine; the message says what to install."""


@contextmanager
def bench(is_quick: bool = False) -> Iterator[Bench]:
    """A place of its own, which goes away. Raises SetupError."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise SetupError(f"{program} is not installed: the comparison needs Node 20 with npm")
    with TemporaryDirectory(prefix="bench-compare-") as name:
        scripts = {sdk: Path(name) / f"typescript-{sdk}" for sdk in PACKAGES}
        for sdk, folder in scripts.items():
            folder.mkdir()
            for script in (*HERE.glob("typescript/*.mjs"), SHARED_SCRIPT):
                shutil.copyfile(script, folder / script.name)
            (folder / "node_modules").symlink_to(node_modules(PACKAGES[sdk]))
        paths = [_folder(*package) for package in PACKAGES_OF_PYTHON.items()]
        yield Bench(Path(name), scripts, os.pathsep.join(paths), is_quick)


def _folder(package: str, version: str) -> str:
    """A package apart from the virtual environment, whose tests choose their loops."""
    folder = cache_folder() / f"{package}-{version}-{sys.implementation.cache_tag}"
    with lock(package):
        if not folder.exists():
            target = ["--target", str(folder), "--no-deps", f"{package}=={version}"]
            command = [sys.executable, "-m", "pip", "install", "--quiet", *target]
            if subprocess.run(command, check=False).returncode != 0:
                raise SetupError(f"{package} {version} could not be installed: see above")
    return str(folder)


def versions() -> dict[str, str]:
    """What is compared."""
    packages = node_modules(PACKAGES[DEFAULT_SDK])
    is_profiled = Path(sys.prefix, ".profiled").exists()  # tools/build_profiled.sh
    return {
        "spacetime-py": f"{__version__} ({_output('git', 'rev-parse', '--short', 'HEAD')})",
        "its core": "guided by a profile, as in wheels" if is_profiled else "built plainly",
        "Python": platform.python_version(),
        **PACKAGES_OF_PYTHON,
        "spacetimedb (npm)": _npm_version(packages / "spacetimedb/package.json"),
        "undici (npm)": _npm_version(packages / "undici/package.json"),
        "Node": _output("node", "--version").removeprefix("v"),
    }


def machine() -> dict[str, str]:
    """Where it was measured, and what else it did then."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "processor": models[0] if models else platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "load at the start (1, 5, 15 min)": load,
    }


def _npm_version(manifest: Path) -> str:
    text: str = json.loads(manifest.read_text())["version"]
    return text


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def say(text: str) -> None:
    """Progress; standard output is for the table."""
    print(text, file=sys.stderr, flush=True)
