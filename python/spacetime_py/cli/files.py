"""Files that commands write: all of them or none."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write them in one go, with the folders they need.

    Whatever can fail is done before the first of them is changed: they are written beside their
    places, and then put there. Raises OSError with nothing left behind.
    """
    made: list[Path] = []
    written: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            path = path.resolve()
            _make_folder(path.parent, made)
            partial = path.with_name(f".{path.name}.partial")
            written[path] = partial
            partial.write_bytes(data)
            if path.exists():
                shutil.copymode(path, partial)
        for path, partial in written.items():
            partial.replace(path)
    except OSError:
        for partial in written.values():
            with suppress(OSError):
                partial.unlink()
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise


def _make_folder(folder: Path, made: list[Path]) -> None:
    """With its parents; what is new goes to `made`."""
    missing = [folder]
    while not missing[-1].exists() and missing[-1] != missing[-1].parent:
        missing.append(missing[-1].parent)
    for one in reversed(missing[:-1]):
        one.mkdir()
        made.append(one)
    folder.mkdir(exist_ok=True)
