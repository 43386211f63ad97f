"""Programs from `tests/modules` and from texts, each with declarations of its own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from spacetime_py.server import DeclarationError, _module, _program

from .raw import read_module

# The same module as `all_types`, by the name that type checkers know.
ALL_TYPES = "tests.modules.all_types_py.src.all_types"
MODULES = Path(__file__).resolve().parent.parent / "modules"


@contextmanager
def program(folder: str, *names: str) -> Iterator[list[ModuleType]]:
    """Import a test module, and what is declared beside it, anew."""
    source = str(MODULES / folder / "src")
    before = set(sys.modules)
    sys.path.insert(0, source)
    _module.begin()
    try:
        yield [importlib.import_module(name) for name in names]
    finally:
        sys.path.remove(source)
        for name in set(sys.modules) - before:
            if name.split(".")[0] in [one.split(".")[0] for one in names] or name in names:
                del sys.modules[name]


def described(version: int) -> dict[str, Any]:
    """What the program describes, read back."""
    assert _program.check((10, 5) if version == 10 else (10, 0)) == []
    ((key, module),) = read_module(_program.describe(version)).items()
    assert key == f"V{version}"
    assert isinstance(module, dict)
    return module


def problems(source: str, abi: tuple[int, int] = (10, 5)) -> list[str]:
    """What is wrong with a program of one file, `program.py`, whether found at import or after."""
    _module.begin()
    module = ModuleType("program")
    sys.modules["program"] = module
    text = "from __future__ import annotations\nfrom spacetime_py.server import *\n" + source
    try:
        exec(compile(text, "program.py", "exec", dont_inherit=True), module.__dict__)
    except DeclarationError as error:
        return [str(error)]
    return _program.check(abi)
