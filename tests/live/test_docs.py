"""The programs of the documentation run as they stand, but for address and name of the database."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spacetime_py.build import Program, Source, pack
from tests.documentation import BLOCKS, DOCUMENTS, ROOT, SERVER_ABIS, Block, blocks_of
from tests.server.api import Database

pytestmark = pytest.mark.real_server

CLIENTS = [block for block in BLOCKS if block.module not in SERVER_ABIS]
SERVERS = [block for block in BLOCKS if block.module in SERVER_ABIS]
# Seconds after which a program that hangs fails.
PATIENCE = 60.0
# A keyring that forgets: there is no desktop where tests run.
KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
# However it is written, as a part of a list say.
_ANY_BLOCK = re.compile(r"^[\s>]*(?:```+|~~~+)\s*\{?\.?py", re.M | re.I)


@pytest.mark.parametrize("block", SERVERS, ids=lambda block: block.place)
def test_a_server_module_is_built(block: Block) -> None:
    program = Program("main", {"main": Source(block.source, "main.py")})
    assert pack(program, abi=SERVER_ABIS[block.module]).module_def.tables


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("block", CLIENTS, ids=lambda block: block.place)
def test_a_block_runs(block: Block, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    bindings: Any = request.getfixturevalue(f"{block.module}_bindings")
    database: Database = request.getfixturevalue(f"{block.module}_database")
    shutil.copytree(Path(bindings.__file__).parent, tmp_path / "module_bindings")
    program = tmp_path / "program.py"
    program.write_text(block.at(database), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python"), **KEYRING},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_block_is_left_out(document: Path) -> None:
    text, blocks = document.read_text(encoding="utf-8"), blocks_of(document)
    assert len(blocks) == len(_ANY_BLOCK.findall(text))
    assert text.count("<!-- module:") == sum(block.module != "chat" for block in blocks)


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 12
