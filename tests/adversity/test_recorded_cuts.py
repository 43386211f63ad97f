"""Recorded sessions that are cut between two messages and played again to who reconnects."""

from __future__ import annotations

import time
from typing import Any

import anyio
import pytest

from .addresses import VERSIONS
from .client import until
from .model import COLUMNS, Watch, missing_deletes
from .recorded import RecordedServer, Recording, cut_positions, digest, load
from .targets import RECONNECTS, SOAK, bindings, reconnecting

pytestmark = pytest.mark.anyio

SCENARIOS = (
    "insert_update_delete_by_other_client",
    "many_small_transactions",
    "big_transaction_gzip",
)
PATIENCE = 30.0


async def play(server: RecordedServer, messages: int) -> None:
    """As far as that, with what the client has to say in between."""
    with anyio.fail_after(PATIENCE):
        while not server.play(messages):
            await anyio.sleep(0)


def check(connection: Any, watch: Watch, recording: Recording) -> None:
    for table, rows in recording.rows.items():
        assert digest(bytes(row) for row in getattr(connection.db, table)) == rows
    for table in set(COLUMNS) - set(recording.rows):
        assert len(getattr(connection.db, table)) == 0
    watch.check()
    assert missing_deletes(connection) == 0


async def run(recording: Recording, cut_after: int | None) -> int:
    """Play it, up to a cut and then from the start; gives how many sessions that took."""
    server = RecordedServer(recording)
    connection = bindings(recording.version.bindings).DbConnection(
        uri="http://localhost:3000",
        database="recorded",
        transport=server.transport,
        **{**reconnecting(), "ping_interval": None} if RECONNECTS else {},
    )
    watch = Watch(connection)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(play, server, 1)
        with anyio.fail_after(PATIENCE):
            async with connection:
                handle = connection.subscription_builder().subscribe(*recording.queries)
                if cut_after is not None:
                    await play(server, cut_after)
                    server.cut()
                    await until(lambda: server.sessions == 2)
                await play(server, len(recording.messages))
                await handle.applied()
                if cut_after is not None:
                    await connection.wait_connected()
                check(connection, watch, recording)
                assert handle.is_active
    check(connection, watch, recording)
    return server.sessions


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("protocol", VERSIONS)
async def test_a_session_that_is_not_cut(protocol: str, scenario: str) -> None:
    assert await run(load(protocol, scenario), None) == 1


if RECONNECTS:

    @pytest.mark.parametrize("scenario", SCENARIOS)
    @pytest.mark.parametrize("protocol", VERSIONS)
    async def test_a_session_that_is_cut_between_two_messages(
        protocol: str, scenario: str, anyio_backend_name: str, summary: list[str]
    ) -> None:
        recording = load(protocol, scenario)
        # Before the greeting there is nothing to reconnect to: entering fails then.
        positions = [k for k in cut_positions(recording, every=SOAK) if k > 0]
        start = time.monotonic()
        for position in positions:
            print(f"cut after {position} messages")
            assert await run(recording, position) == 2
        summary.append(
            f"{protocol} {scenario} on {anyio_backend_name}: "
            f"{len(positions)} cuts between messages, {time.monotonic() - start:.1f} s"
        )
