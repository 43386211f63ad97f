"""System packages that a build needs: installed by apt where we are root, asked for elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from .cache import BuildError, say


def install_packages(packages: Sequence[str], advice: str) -> None:
    """Install with apt when we are root; without, or if it fails, `BuildError` with the advice."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BuildError(advice)
    say(f"installing {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        line = ["apt-get", "--quiet", *command]
        done = subprocess.run(line, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            output = (done.stdout + done.stderr)[-2000:]
            raise BuildError(f"{advice}\n\napt-get {command[0]} said:\n{output}")
