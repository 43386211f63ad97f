"""A real database and the generated bindings to use on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio

from tests.server.api import Database


@dataclass(frozen=True)
class Target:
    """Bindings are Any: they are generated while the tests run."""

    bindings: Any
    database: Database

    def connect(self, **options: Any) -> Any:
        """A connection to be entered."""
        return self.bindings.DbConnection(
            uri=self.database.url, database=self.database.name, **options
        )


async def until(condition: Callable[[], object]) -> None:
    """Wait for what the server sends unasked. The test's own time limit ends it."""
    while not condition():
        await anyio.sleep(0.01)
