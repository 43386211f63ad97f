"""Where commands get what was not said: the environment, then `[tool.spacetime]` of the project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import tomlkit
from tomlkit.exceptions import TOMLKitError

from ..credentials import TokenStore
from ..exceptions import ProjectError
from ..http import HttpClient
from ..http.client import base_uri
from ..token_source import checked_token
from .files import write_files

DEFAULT_URI = "http://127.0.0.1:3000"

KEYS = {"bindings", "database", "module", "uri"}
"""What commands look for in `[tool.spacetime]`."""

MODULE_KEYS = {"abi", "compiler", "debug", "entry", "include", "strip"}
"""And what the build of a server module does."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Project:
    """The settings of a project: `[tool.spacetime]` of the nearest pyproject.toml that has it."""

    folder: Path
    table: dict[str, Any] = field(default_factory=dict[str, Any])

    def text(self, key: str) -> str | None:
        """A setting that is a string. Raises ProjectError."""
        value = self.table.get(key)
        if value is not None and not isinstance(value, str):
            raise ProjectError(f"{self.file}: [tool.spacetime] {key} must be a string")
        return value

    @property
    def unknown(self) -> list[str]:
        """Settings that nothing looks for."""
        return sorted(self.table.keys() - KEYS - MODULE_KEYS)

    @property
    def file(self) -> Path:
        return self.folder / "pyproject.toml"

    @property
    def bindings(self) -> Path:
        """The folder of the generated package."""
        return self.folder / (self.text("bindings") or "module_bindings")


def find_module(start: Path | None = None) -> Project:
    """The project of the server module: that of `start`, or the folder that its `module` names."""
    project = find_project(start)
    folder = project.text("module")
    return project if folder is None else find_project(project.folder / folder)


def find_project(start: Path | None = None) -> Project:
    """The project that `start` (the current folder) is in; without one an empty one of `start`.

    Raises ProjectError.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        table = _settings(folder / "pyproject.toml")
        if table is not None:
            return Project(folder, table)
    return Project(start)


def _settings(file: Path) -> dict[str, Any] | None:
    try:
        found = tomlkit.parse(file.read_text(encoding="utf-8")).unwrap()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise ProjectError(f"cannot read {file}: {error}") from error
    table = found.get("tool", {}).get("spacetime")
    if table is not None and not isinstance(table, dict):
        raise ProjectError(f"{file}: tool.spacetime must be a table, [tool.spacetime]")
    return cast("dict[str, Any] | None", table)


def remember(project: Project, key: str, value: str) -> bool:
    """Write a setting into the project's `[tool.spacetime]`, unless it has one; True when written.

    A project without that table is left alone. Comments and order stay as they are.
    """
    if not project.table or key in project.table:
        return False
    document = tomlkit.parse(project.file.read_text(encoding="utf-8"))
    cast("dict[str, Any]", document)["tool"]["spacetime"][key] = value
    write_files({project.file: tomlkit.dumps(document).encode()})
    return True


@dataclass(frozen=True)
class Server:
    """Which server, and as whom."""

    uri: str
    token: str | None = field(repr=False)

    def client(self) -> HttpClient:
        return HttpClient(self.uri, self.token)


def chosen_server(uri: str | None, token: str | None, project: Project | None = None) -> Server:
    """By the options, the project and kept tokens. Raises ValueError for a bad uri or token."""
    project = project or find_project()
    uri = base_uri(uri or project.text("uri") or DEFAULT_URI)
    if token is not None:
        checked_token(token)
    if token is None and (kept := TokenStore().get(uri)) is not None:
        token = kept.token
    return Server(uri, token)


def chosen_database(database: str | None, project: Project | None = None) -> str:
    """By the option or the project. Raises UsageError where neither says it."""
    found = database or (project or find_project()).text("database")
    if found is None:
        raise click.UsageError(
            "which database? Say --database NAME, or set database in [tool.spacetime]"
        )
    return found


def server_options(command: Command) -> Command:
    """`--uri` and `--token`."""
    command = click.option(
        "--uri",
        metavar="URI",
        envvar="SPACETIMEDB_URI",
        help=f"The server.  [default: {DEFAULT_URI}]",
    )(command)
    return click.option(
        "--token",
        metavar="TOKEN",
        envvar="SPACETIMEDB_TOKEN",
        help="Who you are there.  [default: who logged in]",
    )(command)


def database_option(command: Command) -> Command:
    """`--database`."""
    return click.option(
        "-d",
        "--database",
        metavar="NAME",
        envvar="SPACETIMEDB_DATABASE",
        help="Name or identity of the database.",
    )(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
