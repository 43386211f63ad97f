"""What the tests of adversity and cancellation run against: a server and a version of the protocol.

A new one is added to `TARGETS`, which is all that turns it on.
"""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import spacetime_py
from spacetime_py.bindings import DbConnection
from tests.codegen.packages import GOLDEN, load_package
from tests.server.api import Api, Database
from tests.server.modules import build_module
from tests.server.server import some_server

TARGETS: tuple[str, ...] = ("1.2.0-v1", "peer-v1", "peer-v2", "peer-v3")
"""Of `KINDS`, those that are tested."""

# What today's client may lack. Tests of it appear by themselves.
RECONNECTS = hasattr(spacetime_py, "Reconnect")
OPTIONS = frozenset(inspect.signature(DbConnection.__init__).parameters)
SOAK = os.environ.get("SPACETIME_TEST_SOAK", "") not in ("", "0")


@dataclass(frozen=True)
class Kind:
    """A server and a version of the protocol."""

    is_peer: bool
    protocol: str
    bindings: str
    """A package of `tests/codegen/golden`, made from the module's schema."""

    @property
    def server(self) -> str:
        return "peer" if self.is_peer else "1.2.0"


KINDS = {
    "1.2.0-v1": Kind(is_peer=False, protocol="v1", bindings="schema_1_2_0_version9"),
    "peer-v1": Kind(is_peer=True, protocol="v1", bindings="schema_2_8_3_version10"),
    "peer-v2": Kind(is_peer=True, protocol="v2", bindings="schema_2_8_3_version10"),
    "peer-v3": Kind(is_peer=True, protocol="v3", bindings="schema_2_8_3_version10"),
}


class _PeerProcess(Protocol):
    def __enter__(self) -> Api: ...
    def __exit__(self, *exc_info: object) -> object: ...


@contextmanager
def running(server: str) -> Iterator[Api]:
    """The server of a kind, for many tests."""
    if server == "peer":
        process: _PeerProcess = importlib.import_module("tests.peer.process").Peer()
        with process as peer:
            yield peer
    else:
        with some_server() as real:
            yield real


@dataclass(frozen=True)
class Target:
    """A new database of the `all_types` module, and the bindings to use on it."""

    kind: Kind
    api: Api
    database: Database
    bindings: ModuleType

    @property
    def port(self) -> int:
        port = urlsplit(self.database.url).port
        assert port is not None
        return port

    def connect(self, url: str | None = None, **options: Any) -> Any:
        """A connection to be entered, by way of a proxy's `url` if one is given."""
        # It has a socket of its own, which would get some of the faults.
        options["check_schema"] = False
        if "protocols" in OPTIONS:
            options.setdefault("protocols", (self.kind.protocol,))
        return self.bindings.DbConnection(
            uri=url or self.database.url, database=self.database.name, **options
        )


@contextmanager
def new_database(kind: Kind, api: Api) -> Iterator[Target]:
    # The peer has the module built in, as it is in recordings of 2.8.3.
    module = b"native:mod28" if kind.is_peer else build_module("all_types").read_bytes()
    database = api.publish(f"adversity-{uuid4().hex}", module)
    yield Target(kind, api, database, bindings(kind.bindings))
    api.delete(database.name)


_packages: dict[str, ModuleType] = {}


def bindings(name: str) -> ModuleType:
    """A golden package. Its classes are made once."""
    if name not in _packages:
        _packages[name] = load_package(GOLDEN / name)
    return _packages[name]


def unfinished(connection: Any) -> tuple[int, int]:
    """How many calls the connection waits for, and how many subscriptions it has.

    The core and the SDK keep books of their own: the larger numbers count.
    """
    dispatcher = connection._dispatcher
    calls, subscriptions = len(dispatcher.calls), len(dispatcher.subscriptions)
    in_core = getattr(connection._core, "pending", (0, 0))
    return max(calls, in_core[0]), max(subscriptions, in_core[1])


def reconnecting(base: float = 0.0) -> dict[str, Any]:
    """Options for a client that connects again at once and notices a silent network soon."""
    if not RECONNECTS:
        return {}
    policy = vars(spacetime_py)["Reconnect"](base=base)
    return {"reconnect": policy, "ping_interval": 0.1, "ping_timeout": 0.2, "connect_timeout": 2.0}
