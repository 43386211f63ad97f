"""The examples of docs/topics/modules.md are programs without problems."""

from __future__ import annotations

import re
from pathlib import Path

from .programs import problems

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "topics" / "modules.md"
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)


def test_the_first_program() -> None:
    source = BLOCKS[0].replace("from __future__ import annotations\n", "")
    assert problems(source, abi=(10, 0)) == []


def test_types() -> None:
    source = f"from typing import TypeAlias\n{BLOCKS[1]}\n@reducer\ndef f(ctx, s: Shape): pass\n"
    assert problems(source, abi=(10, 0)) == []


def test_every_operation_is_there() -> None:
    """What the guide calls on tables and indexes, they have."""
    from spacetime_py.server import Index, Table, UniqueIndex

    calls = set(re.findall(r"\]\.(\w+)\(", BLOCKS[2])) | set(re.findall(r", (\w+)\(", BLOCKS[2]))
    has = {name for cls in (Table, Index, UniqueIndex) for name in dir(cls)}
    assert len(calls) >= 8
    assert calls - {"len"} <= has
