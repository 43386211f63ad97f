"""Where the live suite runs: a server, the versions of the protocol that are offered to it, and
the language of its modules, which is no business of their clients; the way the clients run, and
where their bindings come from.

With `SPACETIME_TEST_SERVER_URL` the server is the named one, which chooses the version itself.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

from tests.peer.process import Peer
from tests.server.server import URL_VARIABLE, Server


@dataclass(frozen=True)
class Place:
    name: str
    is_peer: bool = False
    protocols: tuple[str, ...] = ("v3", "v2", "v1")
    is_python: bool = False
    """The modules are those written in Python."""
    abi: str = "10.0"
    """What those are built for."""
    way: Literal["async", "thread", "frame_tick"] = "async"
    """How the suite's connections run: async, or through `facade.py`."""
    is_dynamic: bool = False
    """Bindings are made in memory, and not generated into files."""

    def new_server(self) -> AbstractContextManager[Server | Peer]:
        """One of the test's own, which it may stop."""
        return Peer() if self.is_peer else Server()

    @property
    def remedy(self) -> str:
        """What messages say of bindings that do not fit."""
        return "reads the schema anew" if self.is_dynamic else "`spacetime-py generate`"

    def __str__(self) -> str:
        return self.name


def places() -> list[Place]:
    if os.environ.get(URL_VARIABLE):
        return [
            Place("url"),
            Place("url-python", is_python=True),
            Place("url-python-10.5", is_python=True, abi="10.5"),
            Place("url-sync", way="thread"),
            Place("url-frame-tick", way="frame_tick"),
            Place("url-dynamic", is_dynamic=True),
        ]
    return [
        Place("1.2.0"),
        Place("1.2.0-python", is_python=True),
        Place("peer-v2", is_peer=True, protocols=("v2",)),
        Place("peer-v3", is_peer=True, protocols=("v3",)),
        Place("1.2.0-sync", way="thread"),
        Place("1.2.0-frame-tick", way="frame_tick"),
        Place("peer-v3-sync", is_peer=True, protocols=("v3",), way="thread"),
        Place("1.2.0-dynamic", is_dynamic=True),
        Place("peer-v3-dynamic", is_peer=True, protocols=("v3",), is_dynamic=True),
    ]
