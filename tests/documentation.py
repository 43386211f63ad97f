"""The Python blocks of the documentation, each a program of its own.

A block is a client of the `chat` module, or of the one that a comment above it names:
`<!-- module: all_types -->`. With `<!-- module: server -->` it is a server module itself, and with
`server_2` one for servers 2.x.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.server.api import Database

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])

_BLOCK = re.compile(r"(?:^<!-- module: (\w+) -->\n)?^```python\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    place: str
    """The document and the line."""
    module: str
    source: str

    def at(self, database: Database) -> str:
        """The program, to be run on this database."""
        whole = f"{database.url}/{database.name}"
        here = self.source.replace(f"http://127.0.0.1:3000/{self.module}", whole)
        here = here.replace("http://127.0.0.1:3000", database.url)
        return re.sub(rf'"{self.module}"', f'"{database.name}"', here)


def blocks_of(document: Path) -> list[Block]:
    text, name = document.read_text(encoding="utf-8"), document.relative_to(ROOT).as_posix()
    blocks = []
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start(2))
        blocks.append(Block(f"{name}:{line}", found[1] or "chat", found[2]))
    return blocks


SERVER_ABIS = {"server": "10.0", "server_2": "10.5"}
"""Names of blocks that are modules, and what they are built for."""
BLOCKS = [block for document in DOCUMENTS for block in blocks_of(document)]
