"""Two clients of the chat module, alice and bob, who hear each other live and leave by themselves.

python main.py --uri http://127.0.0.1:3000 --database chat
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import AsyncExitStack

import anyio
from module_bindings import DbConnection, EventContext, Message, User

from spacetime_py import SpacetimeDBError

PATIENCE = 30.0
"""Seconds that the whole conversation may take."""

TALK = [
    ("alice", "Hello, is anybody here?"),
    ("bob", "Yes! I see what you write as you write it."),
    ("alice", "So do I. Nobody asked for it: the rows just come."),
    ("bob", "Bye then."),
]


class Client:
    """One person in the chat: a connection, and what it has heard since it came."""

    def __init__(self, name: str, connection: DbConnection) -> None:
        self.name = name
        self.connection = connection
        self.heard: list[str] = []
        self._something_new = anyio.Event()

    async def join(self) -> None:
        """Subscribe first and register callbacks after, so that old messages are not heard."""
        await self.connection.subscribe("SELECT * FROM user", "SELECT * FROM message")
        self.connection.db.message.on_insert(self.on_message)
        self.connection.db.user.on_update(self.on_user)
        await self.connection.reducers.set_name(self.name)

    def on_message(self, context: EventContext, message: Message) -> None:
        sender = context.db.user.identity.find(message.sender)
        print(f"[{self.name:>5} hears] {display(sender)}: {message.text}")
        self.heard.append(message.text)
        self._something_new.set()

    def on_user(self, context: EventContext, old: User, new: User) -> None:
        if old.name != new.name:
            print(f"[{self.name:>5}  sees] {display(old)} is now {display(new)}")

    async def wait_for(self, text: str) -> None:
        while text not in self.heard:
            await self._something_new.wait()
            self._something_new = anyio.Event()


def display(user: User | None) -> str:
    if user is None:
        return "somebody"
    return user.name or str(user.identity)[:8]


async def chat(uri: str, database: str) -> None:
    """Connect twice, talk, and return when both have heard everything."""
    async with AsyncExitStack() as stack:
        clients: dict[str, Client] = {}
        for name in ("alice", "bob"):
            connection = DbConnection(uri=uri, database=database)
            clients[name] = Client(name, await stack.enter_async_context(connection))
            await clients[name].join()
        for name, text in TALK:
            await clients[name].connection.reducers.send_message(text)
            for client in clients.values():
                await client.wait_for(text)


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    uri = os.environ.get("SPACETIME_URI", "http://127.0.0.1:3000")
    parser.add_argument("--uri", default=uri, help="default: $SPACETIME_URI, or %(default)s")
    parser.add_argument("--database", default="chat")
    options = parser.parse_args()
    try:
        with anyio.fail_after(PATIENCE):
            await chat(options.uri, options.database)
    except SpacetimeDBError as error:
        print(f"chat: {error}", file=sys.stderr)
    except TimeoutError:
        print(f"chat: not everything was heard within {PATIENCE:g} s", file=sys.stderr)
    else:
        print("Both have heard everything.")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(anyio.run(main))
