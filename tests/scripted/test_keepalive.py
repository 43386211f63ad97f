"""A server that is silent is pinged, and is lost when it stays silent."""

from __future__ import annotations

import anyio
import pytest

from spacetime_py import KeepaliveTimeout, Reconnect

from . import wire
from .peer import PATIENCE, Peer, Peers, connected, in_memory

pytestmark = pytest.mark.anyio
# Seconds; nothing is measured.
SOON = 0.01


def answering(peer: Peer, answer: bytes, times: int) -> anyio.Event:
    """The peer answers so many pings, and none after; the event is set by the last of them."""
    answered = anyio.Event()
    left = [times]

    def on_ping() -> None:
        if left[0] == 0:
            return
        left[0] -= 1
        peer.send_bytes(answer)
        if left[0] == 0:
            answered.set()

    peer.on_ping = on_ping
    return answered


async def test_a_silent_server_is_pinged_and_then_lost() -> None:
    options = {"ping_interval": SOON, "ping_timeout": SOON, "reconnect": False}
    pings: list[None] = []
    async with connected(**options) as (connection, peer):
        peer.on_ping = lambda: pings.append(None)
        with pytest.raises(KeepaliveTimeout, match="no answer to a ping"):
            await connection.wait_closed()
    assert len(pings) == 1


async def test_calls_in_flight_hear_of_it() -> None:
    options = {"ping_interval": SOON, "ping_timeout": SOON, "reconnect": False}
    async with connected(**options) as (connection, peer):
        peer.answers = False
        with pytest.raises(KeepaliveTimeout) as caught:
            await connection.reducers.send_message("a")
    assert caught.value.maybe_executed


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(wire.frame(10, b""), id="pong"),
        pytest.param(wire.frame(2, b"\0" + wire.light_update({}, {})), id="message"),
        pytest.param(wire.frame(9, b"are you there"), id="ping"),
    ],
)
async def test_whatever_the_server_sends_starts_anew(answer: bytes) -> None:
    options = {"ping_interval": SOON, "ping_timeout": 5 * SOON, "reconnect": False}
    async with connected(**options) as (connection, peer):
        await answering(peer, answer, times=5).wait()
        assert connection.is_active
        with pytest.raises(KeepaliveTimeout):
            await connection.wait_closed()


async def test_a_server_that_was_lost_so_is_connected_to_again() -> None:
    silent, other = Peer(), Peer()
    answering(other, wire.frame(10, b""), times=1_000_000)
    errors: list[Exception] = []
    again = anyio.Event()
    connection = in_memory(
        silent,
        transport=Peers(silent, other),
        reconnect=Reconnect(base=0),
        ping_interval=SOON,
        ping_timeout=SOON,
        on_reconnecting=lambda _, attempt: errors.append(attempt.error),
        on_reconnected=lambda _: again.set(),
    )
    with anyio.fail_after(PATIENCE):
        async with connection:
            await again.wait()
    assert [type(error) for error in errors] == [KeepaliveTimeout]


async def test_without_a_timeout_one_who_never_answers_is_pinged_once() -> None:
    pinged = anyio.Event()
    async with connected(ping_interval=SOON, ping_timeout=None) as (connection, peer):
        peer.on_ping = pinged.set
        await pinged.wait()
        await connection.reducers.send_message("still here")
