"""`spacetime-py doctor`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import click

from .. import __version__, _core
from ..exceptions import SpacetimeDBError
from .generate import fetch_schema
from .output import print_json
from .package import difference
from .settings import Project, Server, chosen_server, find_project, json_option, server_options


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    found: str
    remedy: str | None = None
    """None when all is well."""


@click.command()
@server_options
@json_option
def doctor(uri: str | None, token: str | None, as_json: bool) -> int:
    """Look at what is installed, at the project and at the server, and say what does not fit."""
    project = find_project()
    findings = list(_findings(project, chosen_server(uri, token, project)))
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        for finding in findings:
            mark = click.style("ok", fg="green") if finding.remedy is None else _mark()
            click.echo(f"{mark:<4} {finding.what}: {finding.found}")
            if finding.remedy is not None:
                click.echo(f"     {finding.remedy}")
    return 1 if any(finding.remedy is not None for finding in findings) else 0


def _mark() -> str:
    return click.style("!!", fg="red", bold=True)


def _findings(project: Project, server: Server) -> Iterator[Finding]:
    yield Finding("spacetime-py", __version__)
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")
    if project.unknown:
        found = f"nothing looks for {', '.join(project.unknown)} in [tool.spacetime]"
        yield Finding(str(project.file), found, "is it misspelled? docs/topics/command.md has all")
    yield _module_tools()
    yield _command_line()
    yield from _server(project, server)


def _module_tools() -> Finding:
    if importlib.util.find_spec("wasmtime") is None:
        found = "wasmtime is not installed: only needed to build server modules"
        return Finding("module tools", found)
    return Finding("module tools", f"wasmtime {importlib.metadata.version('wasmtime')}")


def _command_line() -> Finding:
    path = shutil.which("spacetime")
    if path is None:
        return Finding("spacetime CLI", "not on the PATH: not needed")
    command = [path, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    said = (done.stdout + done.stderr).strip().split("\n")[0]
    return Finding("spacetime CLI", f"{said or 'says nothing'} ({path})")


def _server(project: Project, server: Server) -> Iterator[Finding]:
    try:
        with server.client() as http:
            version = http.version()
    except SpacetimeDBError as error:
        remedy = "start it, or name another with --uri or uri in [tool.spacetime]"
        yield Finding("server", str(error), remedy)
        return
    advice = None if version.split(".")[0] in ("1", "2") else "1.x and 2.x are supported"
    yield Finding("server", f"{version} at {server.uri}", advice)
    yield Finding("token", "is kept or given" if server.token else "none: log in to publish")
    if (database := project.text("database")) is not None:
        yield from _database(project, server, database)


def _database(project: Project, server: Server, database: str) -> Iterator[Finding]:
    try:
        schema = fetch_schema(server.client(), database)
    except SpacetimeDBError as error:
        yield Finding(f"database {database}", str(error), "publish it: `spacetime-py publish`")
        return
    yield Finding(f"database {database}", "is there")
    out = project.bindings
    if not out.is_dir():
        return
    changed, stale = difference(out, _core.generate(schema, database, False))
    is_current = not changed and not stale
    found = "current" if is_current else "made from another version of the module"
    yield Finding(f"bindings {out.name}", found, None if is_current else "`spacetime-py generate`")
