"""The server's binary, built from its published source."""

from __future__ import annotations

import shutil
from pathlib import Path

from .cache import BuildError, cache_folder, lock, run_cargo, say
from .packages import install_packages

CRATE = "spacetimedb-standalone"
# The newest release without V8, whose own build downloads a binary that no registry has.
VERSION = "1.2.0"
CRATES = 424

# OpenSSL and jemalloc come as source (make, perl); tracy is C++.
TOOLS = ("cc", "c++", "make", "perl")
PACKAGES = ("build-essential", "perl")


def server_binary() -> Path:
    """The path of the server's binary; the first call on a machine builds it."""
    root = cache_folder() / f"{CRATE}-{VERSION}"
    if not root.exists():
        with lock("server"):
            if not root.exists():
                _build(root)
    return root / "bin" / CRATE


def _build(root: Path) -> None:
    _require_tools()
    say(f"building {CRATE} {VERSION} ({CRATES} crates) into {root}")
    say("this happens once and takes about 15 minutes on two cores")
    partial = root.with_name(f"{root.name}.partial")
    target = cache_folder() / "build" / "standalone"
    command = ["cargo", "install", f"{CRATE}@{VERSION}", "--locked", "--force"]
    command += ["--root", str(partial), "--target-dir", str(target)]
    run_cargo("server build", command, cache_folder())
    partial.rename(root)
    shutil.rmtree(target)


def _require_tools() -> None:
    if shutil.which("cargo") is None:
        raise BuildError(
            "the server is built from source: install Rust with rustup, then try again"
        )
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        install_packages(
            PACKAGES,
            f"the server's build needs {', '.join(missing)}; on Debian or Ubuntu, as root:\n"
            f"  apt-get update && apt-get install {' '.join(PACKAGES)}",
        )
