"""What servers of 2.x have beyond the module: declared beside it, for the live peer."""

from __future__ import annotations

from spacetime_py.server import (
    AnonymousViewContext,
    Identity,
    Indexed,
    PrimaryKey,
    ReducerContext,
    Unique,
    Uuid,
    ViewContext,
    reducer,
    table,
    u32,
    u64,
    view,
)

from .families import declare_keyed, declare_plain

declare_plain("one_uuid", Uuid)
declare_plain("vec_uuid", list[Uuid])
declare_plain("option_uuid", Uuid | None)
declare_keyed("unique", Unique, "uuid", Uuid)
declare_keyed("pk", PrimaryKey, "uuid", Uuid)


@table(public=True, event=True)
class Happening:
    name: str
    value: u64


@table(public=True)
class Player:
    id: PrimaryKey[u64]
    owner: Indexed[Identity]
    name: str
    level: u32


@reducer
def insert_happening(ctx: ReducerContext, name: str, value: u64) -> None:
    ctx.db[Happening].insert(Happening(name=name, value=value))


@reducer
def insert_player(ctx: ReducerContext, id: u64, owner: Identity, name: str, level: u32) -> None:
    ctx.db[Player].insert(Player(id=id, owner=owner, name=name, level=level))


@reducer
def update_player(ctx: ReducerContext, id: u64, owner: Identity, name: str, level: u32) -> None:
    ctx.db[Player.id].update(Player(id=id, owner=owner, name=name, level=level))


@reducer
def delete_player(ctx: ReducerContext, id: u64) -> None:
    ctx.db[Player.id].delete(id)


@view
def all_player(ctx: AnonymousViewContext) -> list[Player]:
    return list(ctx.db[Player])


@view
def my_player(ctx: ViewContext) -> list[Player]:
    return list(ctx.db[Player.owner].filter(ctx.sender))
