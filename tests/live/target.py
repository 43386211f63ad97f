"""A real database and the generated bindings to use on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio

from spacetime_py import ReducerEvent
from tests.server.api import Database

from .facade import SyncFace, ticking
from .places import Place


@dataclass(frozen=True)
class Target:
    """Bindings are Any: they are generated while the tests run."""

    place: Place
    bindings: Any
    database: Database

    def connect(self, **options: Any) -> Any:
        """A connection to be entered."""
        options.setdefault("protocols", self.place.protocols)
        connection = self.bindings.DbConnection(
            uri=self.database.url, database=self.database.name, **options
        )
        return self.in_its_way(connection)

    def in_its_way(self, connection: Any) -> Any:
        """A connection of the bindings, to be entered, as this place runs them."""
        if self.place.way == "async":
            return connection
        return SyncFace(connection, self.place.way)


def is_own(event: object) -> bool:
    """Whether a transaction is this connection's call. Version 1 tells of those of others too."""
    return isinstance(event, ReducerEvent) and event.is_own


async def until(condition: Callable[[], object]) -> None:
    """Wait for what the server sends unasked. The test's own time limit ends it."""
    while not condition():
        await anyio.sleep(0.01)
        for tick in list(ticking):
            tick()
