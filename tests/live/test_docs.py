"""Each Python block of the documentation is a program. Here they run, as they stand but for the
address and the name of the database.

A block is written for the `chat` module, or for the one that a comment above it names:
`<!-- module: all_types -->`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.server.api import Database

pytestmark = pytest.mark.real_server

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
# Seconds after which a program that hangs fails.
PATIENCE = 60.0

_BLOCK = re.compile(r"(?:^<!-- module: (\w+) -->\n)?^```python\n(.*?)^```$", re.M | re.S)
# However it is written, as a part of a list say.
_ANY_BLOCK = re.compile(r"^[\s>]*(?:```+|~~~+)\s*\{?\.?py", re.M | re.I)


@dataclass(frozen=True)
class Block:
    place: str
    module: str
    source: str

    def at(self, database: Database) -> str:
        """The program, to be run on this database."""
        here = self.source.replace("http://127.0.0.1:3000", database.url)
        return re.sub(r'database="\w+"', f'database="{database.name}"', here)


def blocks_of(document: Path) -> list[Block]:
    text, name = document.read_text(encoding="utf-8"), document.relative_to(ROOT).as_posix()
    return [
        Block(f"{name}:{text.count(chr(10), 0, found.start(2))}", found[1] or "chat", found[2])
        for found in _BLOCK.finditer(text)
    ]


BLOCKS = [block for document in DOCUMENTS for block in blocks_of(document)]


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_a_block_runs(block: Block, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    bindings: Any = request.getfixturevalue(f"{block.module}_bindings")
    database: Database = request.getfixturevalue(f"{block.module}_database")
    shutil.copytree(Path(bindings.__file__).parent, tmp_path / "module_bindings")
    program = tmp_path / "program.py"
    program.write_text(block.at(database), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_block_is_left_out(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert len(blocks_of(document)) == len(_ANY_BLOCK.findall(text))
    assert text.count("<!-- module:") == sum(
        block.module != "chat" for block in blocks_of(document)
    )


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 12
