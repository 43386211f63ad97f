"""The edges of a connection's life that no server produces on demand."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from examples.chat.module_bindings import DbConnection, Message
from spacetime_py import ConnectionStatus, Identity, Reconnect, Timestamp
from spacetime_py.transport import Driver, Endpoint, MemoryTransport

from .peer import PATIENCE, Peer, connected, in_memory, in_memory_options

pytestmark = pytest.mark.anyio
USERS = "SELECT * FROM user"


class _Peers:
    """Another peer for each attempt to connect."""

    def __init__(self, *peers: Peer) -> None:
        self._peers = list(peers)

    def __call__(self, endpoint: Endpoint, driver: Driver) -> MemoryTransport:
        peer = self._peers.pop(0)
        transport: MemoryTransport = in_memory_options(peer)["transport"](endpoint, driver)
        return transport


async def test_closing_while_an_attempt_waits_for_the_greeting_is_our_close() -> None:
    first, silent = Peer(), Peer()
    silent.greets = False
    told: list[object] = []
    connection = DbConnection(
        uri="http://localhost:3000",
        database="chat",
        transport=_Peers(first, silent),
        reconnect=Reconnect(base=0),
        on_disconnect=lambda _, error: told.append(error),
    )
    with anyio.fail_after(PATIENCE):
        async with connection:
            first.end()
            assert connection.state.status is ConnectionStatus.RECONNECTING
            await anyio.wait_all_tasks_blocked()
            await connection.close()
        await connection.wait_closed()
    assert told == [None]


async def test_cancelling_subscribe_on_a_connection_that_is_being_closed() -> None:
    peer = Peer()
    with anyio.fail_after(PATIENCE):
        async with in_memory(peer) as connection, anyio.create_task_group() as tasks:
            peer.answers = peer.answers_close = False
            scope = anyio.CancelScope()

            async def subscribe() -> None:
                with scope:
                    await connection.subscribe(USERS)

            tasks.start_soon(subscribe)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(connection.close)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anyio.wait_all_tasks_blocked()
            assert scope.cancelled_caught
            peer.end()


async def test_what_goes_through_a_callback_leaves_the_connection_usable() -> None:
    async with connected() as (connection, peer):

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        connection.on_transaction(interrupted)
        await connection.subscribe(USERS)
        with pytest.raises(KeyboardInterrupt):
            peer.change({"message": [Message(Identity("0" * 64), Timestamp(0), "a")]})
        connection.remove_on_transaction(interrupted)
        await connection.reducers.send_message("still here")


async def test_a_capture_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        async with in_memory(Peer(), capture=tmp_path / "missing" / "session.jsonl"):
            pass
