"""`spacetime-py generate`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from .. import _core
from ..exceptions import CodegenError, SpacetimeDBError
from ..http import HttpClient
from .output import complain
from .package import difference, write_package
from .settings import (
    Server,
    chosen_database,
    chosen_server,
    find_module,
    find_project,
    server_options,
)

_WATCH_SECONDS = 1.0

Source = Callable[[], tuple[str, str]]
"""Gives the schema's text and, for docstrings, the name of the module."""


@click.command()
@click.option("-d", "--database", metavar="NAME", help="From a running database: name or identity.")
@click.option(
    "--schema",
    metavar="FILE",
    help="From a schema in JSON, as served or as extract-schema prints it; - is standard input.",
)
@click.option(
    "--wasm",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="From a module's file, of any language.",
)
@click.option(
    "--module",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="From a project with a module in Python.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the package.  [default: bindings of [tool.spacetime], or module_bindings]",
)
@click.option("--include-private", is_flag=True, help="Private tables too, for the owner.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if the package is not current.")
@click.option("--watch", is_flag=True, help="Go on, and write when the schema changes.")
@server_options
def generate(
    database: str | None,
    schema: str | None,
    wasm: Path | None,
    folder: Path | None,
    out: Path | None,
    include_private: bool,
    check: bool,
    watch: bool,
    uri: str | None,
    token: str | None,
) -> int:
    """Write the typed Python package of a module.

    Its schema comes from a running database, unless another source is named.
    """
    if sum(source is not None for source in (database, schema, wasm, folder)) > 1:
        raise click.UsageError("--database, --schema, --wasm and --module exclude each other")
    if check and watch:
        raise click.UsageError("--check and --watch exclude each other")
    project = find_project()
    out = out or project.bindings
    source: Source
    if schema is not None:
        source = partial(read_schema, schema)
    elif wasm is not None:
        source = partial(describe_wasm, wasm)
    elif folder is not None:
        source = partial(_describe_project, folder)
    else:
        name = chosen_database(database, project)
        source = partial(_served, chosen_server(uri, token, project), name)
    if check:
        return _check(source, out, include_private)
    if watch:
        _watch(source, out, include_private)
    _write(source(), out, include_private)
    return 0


def _write(schema: tuple[str, str], out: Path, include_private: bool) -> None:
    files = _core.generate(*schema, include_private)
    changed, stale = write_package(out, files)
    click.echo(f"{out}: {len(files)} files, {len(changed)} changed, {len(stale)} removed")


def _check(source: Source, out: Path, include_private: bool) -> int:
    changed, stale = difference(out, _core.generate(*source(), include_private))
    if not changed and not stale:
        return 0
    names = ", ".join(path.name for path in [*changed, *stale])
    complain(f"{out} is not current ({names}): run `spacetime-py generate` again")
    return 1


def _watch(source: Source, out: Path, include_private: bool) -> None:
    """Until Ctrl-C. What goes wrong is told once, and may mend itself."""
    told = seen = None
    while True:
        try:
            text = source()
            if text != seen:
                _write(text, out, include_private)
                seen, told = text, None
        except (SpacetimeDBError, OSError) as error:
            if str(error) != told:
                told = str(error)
                complain(told)
        time.sleep(_WATCH_SECONDS)


def read_schema(path: str) -> tuple[str, str]:
    """The text of a schema file and the name of its module. Raises CodegenError."""
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode("utf-8-sig"), "module" if path == "-" else Path(path).stem
    except (OSError, UnicodeDecodeError) as error:
        raise CodegenError(f"cannot read the schema file {path}: {error}") from error


def describe_wasm(file: Path) -> tuple[str, str]:
    """What a module's file says of itself. Raises BuildError, CodegenError."""
    from ..build.module import describe

    return _core.schema_json(describe(file)), file.stem


def _describe_project(folder: Path) -> tuple[str, str]:
    from .module import pack_project

    project = find_module(folder)
    name = project.text("database") or project.folder.name
    return _core.schema_json(pack_project(project).description), name


def _served(server: Server, database: str) -> tuple[str, str]:
    return fetch_schema(server.client(), database), database


def fetch_schema(client: HttpClient, database: str) -> str:
    """The schema of a running database, as JSON text."""
    with client:
        return json.dumps(client.schema(database))
