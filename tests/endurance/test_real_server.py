"""Random calls of a Python module in a real server, most of them bad: it stays up, and in shape.

A hundred thousand with `SPACETIME_TEST_SOAK=1`. `-s` shows what was called and what memory was.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest

from spacetime_py import cli
from spacetime_py.build import Packed, Program, pack, read_modules
from tests.server.api import Database
from tests.server.server import Server

from .actor import Actor
from .raw import RawSocket

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.real_server,
    pytest.mark.runtime,
    pytest.mark.usefixtures("runtime"),
]

SOAK = os.environ.get("SPACETIME_TEST_SOAK") == "1"
CALLS = 100_000 if SOAK else 1_500
SPINS = 4 if SOAK else 2
"""Loops without an end, of which each takes the server some ten seconds."""
TRAPS = 20 if SOAK else 3
GROWTH = 128 << 20
"""Bytes that the server may take beyond what it had when warm: logs, and its own caches."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The loop is not what is tested."""
    return "asyncio"


@pytest.fixture(scope="module")
def packed(runtime: None) -> Packed:
    return pack(Program("endurance", read_modules(Path(__file__).parent / "module")))


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """Not the one that all tests share: its memory is measured."""
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def database(own_server: Server, packed: Packed) -> Database:
    return own_server.publish(f"endurance-{uuid4().hex}", packed.wasm)


@pytest.fixture(scope="module")
def bindings(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("endurance")
    out = folder / "endurance_bindings"
    source = ["--uri", database.url, "--database", database.name]
    assert cli.main(["generate", *source, "--out", str(out)]) == 0
    sys.path.insert(0, str(folder))
    return importlib.import_module(out.name)


def resident(server: Server) -> int:
    """Bytes of the server's process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())
    assert found is not None
    return int(found[1]) << 10


def linear_memory(database: Database) -> int:
    """Bytes of the instance, as the server counts them."""
    with urllib.request.urlopen(f"{database.url}/v1/metrics", timeout=60) as answer:
        text = answer.read().decode()
    name = "spacetime_worker_wasm_memory_bytes"
    found = re.search(rf'^{name}{{database_identity="{database.identity}"}} (\d+)$', text, re.M)
    assert found is not None
    return int(found[1])


async def test_random_calls(own_server: Server, database: Database, bindings: Any) -> None:
    where = {"uri": database.url, "database": database.name, "token": database.owner.token}
    async with bindings.DbConnection(**where) as connection:
        await connection.subscribe("SELECT * FROM row", "SELECT * FROM step")
        actor = Actor(connection, own_server, database, seed=7)
        for name in ("huge", "deep", "nested", "put_many"):
            await actor.do(name)
        ends = sorted(actor.random.sample(range(CALLS), SPINS + TRAPS))
        spins = actor.random.sample(ends, SPINS)
        names = {number: "spin" if n % 2 else "spin_over_http" for n, number in enumerate(spins)}
        warm, memory, start = 0, 0, time.monotonic()
        for number in range(CALLS):
            await actor.act()
            if number in ends:
                await actor.do(names.get(number, "trap"))
            if number % (CALLS // 50) == 0:
                await actor.compare()
            if number == CALLS // 3:
                warm, memory = resident(own_server), linear_memory(database)
        await actor.compare()
        await actor.do("huge")
        await actor.compare()
        actor.raw.close()
        report(actor, time.monotonic() - start, (warm, resident(own_server)), memory, database)
        assert resident(own_server) < warm + GROWTH
        assert linear_memory(database) <= memory
        assert connection.is_active


def report(
    actor: Actor, seconds: float, resident: tuple[int, int], memory: int, database: Database
) -> None:
    print(f"\n{sum(actor.done.values()):,} calls in {seconds:.0f} s: {dict(actor.done)}")
    print(f"resident memory of the server: {resident[0]:,} bytes warm, {resident[1]:,} at the end")
    print(f"memory of the instance: {memory:,} bytes warm, {linear_memory(database):,} at the end")


async def test_raw_frames_arrive(database: Database, bindings: Any) -> None:
    """Good ones do, so wrong ones do as well."""
    async with bindings.DbConnection(uri=database.url, database=database.name) as connection:
        await connection.subscribe("SELECT * FROM row WHERE key = 1000")
        raw = RawSocket(database)
        raw.call("put", b"\xe8\x03\0\0" + b"\x02\0\0\0hi")
        with anyio.fail_after(30):
            while not connection.db.row.count():
                await anyio.sleep(0.01)
        raw.close()
        assert [row.text for row in connection.db.row] == ["hi"]
