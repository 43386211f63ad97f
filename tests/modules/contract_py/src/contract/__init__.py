"""The module of `tests/conformance`: a table for each type, by itself, in lists and options, as a
key; and reducers for the cases that need more than one row.

`insert_TABLE`, `update_TABLE` and `delete_TABLE` do what they say, and nothing else: the live peer
runs them by their names.
"""

from __future__ import annotations

from spacetime_py.server import (
    ReducerContext,
    client_connected,
    client_disconnected,
    client_visibility_filter,
)

from . import families, reducers
from .tables import Connected, Disconnected

__all__ = ["families", "reducers"]

client_visibility_filter("SELECT * FROM users WHERE identity = :sender")


@client_connected
def on_connect(ctx: ReducerContext) -> None:
    ctx.db[Connected].insert(Connected(identity=ctx.sender))


@client_disconnected
def on_disconnect(ctx: ReducerContext) -> None:
    ctx.db[Disconnected].insert(Disconnected(identity=ctx.sender))
