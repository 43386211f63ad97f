"""Fixtures of the tests of adversity and cancellation; their conftest.py files name them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.server.api import Api

from .targets import KINDS, TARGETS, Target, new_database, running

_PARAMS = [pytest.param(name, marks=pytest.mark.real_server) for name in TARGETS]


@pytest.fixture(scope="session", params=_PARAMS)
def target_name(request: pytest.FixtureRequest) -> str:
    """Of `targets.KINDS`."""
    return str(request.param)


@pytest.fixture(scope="session")
def target_server(target_name: str, request: pytest.FixtureRequest) -> Iterator[Api]:
    """The server of the target; the real one is shared with all other tests."""
    kind = KINDS[target_name]
    if not kind.is_peer:
        # Built in sight of the user, which may take minutes.
        request.getfixturevalue("all_types_wasm")
        yield request.getfixturevalue("server")
        return
    with ExitStack() as stack:
        yield stack.enter_context(running(kind.server))


@pytest.fixture
def target(target_name: str, target_server: Api) -> Iterator[Target]:
    """A server, a protocol and a new database."""
    with new_database(KINDS[target_name], target_server) as target:
        yield target
