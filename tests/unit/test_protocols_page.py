"""`docs/topics/protocols.md` names a test for each difference between versions: they exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRAPS = "tests/scripted/test_traps.py"
PAGE = (ROOT / "docs/topics/protocols.md").read_text(encoding="utf-8")


def named() -> set[tuple[str, str]]:
    """File and name of each test on the page; a name without its file is in the one before."""
    found: set[tuple[str, str]] = set()
    file = ""
    for path, separator, name in re.findall(r"`([\w./]*?)(::)?((?:test_|(?<=::))\w+)`", PAGE):
        file = path or (file if separator else TRAPS)
        found.add((file, name))
    return found


def functions_in(file: str) -> set[str]:
    text = (ROOT / file).read_text(encoding="utf-8")
    return set(re.findall(r"^\s*(?:async def|def|fn) (\w+)\(", text, re.M))


def test_each_test_exists() -> None:
    assert [one for one in sorted(named()) if one[1] not in functions_in(one[0])] == []


def test_each_trap_is_on_the_page() -> None:
    traps = {name for name in functions_in(TRAPS) if name.startswith("test_")}
    assert traps - {name for _, name in named()} == set()


def test_each_row_of_the_table_names_one() -> None:
    rows = [line for line in PAGE.partition("| test |")[2].splitlines() if line.startswith("|")]
    assert len(rows) > 40
    assert [row for row in rows[1:] if not re.search(r"`[^`]*\w{10,}` \|$", row)] == []
