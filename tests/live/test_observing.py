"""Numbers, log and debug view of connections to a real server: docs/topics/observing.md."""

from __future__ import annotations

import json
import logging
import re
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pytest

from spacetime_py import ConnectionStats, HttpError, SenderError, Timing
from spacetime_py.http import AsyncHttpClient

from .target import Target, until

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]


def in_order(timing: Timing) -> bool:
    """Whether a timing agrees with itself."""
    at_most = timing.max <= timing.total
    return timing.count > 0 and 0 < timing.p50 <= timing.p99 <= timing.max and at_most


async def test_the_numbers_agree_with_what_happened(all_types: Target) -> None:
    async with all_types.connect() as connection, all_types.connect() as other:
        await connection.subscribe("SELECT * FROM bulk")
        for start in range(0, 500, 100):
            await connection.reducers.bulk_insert(start, 100, 0)
        await other.reducers.bulk_update(0, 50, 1)
        await other.reducers.bulk_delete(0, 20)
        await until(lambda: len(connection.db.bulk) == 480)
        stats: ConnectionStats = connection.stats
        rows = stats.rows_inserted, stats.rows_updated, stats.rows_deleted, stats.rows_happened
        assert rows == (500, 50, 20, 0)
        assert stats.rows_received == 500 + 2 * 50 + 20
        assert stats.transactions == 5 + 2
        assert (stats.reducers.sent, stats.reducers.answered, stats.reducers.failed) == (5, 5, 0)
        assert (stats.calls_in_flight, stats.calls_lost, stats.subscriptions) == (0, 0, 1)
        assert stats.cached_rows == stats.tables["bulk"].rows == 480
        assert stats.cached_bytes >= stats.tables["bulk"].bytes > 480 * 8
        # A greeting, an answer to the subscription, and the transactions.
        assert stats.messages_received == 1 + 1 + 7
        assert stats.messages_sent == 1 + 5
        assert stats.bytes_expanded > 500 * 8
        assert 0 < stats.bytes_sent < stats.bytes_received
        for timing in (stats.decode, stats.apply, stats.callbacks, stats.reducers.latency):
            assert in_order(timing), timing
        assert stats.reducers.latency.count == 5
        assert json.loads(json.dumps(asdict(stats)))["tables"]["bulk"]["rows"] == 480
        assert other.stats.rows_received == 0


async def test_calls_of_each_kind_and_outcome(chat: Target) -> None:
    async with chat.connect() as connection:
        with pytest.raises(SenderError):
            await connection.reducers.set_name("")
        await connection.reducers.set_name("Ada")
        assert len(await connection.query("SELECT * FROM user")) == 1
        stats = connection.stats
        assert (stats.reducers.sent, stats.reducers.answered, stats.reducers.failed) == (2, 2, 1)
        assert (stats.queries.sent, stats.queries.answered, stats.queries.failed) == (1, 1, 0)
        assert (stats.procedures.sent, stats.procedures.latency.count) == (0, 0)
        assert stats.queries.latency.max > 0


async def test_streams_and_callbacks_are_counted(chat: Target) -> None:
    async with chat.connect(on_callback_error=lambda error: None) as connection:
        changes = connection.db.user.changes(size=1, overflow="drop_oldest")
        transactions = connection.transactions()
        connection.db.user.on_update(lambda *_: 1 // 0)
        await connection.subscribe("SELECT * FROM user")
        for name in ("Ada", "Eve", "Ida"):
            await connection.reducers.set_name(name)
        stats = connection.stats
        assert (stats.streams.open, stats.streams.dropped) == (2, 3)
        assert stats.streams.waiting == changes.waiting + transactions.waiting == 1 + 4
        assert stats.callbacks_failed == 3
        changes.close()
        assert connection.stats.streams.open == 1
        del transactions
        assert connection.stats.streams.open == 0


async def test_a_message_is_counted_once_whatever_listens(chat: Target) -> None:
    """Rows that two queries cover come twice, and are told once."""
    async with chat.connect() as connection:
        await connection.subscribe("SELECT * FROM user")
        await connection.subscribe("SELECT * FROM user WHERE online = true")
        stats = connection.stats
        assert (stats.rows_inserted, stats.cached_rows) == (1, 1)
        assert stats.rows_received >= 2
        assert stats.subscriptions == 2


async def test_the_debug_view_shows_all_and_no_token(all_types: Target) -> None:
    async with all_types.connect() as connection:
        first = await connection.subscribe("SELECT * FROM bulk", "SELECT * FROM item")
        await connection.subscribe("SELECT * FROM bulk WHERE id < 10")
        await connection.reducers.bulk_insert(0, 30, 0)
        view = str(connection.debug())
        knows_sets = connection.protocol != "v1"
        sizes = ("30 rows  ", "10 rows  ") if knows_sets else ("0 rows when applied",) * 2
        for wanted in (
            *sizes,
            "active",
            "SELECT * FROM item",
            "SELECT * FROM bulk WHERE id < 10",
            "  bulk  30 rows",
            "reducers  1 sent  1 answered",
            f" as {str(connection.identity)[:12]}: 2 subscriptions, 30 rows>",
        ):
            assert wanted in view, view
        assert view == repr(connection.debug())
        assert view.startswith("<DbConnection connected, database `")
        assert connection.token not in view
        assert str(connection.identity) not in view
        assert first.is_active


async def test_what_is_logged(chat: Target, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="spacetime_py")
    secret = "Rumpelstilzchen"
    async with chat.connect() as connection:
        handle = await connection.subscribe("SELECT * FROM user")
        await connection.reducers.set_name(secret)
        with pytest.raises(SenderError):
            await connection.reducers.set_name("")
        await handle.unsubscribe()
        token, me, version = connection.token, connection.identity, connection.protocol
    told = [(one.name, one.levelname, one.getMessage()) for one in caplog.records]
    place = f"database `{chat.database.name}` at {chat.database.url}"
    wanted = [
        ("connection", "DEBUG", f"connecting to {place}"),
        ("connection", "INFO", f"connected to {place} by {version} in "),
        ("subscription", "DEBUG", "subscribing: ('SELECT * FROM user',)"),
        ("subscription", "INFO", "applied in "),
        ("calls", "DEBUG", "reducer `set_name` failed, sender error: "),
        ("subscription", "INFO", "unsubscribed: SELECT * FROM user"),
        ("connection", "INFO", f"closed: {place}"),
    ]
    found = [(f"spacetime_py.{name}", level) for name, level, _ in wanted]
    assert [one[:2] for one in told] == found, told
    for (*_, text), (*_, beginning) in zip(told, wanted, strict=True):
        assert text.startswith(beginning)
    assert str(me) in told[1][2]
    assert " 1 new rows: SELECT * FROM user" in told[3][2]
    assert token not in caplog.text
    assert secret not in caplog.text


async def test_requests_to_the_http_api_are_logged(
    chat: Target, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="spacetime_py.http")
    async with AsyncHttpClient(chat.database.url, "a.secret.token") as client:
        with suppress(HttpError):  # the token is none
            await client.sql(chat.database.name, "SELECT * FROM user WHERE name = 'secret'")
    # A connection of another test may be ending in the background.
    (logged,) = (record for record in caplog.records if record.name == "spacetime_py.http")
    path = f"/v1/database/{chat.database.name}/sql"
    assert logged.levelname == "DEBUG"
    assert re.fullmatch(rf"POST {path}: \d{{3}}", logged.getMessage())
    assert "secret" not in caplog.text


async def test_calls_in_flight_are_seen(chat: Target) -> None:
    async with chat.connect() as connection:
        call: Any = connection.reducers.set_name("Ada")
        if chat.place.way == "async":
            assert connection.stats.calls_in_flight == 1
            assert "calls in flight\n  reducer `set_name`\n" in str(connection.debug())
        await call
        assert connection.stats.calls_in_flight == 0
