"""Numbers, log and debug view where the server fails: docs/topics/observing.md."""

from __future__ import annotations

import logging
import time
from dataclasses import FrozenInstanceError

import anyio
import pytest

from examples.chat.module_bindings import DbConnection, EventContext, Message
from spacetime_py import ConnectionLost, Reconnect, sync

from . import wire
from .peer import PATIENCE, Peer, Peers, connected, in_memory
from .test_streams import ALICE, USERS, message, user

pytestmark = pytest.mark.anyio


def reconnecting(*peers: Peer) -> DbConnection:
    return DbConnection(
        uri="http://localhost:3000",
        database="chat",
        transport=Peers(*peers),
        reconnect=Reconnect(base=0),
    )


async def test_a_reconnect_in_numbers_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="spacetime_py")
    first, refusing, second = Peer(), Peer(), Peer()
    first.rows, second.rows = {"user": [user(ALICE)]}, {"user": [user(ALICE, "A")]}
    refusing.refusal = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"
    with anyio.fail_after(PATIENCE):
        async with reconnecting(first, refusing, second) as connection:
            await connection.subscribe(USERS)
            first.answers = False
            call = connection.reducers.send_message("a")
            first.end()
            assert "reconnecting, attempt 1 after 0.0 s: ConnectionLost: " in str(
                connection.debug()
            )
            with pytest.raises(ConnectionLost):
                await call
            await connection.wait_connected()
            await connection.reducers.send_message("b")
            stats = connection.stats
    assert (stats.reconnects, stats.calls_lost, stats.calls_in_flight) == (1, 1, 0)
    assert (stats.reducers.sent, stats.reducers.answered) == (2, 1)
    assert (stats.rows_inserted, stats.rows_updated, stats.cached_rows) == (1, 1, 1)
    told = [one for one in caplog.records if one.name == "spacetime_py.connection"]
    assert [one.levelname for one in told] == ["INFO", "WARNING", "WARNING", "INFO", "INFO"]
    assert [one.getMessage().rpartition("; ")[2] for one in told[1:3]] == [
        "attempt 1 in 0.0 s",
        "attempt 2 in 0.0 s",
    ]
    assert "503" in told[2].getMessage()
    assert told[3].getMessage().startswith("reconnected after ")
    assert told[3].getMessage().endswith(" by attempt 2")


async def test_an_end_that_is_not_ours(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="spacetime_py.connection")
    async with connected(reconnect=False) as (connection, peer):
        peer.end()
        with pytest.raises(ConnectionLost):
            await connection.wait_closed()
    last = caplog.records[-1].getMessage()
    assert last.startswith("ended for good: database `chat` at http://localhost:3000: ")


async def test_pings_are_counted() -> None:
    heard = anyio.Event()
    async with connected(ping_interval=0.01, ping_timeout=None) as (connection, peer):
        peer.on_ping = heard.set
        await heard.wait()
        peer.send_bytes(wire.frame(9, b"are you there"))
        assert (connection.stats.pings_sent, connection.stats.pings_received) == (1, 1)


async def test_the_numbers_are_those_of_their_moment() -> None:
    async with connected() as (connection, peer):
        before = connection.stats
        await connection.subscribe("SELECT * FROM message")
        peer.change({"message": [message("a")]})
        assert (before.rows_inserted, connection.stats.rows_inserted) == (0, 1)
        with pytest.raises(FrozenInstanceError):
            before.transactions = 7  # type: ignore[misc]


async def test_a_slow_callback_is_the_longest() -> None:
    """Each callback is measured, however small its message."""
    took: list[float] = []

    def work(context: EventContext, row: Message) -> None:
        began = time.monotonic()
        sum(range(int(row.text)))
        took.append(time.monotonic() - began)

    async with connected() as (connection, peer):
        await connection.subscribe("SELECT * FROM message")
        connection.db.message.on_insert(work)
        for number in ("1", "1", "100000", "1"):
            peer.change({"message": [message(number)]})
        callbacks = connection.stats.callbacks
        assert callbacks.count == 1 + 1 + 4
        assert callbacks.max >= max(took)
        assert callbacks.total >= sum(took)
        assert callbacks.p50 <= callbacks.p99 <= callbacks.max


async def test_before_it_is_entered() -> None:
    connection = in_memory(Peer(), token=wire.TOKEN)
    assert repr(connection) == (
        "<DbConnection not entered, database `chat` at http://localhost:3000: "
        "0 subscriptions, 0 rows>"
    )
    assert wire.TOKEN not in repr(vars(connection.debug()))
    assert connection.stats.messages_received == 0


async def test_a_notebook_shows_text() -> None:
    async with connected() as (connection, _):
        await connection.subscribe("SELECT * FROM user WHERE name < 'x'")
        shown = connection.debug()._repr_html_()
    assert "WHERE name &lt; &#x27;x&#x27;" in shown


def test_frames_and_their_callbacks() -> None:
    peer = Peer()
    with sync.connect(in_memory(peer), callbacks="frame_tick") as connection:
        connection.db.message.on_insert(lambda *_: 1 // 0)
        connection.subscribe("SELECT * FROM message")
        connection.read(lambda: peer.change({"message": [message("a"), message("b")]}))
        assert connection.stats.callbacks_waiting == 2
        connection.frame_tick()
        stats = connection.stats
        assert (stats.frames.count, stats.callbacks_waiting, stats.callbacks_failed) == (1, 0, 2)
        assert repr(connection) == repr(connection.debug()).partition("\n")[0]
