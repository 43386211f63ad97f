"""The runtime is reproducible: the same bytes in another folder, and from another user.

Each build is also compared with `runtime/hashes.json`, which other machines wrote.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.cache import cache_folder
from tests.server.python_modules import ROOT

pytestmark = [pytest.mark.runtime, pytest.mark.slow]

SOAK = os.environ.get("SPACETIME_TEST_SOAK") == "1"
PYTHON = "/usr/bin/python3.11"  # what CPython's build needs anyway, and others may run
OTHER = {"LANG": "de_DE.UTF-8", "TZ": "Asia/Tokyo", "CFLAGS": "-O1", "USER": "somebody"}


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder that other users may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="else where ") as made:
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "cache" / "spacetime-py").mkdir(parents=True)
        shutil.copytree(ROOT / "runtime", folder / "scripts")
        yield folder


def build(folder: Path, user: str | None = None) -> dict[str, Any]:
    """What is said of the result of the scripts there, with the cache that is there."""
    settings = {"PATH": os.environ["PATH"], "HOME": str(folder), **OTHER}
    done = subprocess.run(
        [PYTHON, str(folder / "scripts" / "build.py")],
        env={**settings, "XDG_CACHE_HOME": str(folder / "cache")},
        user=user,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"{folder}/cache/")
    return about(Path(done.stdout.strip()))


def about(result: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((result / "runtime.json").read_text())
    return read


def ours() -> dict[str, Any]:
    command = [PYTHON, str(ROOT / "runtime" / "build.py")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return about(Path(done.stdout.strip()))


def test_linked_in_another_folder(elsewhere: Path, runtime: None) -> None:
    """All but CPython is compiled again."""
    for kept in ("runtime-source", *(path.name for path in cache_folder().glob("cpython-*"))):
        (elsewhere / "cache" / "spacetime-py" / kept).symlink_to(cache_folder() / kept)
    assert build(elsewhere) == ours()


@pytest.mark.skipif(not SOAK, reason="compiles CPython again: SPACETIME_TEST_SOAK=1 for this")
@pytest.mark.skipif(os.geteuid() != 0, reason="root can be another user")
def test_compiled_by_another_user(elsewhere: Path, runtime: None) -> None:
    source = elsewhere / "cache" / "spacetime-py" / "runtime-source"
    shutil.copytree(cache_folder() / "runtime-source", source)
    subprocess.run(["chown", "-R", "nobody", elsewhere], check=True)
    assert build(elsewhere, user="nobody") == ours()
