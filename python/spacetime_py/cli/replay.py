"""`spacetime-py replay`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .. import _core
from ..replay import replay as run_replay
from .generate import read_schema
from .settings import json_option


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--schema", required=True, metavar="FILE", help="The module's, as for generate.")
@click.option(
    "--chunk",
    default="whole",
    show_default=True,
    metavar="HOW",
    help="Cut the bytes: whole, a number, random:SEED.",
)
@click.option("--rows", is_flag=True, help="The rows at the end as well, in hex.")
@json_option
def replay(file: Path, schema: str, chunk: str, rows: bool, as_json: bool) -> None:
    """Run a captured session through the client, and tell what it made of it."""
    text, _ = read_schema(schema)
    result = run_replay(file, _core.Module(_core.describe(text)), chunk, rows)
    if as_json:
        click.echo(json.dumps(result))
        return
    for conn, session in result["connections"].items():
        click.echo(f"connection {conn}: {len(session['events'])} messages")
        for event in session["events"]:
            click.echo("  " + _event(event))
        for name, table in session["tables"].items():
            click.echo(f"  {name}: {table['rows']} rows, {table['sha256_of_sorted_rows']}")


def _event(event: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in event.items() if value != {})
