"""The runtime, built once per machine, and modules that many tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacetime_py.build import Packed, pack

from .probe import Probe, program


@pytest.fixture(scope="session", autouse=True)
def _runtime(runtime: None) -> None:
    """All tests here need it."""


@pytest.fixture(scope="session")
def probe(runtime: None) -> Probe:
    return Probe()


@pytest.fixture(scope="session", params=["10.0", "10.5"])
def any_probe(runtime: None, request: pytest.FixtureRequest) -> Probe:
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
