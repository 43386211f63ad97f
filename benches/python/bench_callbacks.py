"""Row callbacks and calls through the whole SDK, without a network."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from pytest_codspeed import BenchmarkFixture

from examples.chat.module_bindings import DbConnection, Message, RemoteTables, User
from spacetime_py import MemoryTransport
from spacetime_py.callbacks import Guard
from spacetime_py.dispatch import Dispatcher
from spacetime_py.transport import Driver, Endpoint

from . import peer
from .rows import messages, user_bytes, users

MODULE = DbConnection._module  # pyright: ignore[reportPrivateUsage]
COUNT = 1000


def test_one_insert_with_a_thousand_callbacks(benchmark: BenchmarkFixture) -> None:
    """A transaction of 1,000 rows: one callback each, which reads a field."""
    rows = messages(COUNT)
    insert, delete = peer.transaction("message", [], rows), peer.transaction("message", rows, [])
    seen = 0

    def count(context: object, row: Message) -> None:
        nonlocal seen
        seen += len(row.text) > 0

    core = peer.subscribed(MODULE, "message", [])
    dispatcher = Dispatcher(object(), MODULE, Guard(None))
    RemoteTables(core, dispatcher.rows).message.on_insert(count)

    def apply() -> None:
        for event in peer.receive(core, insert) + peer.receive(core, delete):
            dispatcher.dispatch(event)  # type: ignore[arg-type]

    benchmark(apply)
    assert seen > 0
    assert seen % COUNT == 0


def test_a_thousand_updates_with_callbacks(benchmark: BenchmarkFixture) -> None:
    """1,000 transactions of one changed row: a callback compares old and new, and asks who."""
    seen = 0

    def count(context: Any, old: User, new: User) -> None:
        nonlocal seen
        seen += old.online != new.online and context.event.name == "some_reducer"

    core = peer.subscribed(MODULE, "user", users(COUNT))
    dispatcher = Dispatcher(object(), MODULE, Guard(None))
    RemoteTables(core, dispatcher.rows).user.on_update(count)
    frames = [
        peer.transaction("user", [user_bytes(n, online)], [user_bytes(n, not online)])
        for online in (True, False)
        for n in range(COUNT // 2)
    ]

    def apply() -> None:
        for data in frames:
            for event in peer.receive(core, data):
                dispatcher.dispatch(event)  # type: ignore[arg-type]

    benchmark(apply)
    assert seen > 0
    assert seen % COUNT == 0


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_calls(benchmark: BenchmarkFixture, backend: str) -> None:
    """Connect, await 1,000 calls one after another, close; the server answers at once."""

    async def session() -> None:
        answered = 0

        def open_transport(endpoint: Endpoint, driver: Driver) -> MemoryTransport:
            memory = MemoryTransport(driver, lambda data: answer(memory, data))
            return memory

        def answer(memory: MemoryTransport, data: bytes) -> None:
            nonlocal answered
            if data.startswith(b"GET"):
                memory.feed(peer.upgrade_answer(data) + peer.frame(peer.identity_token()))
            elif data[0] & 0x0F == 8:
                memory.feed(b"\x88\x02\x03\xe8")
            else:
                number = peer.request_id(data)
                memory.feed(peer.committed("send_message", number))
                answered += 1

        async with DbConnection(
            uri="localhost:3000", database="bench", transport=open_transport
        ) as connection:
            for _ in range(COUNT):
                await connection.reducers.send_message("hello, everybody")
        assert answered == COUNT

    benchmark(lambda: anyio.run(session, backend=backend))
