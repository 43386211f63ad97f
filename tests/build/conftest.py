"""The runtime, built once per machine, and modules that many tests share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spacetime_py.build import Packed, pack

from .probe import Probe, program

BUILD = Path(__file__).parent.parent.parent / "runtime" / "build.py"


@pytest.fixture(scope="session", autouse=True)
def runtime() -> Path:
    """The folder with the runtime; building it takes minutes the first time."""
    done = subprocess.run([sys.executable, str(BUILD)], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, "runtime/build.py failed: its output says why"
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def probe(runtime: Path) -> Probe:
    return Probe()


@pytest.fixture(scope="session", params=["10.0", "10.5"])
def any_probe(runtime: Path, request: pytest.FixtureRequest) -> Probe:
    """The same at both ABI levels."""
    return Probe(request.param)


PEOPLE = """
from spacetime_py.server import (
    Indexed, PrimaryKey, ReducerContext, ReducerError, auto_inc, log, reducer, table, u64,
)

@table(public=True)
class Person:
    id: PrimaryKey[u64] = auto_inc()
    name: str

@reducer
def add(ctx: ReducerContext, name: str) -> None:
    if not name:
        raise ReducerError("a person has a name")
    person = ctx.db[Person].insert(Person(name=name))
    log.info(f"added {person.id}")

@reducer
def fail_late(ctx: ReducerContext, name: str) -> None:
    ctx.db[Person].insert(Person(name=name))
    raise KeyError("late")
"""


@pytest.fixture(scope="session")
def people(runtime: Path) -> Packed:
    return pack(program(PEOPLE))
