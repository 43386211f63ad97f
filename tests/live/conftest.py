"""Bindings made from the running server, and a fresh database for each test, at each place.

No test here can hang: each one is cancelled after `PATIENCE` seconds.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest

from spacetime_py import cli, dynamic
from tests.peer.process import Peer
from tests.server.api import Api, Database
from tests.server.fixtures import in_sight
from tests.server.python_modules import python_module

from .facade import LEFT_OUT, NEVER
from .places import Place, places
from .target import Target

NOT_DYNAMIC = {
    # Their programs import a package of files, which bindings in memory are not.
    "test_a_block_runs",
    "test_a_loop_that_runs_within_its_own_turns",
    "test_a_notebook",
    "test_ctrl_c_closes_in_order",
    "test_ctrl_c_that_nobody_catches",
    "test_ctrl_c_while_connecting",
    "test_the_facade_on_uvloop",
    # They compare older bindings, or count connections, of which reading the schema is one.
    "test_a_conversation",
    "test_bindings_of_another_module",
    "test_http_clients",
    "test_what_does_not_fit_is_told_once_and_refused_when_it_is_used",
}
UVLOOP_PLACES = ("1.2.0", "peer-v3", "url")
"""uvloop is asyncio with another transport: once for each framing is enough."""
# Seconds after which a test that hangs fails.
PATIENCE = 60.0


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
        item.obj = _bounded(item.obj)


def _bounded(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def run(*args: Any, **kwargs: Any) -> None:
        with anyio.fail_after(PATIENCE):
            await test(*args, **kwargs)

    return run


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without what a place cannot pass, and without loops that would show nothing new there."""
    left_out = [item for item in items if isinstance(item, pytest.Function) and _is_left_out(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_left_out(item: pytest.Function) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    place = params.get("place")
    if not isinstance(place, Place):
        return False
    if place.is_dynamic and item.originalname in NOT_DYNAMIC:
        return True
    loop = params.get("anyio_backend", ("asyncio", {}))
    is_other_loop = loop != ("asyncio", {})
    if place.is_dynamic and is_other_loop:
        return True
    is_uvloop = loop == ("asyncio", {"use_uvloop": True})
    if is_uvloop and (place.is_python or place.name not in UVLOOP_PLACES):
        return True
    if place.way == "async":
        return False
    left_out = LEFT_OUT if place.way == "thread" else NEVER
    return is_other_loop or item.originalname in left_out


@pytest.fixture(scope="session", params=places(), ids=str)
def place(request: pytest.FixtureRequest) -> Place:
    """All tests run at one place, then at the next."""
    chosen: Place = request.param
    return chosen


@pytest.fixture(scope="session")
def server(place: Place, request: pytest.FixtureRequest) -> Iterator[Api]:
    if place.is_peer:
        with Peer() as peer:
            yield peer
    else:
        shared: Api = request.getfixturevalue("server")
        if place.abi == "10.5" and _version(shared) < (2, 2):
            pytest.skip("modules for ABI 10.5 need a server 2.2")
        yield shared


def _version(server: Api) -> tuple[int, ...]:
    major, minor = server.version().split(".")[:2]
    return int(major), int(minor)


@pytest.fixture(scope="session")
def chat_wasm(place: Place, request: pytest.FixtureRequest) -> bytes:
    return b"native:chat" if place.is_peer else _module(request, place, "chat")


@pytest.fixture(scope="session")
def all_types_wasm(place: Place, request: pytest.FixtureRequest) -> bytes:
    return b"native:all_types" if place.is_peer else _module(request, place, "all_types")


def _module(request: pytest.FixtureRequest, place: Place, name: str) -> bytes:
    """The module of that name, in the place's language."""
    if place.is_python:
        return in_sight(request, lambda: python_module(name, place.abi))
    wasm: bytes = request.getfixturevalue(f"{name}_wasm")
    return wasm


@pytest.fixture(scope="session")
def bindings_folder(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For Python packages of this place."""
    parent = tmp_path_factory.mktemp("bindings")
    sys.path.insert(0, str(parent))
    folder = parent / f"live_{place}".replace("-", "_").replace(".", "_")
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def chat_bindings(place: Place, server: Api, chat_wasm: bytes, bindings_folder: Path) -> Any:
    """Generated from a running database of the `chat` module."""
    return _bindings_of_running(place, server, chat_wasm, bindings_folder / "chat")


@pytest.fixture(scope="session")
def all_types_bindings(
    place: Place, server: Api, all_types_wasm: bytes, bindings_folder: Path
) -> Any:
    """Generated from a running database of the `all_types` module."""
    return _bindings_of_running(place, server, all_types_wasm, bindings_folder / "all_types")


@pytest.fixture(scope="session")
def outdated_bindings(
    place: Place, server: Api, all_types_wasm: bytes, bindings_folder: Path
) -> Any:
    """Bindings of `all_types` as if its table and reducer for the diary had changed since."""
    name = f"schema-{uuid4().hex}"
    server.publish(name, all_types_wasm)
    schema = server.schema(name)
    server.delete(name)
    extra = {"name": {"some": "extra"}, "algebraic_type": {"String": []}}
    (diary,) = (table for table in schema["tables"] if table["name"] == "diary")
    row = schema["typespace"]["types"][diary["product_type_ref"]]
    row["Product"]["elements"].append(extra)
    (reducer,) = (one for one in schema["reducers"] if one["name"] == "add_diary")
    reducer["params"]["elements"].pop()
    if place.is_dynamic:
        return dynamic.bindings(schema)
    file = bindings_folder / "schema.json"
    file.write_text(json.dumps(schema))
    out = bindings_folder / "outdated"
    assert cli.main(["generate", "--schema", str(file), "--out", str(out)]) == 0
    return _import(out)


@pytest.fixture
def chat(place: Place, chat_bindings: Any, chat_database: Database) -> Target:
    return Target(place, chat_bindings, chat_database)


@pytest.fixture
def all_types(place: Place, all_types_bindings: Any, all_types_database: Database) -> Target:
    return Target(place, all_types_bindings, all_types_database)


def _bindings_of_running(place: Place, server: Api, wasm: bytes, out: Path) -> Any:
    name = f"schema-{uuid4().hex}"
    server.publish(name, wasm)
    if place.is_dynamic:
        made = dynamic.fetch(server.url, name)
        server.delete(name)
        return made
    source = ["--uri", server.url, "--database", name]
    assert cli.main(["generate", *source, "--out", str(out)]) == 0
    server.delete(name)
    return _import(out)


def _import(package: Path) -> Any:
    return importlib.import_module(f"{package.parent.name}.{package.name}")
