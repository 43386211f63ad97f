"""Rows that come, change and leave: subscriptions of all sizes, overlapping ones, transactions."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import anyio
import pytest

from spacetime_py import AlreadyUnsubscribed, UnknownTransactionEvent
from spacetime_py.sockets import Network
from spacetime_py.transport import Driver, Endpoint, Transport

from .target import Target, is_own, until

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]

MANY = 10_000


def watch(table: Any) -> Counter[str]:
    """Count the callbacks of a table by kind."""
    seen: Counter[str] = Counter()
    table.on_insert(lambda context, row: seen.update(["insert"]))
    table.on_delete(lambda context, row: seen.update(["delete"]))
    table.on_update(lambda context, old, new: seen.update(["update"]))
    return seen


def ids(table: Any) -> list[int]:
    return sorted(row.id for row in table)


class Meter:
    """The network, with a count of the bytes that the server sends."""

    def __init__(self) -> None:
        self.received = 0

    def __call__(self, endpoint: Endpoint, driver: Driver) -> Transport:
        def count(data: Any) -> None:
            self.received += len(data)
            driver.on_data(data)

        return Network()(endpoint, driver._replace(on_data=count))


async def test_compressed_results_are_the_same_and_smaller(all_types: Target) -> None:
    async with all_types.connect() as writer:
        await writer.reducers.bulk_insert(0, MANY, 1)
    rows: dict[str, set[Any]] = {}
    sizes: dict[str, int] = {}
    for compression in ("none", "gzip", "brotli"):
        meter = Meter()
        async with all_types.connect(compression=compression, transport=meter) as connection:
            await connection.subscribe("SELECT * FROM bulk")
            rows[compression] = set(connection.db.bulk)
            before = meter.received
            await connection.reducers.bulk_update(0, 100, 0)
            assert meter.received > before
        sizes[compression] = meter.received
    assert len(rows["none"]) == MANY
    assert rows["none"] == rows["gzip"] == rows["brotli"]
    assert sizes["none"] > MANY * 20
    assert sizes["gzip"] < sizes["none"] * 0.8
    assert sizes["brotli"] < sizes["none"] * 0.8


async def test_ten_thousand_rows_live(all_types: Target) -> None:
    async with all_types.connect() as connection:
        bulk = connection.db.bulk
        seen = watch(bulk)
        steps: list[tuple[int, int]] = []
        bulk.on_update(lambda context, old, new: steps.append((new.id, new.value - old.value)))
        await connection.subscribe("SELECT * FROM bulk")
        await connection.reducers.bulk_insert(0, MANY, 0)
        assert (len(bulk), seen) == (MANY, {"insert": MANY})
        assert bulk.id.find(9_999).name == "row-9999"
        await connection.reducers.bulk_update(0, MANY // 2, 0)
        assert seen["update"] == 0, "rows that did not change are no updates"
        await connection.reducers.bulk_update(1, MANY - 1, 1)
        assert (len(bulk), seen) == (MANY, {"insert": MANY, "update": MANY - 1})
        # The values wrap at 2**64.
        assert {step % 2**64 for _, step in steps} == {1}
        assert {key for key, _ in steps} == set(range(1, MANY))
        assert bulk.id.find(0).value == 0
        assert bulk.id.find(1).value == 0x9E37_79B9_7F4A_7C15 + 1
        await connection.reducers.bulk_delete(0, MANY)
        assert (len(bulk), seen["delete"]) == (0, MANY)
        assert bulk.id.find(1) is None


async def test_ten_thousand_rows_that_were_there(all_types: Target) -> None:
    async with all_types.connect() as writer, all_types.connect() as reader:
        await writer.reducers.bulk_insert(0, MANY, 7)
        seen = watch(reader.db.bulk)
        handle = await reader.subscribe("SELECT * FROM bulk")
        assert (reader.db.bulk.count(), seen) == (MANY, {"insert": MANY})
        assert ids(reader.db.bulk) == list(range(MANY))
        await writer.reducers.bulk_update(0, MANY, 1)
        await until(lambda: seen["update"] == MANY)
        assert seen == {"insert": MANY, "update": MANY}
        await handle.unsubscribe()
        assert (len(reader.db.bulk), seen["delete"]) == (0, MANY)


async def test_unsubscribing_takes_the_rows_away(all_types: Target) -> None:
    async with all_types.connect() as connection:
        await connection.reducers.bulk_insert(0, 10, 0)
        events: list[Any] = []
        connection.db.bulk.on_delete(lambda context, row: events.append((context.event, row)))
        handle = await connection.subscribe("SELECT * FROM bulk WHERE id < 3")
        rows = list(connection.db.bulk)
        assert handle.is_active
        await handle.unsubscribe()
        assert sorted(row.id for _, row in events) == [0, 1, 2]
        assert {row for _, row in events} == set(rows)
        assert {event.queries for event, _ in events} == {("SELECT * FROM bulk WHERE id < 3",)}
        assert (handle.is_active, handle.is_ended, len(connection.db.bulk)) == (False, True, 0)
        with pytest.raises(AlreadyUnsubscribed, match="already unsubscribed"):
            await handle.unsubscribe()
        await connection.reducers.bulk_insert(100, 10, 0)
        assert len(connection.db.bulk) == 0, "nothing comes any more"
        await connection.subscribe("SELECT * FROM bulk")
        assert len(connection.db.bulk) == 20


async def test_a_row_stays_until_the_last_subscription_leaves(all_types: Target) -> None:
    async with all_types.connect() as connection:
        await connection.reducers.bulk_insert(0, 10, 0)
        bulk = connection.db.bulk
        seen = watch(bulk)
        wide = await connection.subscribe("SELECT * FROM bulk WHERE id < 8")
        narrow = await connection.subscribe("SELECT * FROM bulk WHERE id < 4")
        again = await connection.subscribe("SELECT * FROM bulk WHERE id < 4")
        assert (ids(bulk), seen) == (list(range(8)), {"insert": 8})
        await connection.reducers.bulk_update(3, 2, 1)
        assert seen == {"insert": 8, "update": 2}
        await wide.unsubscribe()
        assert (ids(bulk), seen["delete"]) == ([0, 1, 2, 3], 4)
        await narrow.unsubscribe()
        assert (ids(bulk), seen["delete"]) == ([0, 1, 2, 3], 4)
        await connection.reducers.bulk_update(3, 2, 1)
        assert seen["update"] == 3
        await again.unsubscribe()
        assert (ids(bulk), seen) == ([], {"insert": 8, "update": 3, "delete": 8})


async def test_one_subscription_of_overlapping_queries(all_types: Target) -> None:
    async with all_types.connect() as connection:
        await connection.reducers.bulk_insert(0, 10, 0)
        seen = watch(connection.db.bulk)
        handle = await connection.subscribe(
            "SELECT * FROM bulk WHERE id < 6", "SELECT * FROM bulk WHERE id > 3"
        )
        assert (ids(connection.db.bulk), seen) == (list(range(10)), {"insert": 10})
        await connection.reducers.bulk_delete(5, 1)
        assert seen == {"insert": 10, "delete": 1}
        await handle.unsubscribe()
        assert (len(connection.db.bulk), seen["delete"]) == (0, 10)


async def test_all_tables(all_types: Target) -> None:
    async with all_types.connect() as connection:
        applied: list[int] = []
        await connection.reducers.bulk_insert(0, 3, 0)
        await connection.reducers.add_diary("a", 1)
        builder = connection.subscription_builder()
        builder.on_applied(lambda context: applied.append(len(context.db.bulk)))
        handle = builder.subscribe_to_all_tables()
        await handle.applied()
        assert applied == [3]
        assert (len(connection.db.bulk), len(connection.db.diary)) == (3, 1)
        assert connection.db.presence.conn.find(connection.connection_id) is not None
        await connection.reducers.add_secret(1, "in a private table")


async def test_transactions_of_several_clients(all_types: Target) -> None:
    async with all_types.connect() as ann, all_types.connect() as bob:
        events: list[tuple[str, Any]] = []

        def note(kind: str, context: Any, *rows: Any) -> None:
            events.append((kind, context.event))

        item = ann.db.item
        item.on_insert(partial(note, "insert"))
        item.on_update(partial(note, "update"))
        item.on_delete(partial(note, "delete"))
        await ann.subscribe("SELECT * FROM item")
        await ann.reducers.add_item(1, "one", 2, 3, None)
        await bob.reducers.set_item(1, 4, "changed")
        await bob.reducers.replace_item(1, 5)
        await bob.reducers.touch_item(1)
        await bob.reducers.drop_item(1)
        await until(lambda: len(events) == 4)
        assert [(kind, is_own(event)) for kind, event in events] == [
            ("insert", True),
            ("update", False),
            ("update", False),
            ("delete", False),
        ]
        own, *others = (event for _, event in events)
        assert (own.name, own.caller_identity) == ("add_item", ann.identity)
        if ann.protocol == "v1":
            names = [(event.name, event.caller_identity) for event in others]
            reducers = ("set_item", "replace_item", "drop_item")
            assert names == [(name, bob.identity) for name in reducers]
        else:
            assert {type(event) for event in others} == {UnknownTransactionEvent}


async def test_rows_come_and_go_through_a_filter(all_types: Target) -> None:
    """An update that moves a row in or out of the query is an insert or a delete here."""
    async with all_types.connect() as connection:
        seen = watch(connection.db.item)
        await connection.subscribe("SELECT * FROM item WHERE level > 10")
        await connection.reducers.add_item(1, "one", 0, 5, None)
        await connection.reducers.set_item(1, 11, None)
        await connection.reducers.set_item(1, 12, None)
        assert connection.db.item.code.find("one").level == 12
        await connection.reducers.set_item(1, 1, None)
        assert seen == {"insert": 1, "update": 1, "delete": 1}


async def test_equal_rows_of_a_table_without_key(all_types: Target) -> None:
    async with all_types.connect() as connection:
        seen = watch(connection.db.diary)
        await connection.subscribe("SELECT * FROM diary")
        await connection.reducers.add_diary("a", 1)
        await connection.reducers.add_diary("a", 1)
        assert (len(connection.db.diary), seen) == (1, {"insert": 1})


async def test_a_scheduled_table_fires(all_types: Target) -> None:
    async with all_types.connect() as connection:
        events: list[tuple[Any, Any]] = []
        alarms = watch(connection.db.alarm)
        connection.db.ring_note.on_insert(lambda context, row: events.append((context.event, row)))
        await connection.subscribe("SELECT * FROM alarm", "SELECT * FROM ring_note")
        await connection.reducers.set_alarm_in(50_000, "wake up")
        (alarm,) = connection.db.alarm
        await until(lambda: events)
        ((event, note),) = events
        assert note.text == "wake up"
        assert note.at >= alarm.scheduled_at
        assert not is_own(event)
        if connection.protocol == "v1":
            assert event.name == "ring"
            assert event.args == (alarm,) or event.args == ()
            assert str(event.caller_identity) == all_types.database.identity
            assert event.caller_connection_id is None
        else:
            assert isinstance(event, UnknownTransactionEvent)
        await until(lambda: alarms["delete"])
        assert alarms == {"insert": 1, "delete": 1}


async def test_a_scheduled_table_fires_again_and_again(all_types: Target) -> None:
    async with all_types.connect() as connection:
        await connection.subscribe("SELECT * FROM alarm", "SELECT * FROM ring_note")
        await connection.reducers.set_alarm_every(20_000, "tick")
        await until(lambda: len(connection.db.ring_note) >= 3)
        assert len(connection.db.alarm) == 1
        await connection.reducers.cancel_alarms()
        assert len(connection.db.alarm) == 0


async def test_subscriptions_in_quick_succession(all_types: Target) -> None:
    async with all_types.connect() as connection:
        await connection.reducers.bulk_insert(0, 100, 0)
        start = connection.subscription_builder().subscribe
        handles = [start(f"SELECT * FROM bulk WHERE id = {number}") for number in range(100)]
        async with anyio.create_task_group() as group:
            for handle in handles:
                group.start_soon(handle.applied)
        assert len(connection.db.bulk) == 100
        # One that is ended before the server has applied it goes away too.
        early = start("SELECT * FROM bulk")
        await early.unsubscribe()
        async with anyio.create_task_group() as group:
            for handle in handles[:50]:
                group.start_soon(handle.unsubscribe)
        assert ids(connection.db.bulk) == list(range(50, 100))
