"""`spacetime-py init`: a new project from the templates."""

from __future__ import annotations

import re
from pathlib import Path

import click

from ..exceptions import ProjectError
from .files import write_files

TEMPLATES = Path(__file__).parents[1] / "templates"
"""`templates/python` in the repository."""

MODULE_FOLDER = "spacetimedb"
"""Where a project with a client has its module, as the official command does it."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_IGNORED = {".git"}


@click.command()
@click.argument("name")
@click.option("--module", is_flag=True, help="Only a server module.")
@click.option("--client", is_flag=True, help="Only a client.")
@click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder, which is new or empty.  [default: NAME]",
)
def init(name: str, module: bool, client: bool, path: Path | None) -> None:
    """Make a new project: a server module in Python, and a client for it.

    NAME is the name of the project and of its database.
    """
    if not _NAME.fullmatch(name):
        raise click.UsageError(
            f"{name!r} is no name for a database: small letters and digits, with dashes between"
        )
    if module and client:
        raise click.UsageError("--module and --client exclude each other: both is the default")
    folder = path or Path(name)
    files = template_files("module" if module else "client", name, folder)
    if not module and not client:
        files |= template_files("module", name, folder / MODULE_FOLDER)
    _refuse_to_overwrite(folder)
    write_files({file: text.encode() for file, text in files.items()})
    click.echo(f"{folder}: {len(files)} files. README.md says more; next:\n\n    cd {folder}")
    if not client:
        click.echo("    spacetime-py publish         # makes a database of the module")
    if not module:
        click.echo("    spacetime-py generate        # writes module_bindings/, from the database")
        click.echo("    python main.py Ada           # the client")


def template_files(kind: str, name: str, folder: Path) -> dict[Path, str]:
    """The files of a template, with the names that they have in a project, and their texts."""
    root = TEMPLATES / kind
    return {
        folder / _plain_name(file.relative_to(root)): file.read_text(encoding="utf-8").replace(
            "{{name}}", name
        )
        for file in sorted(root.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def _plain_name(path: Path) -> Path:
    """`main._py` is `main.py`, `_gitignore` is `.gitignore`: packaging acts on the true names."""
    name = path.name.replace("._", ".")
    return path.with_name("." + name[1:] if name.startswith("_git") else name)


def _refuse_to_overwrite(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ProjectError(f"{folder} is a file: give another --path")
    if folder.is_dir() and {found.name for found in folder.iterdir()} - _IGNORED:
        raise ProjectError(f"{folder} is not empty: give another --path, or an empty folder")
