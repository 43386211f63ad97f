"""Commands for a server module: `build` and `publish`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..credentials import Credentials, TokenStore
from ..exceptions import HttpError, ProjectError
from ..http import HttpClient, Migration
from .files import write_files
from .output import print_json, working
from .settings import (
    Project,
    Server,
    chosen_server,
    find_module,
    json_option,
    remember,
    server_options,
)

if TYPE_CHECKING:
    from ..build import Packed

_OUT = Path("build") / "module.wasm"

folder_argument = click.argument(
    "folder",
    required=False,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)


@click.command()
@folder_argument
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The wasm file.  [default: build/module.wasm in the project]",
)
@json_option
def build(folder: Path | None, out: Path | None, as_json: bool) -> None:
    """Make a wasm module of a Python program.

    The project is the folder, or the nearest one above with [tool.spacetime] in its pyproject.toml:
    entry (src/main.py), include, abi (10.0), compiler, strip, debug.
    """
    project = find_module(folder)
    out = out or project.folder / _OUT
    packed = pack_project(project)
    write_files({out: packed.wasm})
    if as_json:
        print_json({"wasm": str(out), "bytes": len(packed.wasm), "modules": packed.modules})
    else:
        click.echo(f"{out}: {len(packed.wasm) / 1e6:.1f} MB, {len(packed.modules)} Python modules")


def pack_project(project: Project) -> Packed:
    """The module of a project, after what the lint says."""
    from ..build import BuildError
    from ..build.project import read_project
    from ..server.lint import lint_files

    found = read_project(project.folder, project.table)
    findings = lint_files(found.files, root=found.root, include=found.include)
    errors = [str(finding) for finding in findings if finding.is_error]
    for finding in findings:
        if not finding.is_error:
            click.echo(str(finding), file=sys.stderr)
    if errors:
        raise BuildError(*errors)
    with working("building the module"):
        packed = found.pack()
    for line in packed.logs:
        click.echo(f"{line.text}", file=sys.stderr)
    for bundled in found.bundled(packed.modules):
        click.echo(f"bundled: {bundled}", file=sys.stderr)
    return packed


@click.command()
@folder_argument
@click.option("-d", "--database", metavar="NAME", envvar="SPACETIMEDB_DATABASE", help="Its name.")
@click.option(
    "--wasm",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that is built already, of any language.",
)
@click.option("--clear", is_flag=True, help="Delete the rows of a database that exists.")
@click.option("--break-clients", is_flag=True, help="Do it even if clients have to be changed.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@server_options
@json_option
def publish(
    folder: Path | None,
    database: str | None,
    wasm: Path | None,
    clear: bool,
    break_clients: bool,
    yes: bool,
    uri: str | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Build the module and make a database of it, or bring an existing one up to date."""
    if folder is not None and wasm is not None:
        raise click.UsageError("a folder and --wasm exclude each other")
    project = find_module(folder)
    name = database or project.text("database")
    if name is None:
        raise click.UsageError(
            "which name? Say --database NAME, or set database in [tool.spacetime]"
        )
    if clear and not yes:
        click.confirm(f"delete all rows of {name}?", abort=True, err=True)
    module = _read_wasm(wasm) if wasm is not None else pack_project(project).wasm
    server = _somebody(chosen_server(uri, token, project))
    with server.client() as http:
        plan = _plan(http, name, module, break_clients or clear)
        policy = "BreakClients" if plan is not None and plan.breaks_clients else None
        token = plan.token if plan is not None and policy else None
        try:
            with working(f"publishing {name}"):
                published = http.publish(
                    name, module, clear=clear, policy=policy, migration_token=token
                )
        except HttpError as error:
            if _is_anothers(error):
                raise ProjectError(
                    f"the database {name} belongs to somebody else: choose another name, or give "
                    f"its owner's token by --token"
                ) from error
            raise
    if remember(project, "database", name):
        click.echo(f"{project.file}: database = {name!r} from now on", file=sys.stderr)
    if as_json:
        print_json(published)
    else:
        click.echo(f"{published.op} {name} ({published.database_identity}) at {server.uri}")


def _read_wasm(file: Path) -> bytes:
    """Raises ProjectError; whether it is a module of SpacetimeDB the server says."""
    data = file.read_bytes()
    if not data.startswith(b"\0asm"):
        raise ProjectError(f"{file} is no wasm file: `spacetime-py build` makes one of a project")
    return data


def _is_anothers(error: HttpError) -> bool:
    """Servers of version 1 say it with status 500."""
    return error.status == 403 or "does not own database" in str(error)


def _somebody(server: Server) -> Server:
    """Who has no token yet becomes somebody for good: databases have an owner."""
    if server.token is not None:
        return server
    with server.client() as http:
        made = http.identity()
    TokenStore().set(server.uri, Credentials(str(made.identity), made.token))
    click.echo(f"logged in at {server.uri} as {made.identity}", file=sys.stderr)
    return replace(server, token=made.token)


def _plan(http: HttpClient, name: str, module: bytes, may_break: bool) -> Migration | None:
    """What a server that can tell says it would do. Raises ProjectError where that is refused."""
    try:
        plan = http.prepare(name, module)
    except HttpError as error:
        if error.status in (404, 405):
            return None  # there is no such database, or the server is older than the question
        raise
    if not plan.is_automatic and not may_break:
        raise ProjectError(f"{name} cannot be migrated: {plan.plan} (--clear deletes its rows)")
    if plan.breaks_clients and not may_break:
        raise ProjectError(f"this would break clients of {name}: {plan.plan} (--break-clients)")
    if plan.plan.strip():
        click.echo(plan.plan.rstrip(), file=sys.stderr)
    return plan
