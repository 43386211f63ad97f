"""What a case works with: connections to its database, what they hear, and comparisons."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import anyio

from spacetime_py import ReducerEvent

Heard = list[tuple[Any, ...]]


class Failed(Exception):
    """The client did not do what the case is about."""


def equal(found: object, expected: object, what: str = "value") -> None:
    """Compare, with types: True is not 1."""
    if found != expected or type(found) is not type(expected):
        raise Failed(f"{what}: found {found!r}, expected {expected!r}")


def holds(condition: object, what: str) -> None:
    if not condition:
        raise Failed(f"it does not hold that {what}")


async def until(condition: Callable[[], object]) -> None:
    """Wait for what the server sends unasked. The client's time limit ends it."""
    while not condition():
        await anyio.sleep(0.005)


class World:
    """The database of this process, and the bindings that were generated from it."""

    def __init__(self, uri: str, database: str, bindings: Any, protocols: tuple[str, ...]) -> None:
        self.uri = uri
        self.database = database
        self.bindings = bindings
        self.protocols = protocols

    def connect(self, **options: Any) -> Any:
        """A connection to be entered, which is made once."""
        options = {"reconnect": False, "protocols": self.protocols, **options}
        return self.bindings.DbConnection(uri=self.uri, database=self.database, **options)

    def row(self, table: str, *columns: Any) -> Any:
        """A row of a table."""
        title = "".join(part.capitalize() for part in table.split("_"))
        return getattr(self.bindings, title)(*columns)


def listen(connection: Any, table: str) -> Heard:
    """What callbacks of a table are told, in order: ("insert", row), ("update", old, new) ..."""
    heard: Heard = []
    rows = getattr(connection.db, table)
    rows.on_insert(lambda context, row: heard.append(("insert", row)))
    rows.on_delete(lambda context, row: heard.append(("delete", row)))
    rows.on_update(lambda context, old, new: heard.append(("update", old, new)))
    return heard


def listen_to_events(connection: Any, table: str) -> list[Any]:
    """The events that rows of a table come with."""
    events: list[Any] = []
    rows = getattr(connection.db, table)
    rows.on_insert(lambda context, row: events.append(context.event))
    rows.on_delete(lambda context, row: events.append(context.event))
    rows.on_update(lambda context, old, new: events.append(context.event))
    return events


def own_call(event: object, reducer: str, *args: object) -> None:
    """The event is this connection's call of the reducer with these arguments."""
    if not isinstance(event, ReducerEvent):
        raise Failed(f"the event is {event!r} and not the call of {reducer}")
    equal((event.name, event.is_own), (reducer, True), "the event's call")
    equal(event.args, args, f"arguments of {reducer}")


def all_empty(connection: Any) -> None:
    """A new database has no rows but those of who is connected."""
    for name in type(connection.db)._tables:
        if name not in ("connected", "disconnected"):
            equal(len(getattr(connection.db, name)), 0, f"rows of {name}")


def say(text: str) -> None:
    print(text, file=sys.stderr)
