"""A module with every SATS type, in every kind of table and as the argument of a reducer.

`tables.py` and `types.py` are also the schema of recorded sessions: keep the layouts as they are.
"""

from __future__ import annotations

from spacetime_py.server import (
    ReducerContext,
    ReducerError,
    client_connected,
    client_disconnected,
    init,
    log,
)

from . import arguments, reducers
from .tables import Gate, Presence

__all__ = ["arguments", "reducers"]


@init
def on_init(ctx: ReducerContext) -> None:
    log.info("init")
    ctx.db[Gate].insert(Gate(id=0, closed=False))


@client_connected
def on_connect(ctx: ReducerContext) -> None:
    gate = ctx.db[Gate.id].find(0)
    if gate is not None and gate.closed:
        raise ReducerError("the gate is closed")
    if ctx.connection_id is not None:
        presence = Presence(conn=ctx.connection_id, who=ctx.sender, since=ctx.timestamp)
        ctx.db[Presence].insert(presence)


@client_disconnected
def on_disconnect(ctx: ReducerContext) -> None:
    if ctx.connection_id is not None:
        ctx.db[Presence.conn].delete(ctx.connection_id)
