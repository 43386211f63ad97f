"""The chat of the SpacetimeDB quickstart: users who come and go, and what they say."""

from __future__ import annotations

from spacetime_py.server import (
    Identity,
    PrimaryKey,
    ReducerContext,
    ReducerError,
    Timestamp,
    client_connected,
    client_disconnected,
    init,
    log,
    reducer,
    table,
)


@table(public=True)
class User:
    identity: PrimaryKey[Identity]
    name: str | None = None
    online: bool


@table(public=True)
class Message:
    sender: Identity
    sent: Timestamp
    text: str


@init(name="init")
def on_init(ctx: ReducerContext) -> None:
    log.info("the chat is open")


@client_connected(name="client_connected")
def on_connect(ctx: ReducerContext) -> None:
    users = ctx.db[User.identity]
    user = users.find(ctx.sender)
    if user is None:
        ctx.db[User].insert(User(identity=ctx.sender, online=True))
    else:
        user.online = True
        users.update(user)


@client_disconnected(name="client_disconnected")
def on_disconnect(ctx: ReducerContext) -> None:
    users = ctx.db[User.identity]
    user = users.find(ctx.sender)
    if user is None:
        log.warn(f"{ctx.sender} left without having come")
    else:
        user.online = False
        users.update(user)


@reducer
def set_name(ctx: ReducerContext, name: str) -> None:
    not_empty("name", name)
    users = ctx.db[User.identity]
    user = users.find(ctx.sender)
    if user is None:
        raise ReducerError("only a connected user has a name")
    user.name = name
    users.update(user)


@reducer
def send_message(ctx: ReducerContext, text: str) -> None:
    not_empty("message", text)
    ctx.db[Message].insert(Message(sender=ctx.sender, sent=ctx.timestamp, text=text))


def not_empty(what: str, text: str) -> None:
    if not text:
        raise ReducerError(f"a {what} must not be empty")
