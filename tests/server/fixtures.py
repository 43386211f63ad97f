"""Pytest fixtures: one real server for the session, and a fresh database for each test.

`tests/conftest.py` makes them known: `pytest_plugins = ["tests.server.fixtures"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TypeVar
from uuid import uuid4

import pytest

from .api import Api, Database
from .cache import BuildError
from .modules import build_module
from .server import StartError, some_server

Result = TypeVar("Result")


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Api]:
    """A server that all tests share."""
    with ExitStack() as stack:
        yield in_sight(request, lambda: stack.enter_context(some_server()))


@pytest.fixture(scope="session")
def chat_wasm(request: pytest.FixtureRequest) -> bytes:
    """The `chat` module."""
    return in_sight(request, lambda: build_module("chat").read_bytes())


@pytest.fixture(scope="session")
def all_types_wasm(request: pytest.FixtureRequest) -> bytes:
    """The `all_types` module."""
    return in_sight(request, lambda: build_module("all_types").read_bytes())


@pytest.fixture
def chat_database(server: Api, chat_wasm: bytes) -> Iterator[Database]:
    """A new database of the `chat` module."""
    with _new_database(server, "chat", chat_wasm) as database:
        yield database


@pytest.fixture
def all_types_database(server: Api, all_types_wasm: bytes) -> Iterator[Database]:
    """A new database of the `all_types` module."""
    with _new_database(server, "all-types", all_types_wasm) as database:
        yield database


@contextmanager
def _new_database(server: Api, prefix: str, wasm: bytes) -> Iterator[Database]:
    database = server.publish(f"{prefix}-{uuid4().hex}", wasm)
    yield database
    server.delete(database.name)


def in_sight(request: pytest.FixtureRequest, build: Callable[[], Result]) -> Result:
    """Run what may take minutes with its progress on the terminal, past pytest's capture."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with nullcontext() if capture is None else capture.global_and_fixture_disabled():
        try:
            return build()
        except (BuildError, StartError) as error:
            pytest.fail(str(error), pytrace=False)
