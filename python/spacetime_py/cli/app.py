"""The command itself: its sub-commands, and what becomes of errors."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import get_completion_class

from .. import __version__
from ..exceptions import SpacetimeDBError
from .output import NAME, complain

# Imported when they are asked for: `--help` of one command does not wait for another's libraries.
_COMMANDS = {
    "init": "init",
    "build": "module",
    "publish": "module",
    "generate": "generate",
    "call": "database",
    "sql": "database",
    "logs": "database",
    "describe": "database",
    "login": "login",
    "logout": "login",
    "doctor": "doctor",
    "replay": "replay",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(f".{_COMMANDS[cmd_name]}", __package__)
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(
    cls=_Commands,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def app() -> None:
    """SpacetimeDB for Python.

    Options that are not given come from the environment (SPACETIMEDB_URI, SPACETIMEDB_DATABASE,
    SPACETIMEDB_TOKEN), then from [tool.spacetime] in pyproject.toml.
    """


@app.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete this command.

    For bash: eval "$(spacetime-py completion bash)"
    """
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(app, {}, NAME, "_SPACETIME_PY_COMPLETE").source())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Gives the exit code: 0, 1 after an error, 2 for wrong usage."""
    try:
        result: Any = app.main(
            None if arguments is None else list(arguments),
            prog_name=NAME,
            complete_var="_SPACETIME_PY_COMPLETE",
            standalone_mode=False,
        )
    except click.UsageError as error:
        error.show()
        return error.exit_code
    except click.Abort:
        complain("interrupted")
        return 130
    except BrokenPipeError:
        # Whoever read the output has enough of it. What is left to flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (SpacetimeDBError, click.ClickException, OSError, ValueError) as error:
        for problem in _problems(error):
            complain(problem)
        return 1
    return result if isinstance(result, int) else 0


def _problems(error: Exception) -> Sequence[str]:
    """What is wrong, each of which gets a line."""
    if isinstance(error, click.ClickException):
        return [error.format_message()]
    if isinstance(error, OSError) and error.filename is not None:
        return [f"{error.filename}: {error.strerror}"]
    several: Sequence[str] | None = getattr(error, "problems", None)
    return several or [str(error)]
