"""Writes docs/reference/cli.md from the command's own parser; --check says if it is current."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spacetime_py.cli.app import app
from spacetime_py.cli.output import NAME

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"

HEAD = """# The command `spacetime-py`

Made from its own help by `python tools/cli_reference.py`. `python -m spacetime_py` is the same.

Exit codes: 0, 1 after an error (one line on standard error says what to do), 2 for wrong usage.

"""


def reference() -> str:
    """The page."""
    parent = click.Context(app, info_name=NAME, max_content_width=100, terminal_width=100)
    parts = [HEAD, _block(app.get_help(parent))]
    for name in app.list_commands(parent):
        command = app.get_command(parent, name)
        assert command is not None
        context = click.Context(
            command, parent=parent, info_name=name, max_content_width=100, terminal_width=100
        )
        parts.append(f"## {name}\n\n{_block(command.get_help(context))}")
    return "\n".join(parts)


def _block(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```\n"


def main() -> int:
    text = reference()
    if "--check" in sys.argv[1:]:
        is_current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
        if not is_current:
            print(f"{PAGE} is not current: run `python tools/cli_reference.py`", file=sys.stderr)
        return 0 if is_current else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
