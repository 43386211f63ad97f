"""Commands for a database that runs: `call`, `sql`, `logs`, `describe`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from ..exceptions import EncodeError
from ..http import LogLine
from ..http.definition import Definition
from .describe import description, fields_text
from .output import print_json, print_table
from .settings import (
    chosen_database,
    chosen_server,
    database_option,
    find_project,
    json_option,
    server_options,
)

_LEVEL_COLORS = {"Error": "red", "Panic": "red", "Warn": "yellow", "Debug": "cyan", "Trace": "blue"}


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("function")
@click.argument("arguments", nargs=-1)
@database_option
@server_options
@json_option
def call(
    function: str,
    arguments: tuple[str, ...],
    database: str | None,
    uri: str | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Call a reducer or a procedure, and wait for its end.

    Each argument is JSON. For a parameter of type String, text that is no JSON string is taken as
    it is.

    \b
        spacetime-py call send_message hello
        spacetime-py call move 17 '{"x": 1.5, "y": 2}' null
    """
    project = find_project()
    name = chosen_database(database, project)
    with chosen_server(uri, token, project).client() as http:
        text = _arguments(http.schema(name), function, arguments)
        result = http.call_json(name, function, text)
    if as_json:
        print_json(result)
    elif result.value is not None:
        click.echo(json.dumps(result.value, ensure_ascii=False))


def _arguments(schema: Mapping[str, Any], function: str, texts: Sequence[str]) -> str:
    definition = Definition(schema)
    found = definition.function(function)
    if found is None:
        known = sorted(one.name for one in definition.functions())
        raise click.UsageError(
            f"there is no reducer or procedure `{function}`; there are {', '.join(known) or 'none'}"
        )
    parameters = found.parameters
    if len(parameters) != len(texts):
        wanted = fields_text(parameters, definition.types)
        raise click.UsageError(f"`{function}` takes ({wanted}), {len(texts)} arguments were given")
    parts = [_argument(one, text) for one, text in zip(parameters, texts, strict=True)]
    return f"[{', '.join(parts)}]"


def _argument(parameter: Mapping[str, Any], text: str) -> str:
    is_text = "String" in parameter["algebraic_type"]
    try:
        value = json.loads(text)
    except ValueError as error:
        if is_text:
            return json.dumps(text)
        name = parameter["name"].get("some", "?")
        raise EncodeError(f"`{name}` is no JSON: {text!r} ({error})") from None
    return json.dumps(text) if is_text and not isinstance(value, str) else text


@click.command()
@click.argument("query")
@database_option
@server_options
@json_option
def sql(
    query: str, database: str | None, uri: str | None, token: str | None, as_json: bool
) -> None:
    """Run one SQL statement and print its rows."""
    project = find_project()
    name = chosen_database(database, project)
    with chosen_server(uri, token, project).client() as http:
        result = http.sql(name, query)
    if as_json:
        print_json(result.dicts())
    elif result.columns:
        print_table(result.columns, result.rows)
        click.echo(f"({len(result)} {'row' if len(result) == 1 else 'rows'})")
    else:
        done = [f"{key.removeprefix('rows_')} {n}" for key, n in result.stats.items() if n]
        click.echo(", ".join(done) or "done")


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with what is to come, until Ctrl-C.")
@click.option("-n", "--lines", type=click.IntRange(min=0), help="So many of the last lines.")
@database_option
@server_options
@json_option
def logs(
    follow: bool,
    lines: int | None,
    database: str | None,
    uri: str | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Print the log of a database, for its owner."""
    project = find_project()
    name = chosen_database(database, project)
    with chosen_server(uri, token, project).client() as http:
        for line in http.logs(name, lines=lines, follow=follow):
            if as_json:
                print_json(line)
            else:
                click.echo(_colored(line))


def _colored(line: LogLine) -> str:
    color = _LEVEL_COLORS.get(line.level)
    return click.style(str(line), fg=color) if color else str(line)


@click.command()
@database_option
@server_options
@json_option
def describe(database: str | None, uri: str | None, token: str | None, as_json: bool) -> None:
    """Print a database's tables, reducers and procedures, with their types."""
    project = find_project()
    name = chosen_database(database, project)
    with chosen_server(uri, token, project).client() as http:
        schema = http.schema(name)
    if as_json:
        click.echo(json.dumps(schema))
        return
    for head, rest in description(Definition(schema)):
        click.echo(click.style(head, bold=True) + rest)
