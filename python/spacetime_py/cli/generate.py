"""`spacetime-py generate`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from .. import _core
from ..exceptions import CodegenError, SpacetimeDBError
from ..http import HttpClient
from .package import difference, write_package
from .settings import chosen_database, chosen_server, find_project, server_options

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
    out: Path | None,
    include_private: bool,
    check: bool,
    watch: bool,
    uri: str | None,
    token: str | None,
) -> int:
    """Write the typed Python package of a module, from a database or a schema file."""
    if schema is not None and database is not None:
        raise click.UsageError("--schema and --database exclude each other")
    if check and watch:
        raise click.UsageError("--check and --watch exclude each other")
    project = find_project()
    if out is None:
        out = project.folder / (project.text("bindings") or "module_bindings")
    if schema is None:
        name = chosen_database(database, project)
        server = chosen_server(uri, token, project)
        source: Source = lambda: (fetch_schema(server.client(), name), name)  # noqa: E731
    else:
        path = schema
        source = lambda: read_schema(path)  # noqa: E731
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
    message = f"{out} is not current ({names}): run `spacetime-py generate` again"
    click.echo(f"spacetime-py: {message}", file=sys.stderr)
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
                click.echo(f"spacetime-py: {told}", file=sys.stderr)
        time.sleep(_WATCH_SECONDS)


def read_schema(path: str) -> tuple[str, str]:
    """The text of a schema file and the name of its module. Raises CodegenError."""
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode("utf-8-sig"), "module" if path == "-" else Path(path).stem
    except (OSError, UnicodeDecodeError) as error:
        raise CodegenError(f"cannot read the schema file {path}: {error}") from error


def fetch_schema(client: HttpClient, database: str) -> str:
    """The schema of a running database, as JSON text."""
    with client:
        return json.dumps(client.schema(database))
