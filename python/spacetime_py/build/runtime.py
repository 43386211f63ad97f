"""The runtime's files: CPython for the module ABI, and Python's library."""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .errors import BuildError
from .program import Source

VARIABLE = "SPACETIME_PY_RUNTIME"
"""A folder with the runtime's files, for those who work on it."""

LEVELS = ("10.0", "10.5")
"""Levels of the module ABI: of all servers, and of servers from 2.2 on."""

_DATA = Path(__file__).parent / "data"
_ABOUT = "runtime.json"

_ADVICE = f"""\
the runtime for server modules is not here: neither in this installation of spacetime-py nor in \
the cache. Install spacetime-py from a wheel, or build it from a checkout of the project:
  python runtime/build.py,
or name a folder that has it in {VARIABLE}"""


@dataclass(frozen=True)
class Runtime:
    """One level's runtime."""

    level: str
    wasm: bytes
    library: Mapping[str, Source]
    """The library's modules by name."""
    source: str
    """Which Python this is."""
    stack: int
    """Bytes at the start of memory that are no data between two calls."""
    groups: Mapping[str, list[int]]
    """Functions that a module may do without: the compiler's, frozen modules', each C module's."""
    notice: str
    """Licences of what a module contains."""

    @property
    def python(self) -> str:
        """The language's version, as in `3.11`."""
        return ".".join(self.source.split()[-1].split(".")[:2])

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.wasm).hexdigest()


@cache
def load_runtime(level: str) -> Runtime:
    """The runtime of one level; `BuildError` says where it comes from when it is not here."""
    if level not in LEVELS:
        raise BuildError(f"there is no runtime for ABI {level!r}: choose {' or '.join(LEVELS)}")
    folder = _folder()
    name = f"runtime-{level}.wasm"
    about: dict[str, Any] = json.loads(_read(folder, _ABOUT))
    wasm = _read(folder, name)
    if hashlib.sha256(wasm).hexdigest() != about["sha256"][name]:
        raise BuildError(f"{folder / name} is damaged: install spacetime-py again")
    return Runtime(
        level=level,
        wasm=wasm,
        library=_library(_read(folder, "Lib.zip")),
        source=about["source"],
        stack=about["stack"],
        groups=about["functions"][name],
        notice=_read(folder, "NOTICE.txt").decode(),
    )


def _folder() -> Path:
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    if (_DATA / f"{_ABOUT}.xz").exists():
        return _DATA
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    found = Path(base, "spacetime-py").glob(f"runtime-*/{_ABOUT}")
    built = [path for path in found if path.parent.suffix != ".partial"]
    if not built:
        raise BuildError(_ADVICE)
    return max(built, key=lambda path: path.stat().st_mtime).parent


def _read(folder: Path, name: str) -> bytes:
    packed = folder / f"{name}.xz"
    try:
        if packed.exists():
            return lzma.decompress(packed.read_bytes())
        return (folder / name).read_bytes()
    except OSError as error:
        raise BuildError(f"{error.filename}: {error.strerror}; {_ADVICE}") from None


def _library(data: bytes) -> dict[str, Source]:
    modules: dict[str, Source] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            dotted = name.removesuffix(".py").replace("/", ".")
            is_package = dotted.endswith("__init__")
            dotted = dotted.removesuffix(".__init__")
            modules[dotted] = Source(archive.read(name).decode(), f"Lib/{name}", is_package)
    return modules
