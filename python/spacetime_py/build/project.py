"""A project's folder as a program: its entry, its files, and the packages that it imports."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BuildError
from .pack import Packed, pack
from .program import GUEST, Program, Source, read_modules, read_source

DEFAULT_ENTRY = "src/main.py"
DEFAULT_ABI = "10.0"
_FLAGS = ("compiler", "strip", "debug")
_KEYS = {"entry": str, "include": list, "abi": str, **dict.fromkeys(_FLAGS, bool)}


@dataclass(frozen=True)
class Bundled:
    """A package that is in the module beside the program: its name, version and licence."""

    name: str
    version: str
    licence: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.licence})"


@dataclass(frozen=True)
class ProjectProgram:
    """What is to be packed, and how."""

    program: Program
    files: Sequence[Path]
    """The program's own, for the lint."""
    root: Path
    """The folder that the files are named from."""
    include: tuple[str, ...]
    abi: str
    flags: Mapping[str, bool]
    """compiler, strip, debug"""

    def pack(self) -> Packed:
        """The module. Raises BuildError."""
        return pack(self.program, abi=self.abi, include=self.include, **self.flags)

    def bundled(self, modules: Iterable[str]) -> list[Bundled]:
        """Those of the packages that are among the modules of the result."""
        there = {name.partition(".")[0] for name in modules}
        return [_about(package) for package in self.program.packages if package in there]


def read_project(folder: Path, settings: Mapping[str, Any]) -> ProjectProgram:
    """The program of a folder by its `[tool.spacetime]`: entry, include, abi and flags.

    `entry` is a file. The folder that it is in, or the one above its package, holds the program's
    modules. Packages that it imports are taken from the Python that runs this. Raises BuildError.
    """
    _check(folder, settings)
    entry = folder / settings.get("entry", DEFAULT_ENTRY)
    if not entry.is_file():
        raise BuildError(
            f"{entry} is not there: write the module's tables and reducers in it, or name another "
            f"file by entry in [tool.spacetime] of {folder / 'pyproject.toml'}"
        )
    root, name = _module_of(entry)
    own = read_modules(root)
    if name not in own:
        own[name] = Source(read_source(entry), entry.name)
    include = tuple(settings.get("include", ()))
    packages = _packages(own, include)
    modules = dict(own)
    for package in packages.values():
        modules.update(package)
    return ProjectProgram(
        Program(name, modules, tuple(packages)),
        [root / source.path for source in own.values()],
        root,
        include,
        settings.get("abi", DEFAULT_ABI),
        {flag: settings.get(flag, False) for flag in _FLAGS},
    )


def _module_of(entry: Path) -> tuple[Path, str]:
    """The folder that would be on `sys.path`, and the name by which the file is imported."""
    root, parts = entry.parent, [entry.stem]
    while (root / "__init__.py").exists():
        root, parts = root.parent, [root.name, *parts]
    if parts[-1] == "__init__":
        parts.pop()
    return root, ".".join(parts)


def _check(folder: Path, settings: Mapping[str, Any]) -> None:
    for key, kind in _KEYS.items():
        if key in settings and not isinstance(settings[key], kind):
            file = folder / "pyproject.toml"
            raise BuildError(f"{file}: [tool.spacetime] {key} must be of type {kind.__name__}")


def _packages(own: Mapping[str, Source], include: Sequence[str]) -> dict[str, dict[str, Source]]:
    """What the program and its packages import that is neither its own nor in Python's library.

    What has no Python source is left out: an import that fails is explained where it does.
    """
    found: dict[str, dict[str, Source]] = {}
    waiting = [name for source in own.values() for name in _imports(source)]
    waiting += [name.partition(".")[0] for name in include]
    seen = {name.partition(".")[0] for name in own} | {GUEST} | set(sys.stdlib_module_names)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        package = _read_package(name)
        if package:
            found[name] = package
            waiting += [more for source in package.values() for more in _imports(source)]
    return found


def _imports(source: Source) -> Iterator[str]:
    """The first parts of what a module imports, wherever in it."""
    try:
        tree = ast.parse(source.text)
    except SyntaxError:
        return  # explained when it is compiled
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def _read_package(name: str) -> dict[str, Source]:
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:
        return {}  # of what runs this: `__main__`
    origin = None if spec is None else spec.origin
    if origin is None or not origin.endswith(".py"):
        return {}
    path = Path(origin)
    if path.name != "__init__.py":
        return {name: Source(read_source(path), path.name)}
    modules = {
        f"{name}.{inner}": Source(source.text, f"{name}/{source.path}", source.is_package)
        for inner, source in read_modules(path.parent).items()
    }
    return {name: Source(read_source(path), f"{name}/__init__.py", is_package=True), **modules}


def _about(name: str) -> Bundled:
    names = importlib.metadata.packages_distributions().get(name, [name])
    try:
        metadata = importlib.metadata.metadata(names[0])
    except importlib.metadata.PackageNotFoundError:
        return Bundled(name, "of unknown version", "licence unknown")
    kept = [metadata[key] for key in ("License-Expression", "License") if key in metadata]
    licence = str(kept[0]).partition("\n")[0] if kept else "licence unknown"
    return Bundled(names[0], str(metadata["Version"]), licence)
