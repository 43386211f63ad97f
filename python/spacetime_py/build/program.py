"""A user's program as the packer takes it: modules by name, one of them the entry."""

from __future__ import annotations

import keyword
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import BuildError

GUEST = "spacetime_py"
"""The package that every program imports; the packer adds the part of it for the database."""


@dataclass(frozen=True)
class Source:
    """One module's text, and the path that messages and tracebacks show for it."""

    text: str
    path: str
    is_package: bool = False


@dataclass(frozen=True)
class Program:
    """What is to become a module. Pure-Python packages are modules like the program's own."""

    entry: str
    modules: Mapping[str, Source]
    packages: tuple[str, ...] = ()
    """The first parts of names that are not the author's: messages point to lines of the others."""

    def __post_init__(self) -> None:
        if self.entry not in self.modules:
            raise BuildError(f"the program has no module {self.entry!r}: it is the entry")
        for name in self.modules:
            if name.partition(".")[0] == GUEST:
                raise BuildError(
                    f"{self.modules[name].path}: a program cannot have a module named {GUEST}: "
                    f"rename it"
                )


def read_modules(folder: Path) -> dict[str, Source]:
    """All modules under a folder that is (or would be) on `sys.path`, with paths relative to it."""
    modules: dict[str, Source] = {}
    for path in sorted(_python_files(folder)):
        relative = path.relative_to(folder)
        parts = list(relative.with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        if is_package:
            parts.pop()
        if parts and all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
            source = Source(read_source(path), relative.as_posix(), is_package)
            modules[".".join(parts)] = source
    return modules


def read_source(path: Path) -> str:
    """A file's text in the encoding that it declares. Raises BuildError."""
    try:
        with tokenize.open(path) as file:
            text = file.read()
    except OSError as error:
        raise BuildError(f"{path}: {error.strerror}") from None
    except (SyntaxError, UnicodeDecodeError):
        problem = "this is no text in the encoding of the file; save it as UTF-8"
        raise BuildError(problem, file=str(path), line=_undecodable_line(path)) from None
    if "\0" in text:
        line = text.partition("\0")[0].count("\n") + 1
        raise BuildError("there is a null byte; remove it", file=str(path), line=line)
    return text


def _undecodable_line(path: Path) -> int:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            line.decode()
        except UnicodeDecodeError:
            return number
    return 1


def guest_modules(debug: bool = False) -> dict[str, Source]:
    """`spacetime_py` as it is in a database: nothing but its `server`, with its settings."""
    folder = Path(__file__).parent.parent / "server"
    modules = {GUEST: Source("", f"{GUEST}/__init__.py", is_package=True)}
    for name, source in read_modules(folder).items():
        path = f"{GUEST}/server/{source.path}"
        modules[f"{GUEST}.server.{name}"] = Source(source.text, path, source.is_package)
    init = folder / "__init__.py"
    path = f"{GUEST}/server/__init__.py"
    modules[f"{GUEST}.server"] = Source(read_source(init), path, is_package=True)
    settings = f"{GUEST}.server._settings"
    modules[settings] = Source(f"DEBUG = {debug}\n", modules[settings].path)
    return modules


def _python_files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith((".", "__pycache__")):
            continue
        if path.is_dir():
            if path.name.isidentifier() and not (path / "pyvenv.cfg").exists():
                yield from _python_files(path)
        elif path.suffix == ".py":
            yield path
