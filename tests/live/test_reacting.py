"""Streams and live rows on a real server: several clients, all kinds of keys, a conflated flood."""

from __future__ import annotations

from typing import Any

import pytest

from spacetime_py import Added, Removed, SubscribeAppliedEvent, Updated, sync

from .target import Target, is_own, until

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]


def read(stream: Any) -> list[Any]:
    """What waits, taken as the stream itself does after it has waited."""
    return [stream._take() for _ in range(stream.waiting)]


async def test_changes_and_transactions_of_several_clients(all_types: Target) -> None:
    async with all_types.connect() as ann, all_types.connect() as bob:
        changes, transactions = ann.db.item.changes(), ann.transactions()
        await ann.subscribe("SELECT * FROM item")
        await ann.reducers.add_item(1, "one", 2, 3, None)
        await bob.reducers.set_item(1, 4, "changed")
        await bob.reducers.drop_item(1)
        await until(lambda: changes.waiting == 3)
        added, updated, removed = read(changes)
        assert [type(change) for change in (added, updated, removed)] == [Added, Updated, Removed]
        assert (added.row.level, updated.old, updated.new.level) == (3, added.row, 4)
        assert removed.row == updated.new == updated.row
        assert [is_own(change.event) for change in (added, updated, removed)] == [
            True,
            False,
            False,
        ]
        *_, last = read(transactions)
        assert last.changes["item"].deletes == [removed.row]


async def test_existing_rows_come_first(all_types: Target) -> None:
    async with all_types.connect() as writer, all_types.connect() as reader:
        await writer.reducers.bulk_insert(0, 50, 0)
        early = reader.db.bulk.changes()
        await reader.subscribe("SELECT * FROM bulk")
        late = reader.db.bulk.changes(existing=True)
        await writer.reducers.bulk_insert(50, 50, 0)
        await until(lambda: (early.waiting, late.waiting) == (100, 100))
        found = [read(early), read(late)]
        for changes in found:
            assert sorted(change.row.id for change in changes[:50]) == list(range(50))
            assert sorted(change.row.id for change in changes[50:]) == list(range(50, 100))
        assert isinstance(found[0][0].event, SubscribeAppliedEvent)
        assert found[1][0].event is None


async def test_live_rows_of_each_kind(all_types: Target) -> None:
    async with all_types.connect() as ann, all_types.connect() as bob:
        items = ann.db.item
        await ann.subscribe("SELECT * FROM item")
        one = items.code.live("one")
        of_bob = items.owner.live(bob.identity)
        third_kind = items.by_kind_and_level.live((3,))
        exactly = items.by_kind_and_level.live((3, 7))
        strong = items.live(lambda item: item.level >= 5)
        removed: list[int] = []
        strong.on_removed(lambda context, row: removed.append(row.level))
        await bob.reducers.add_item(1, "one", 3, 5, None)
        await ann.reducers.add_item(2, "two", 3, 7, None)
        await ann.reducers.add_item(3, "three", 4, 7, None)
        await until(lambda: len(items) == 3)
        assert one.row is not None
        assert [row.id for row in of_bob] == [1]
        assert {row.id for row in third_kind} == {1, 2}
        assert [row.id for row in exactly] == [2]
        assert len(strong) == 3
        await ann.reducers.set_item(1, 4, None)
        await ann.reducers.drop_item(2)
        assert (one.row.level, removed) == (4, [5, 7])
        assert ([row.id for row in third_kind], list(exactly)) == ([1], [])
        assert [row.id for row in strong] == [3]
        with pytest.raises(ValueError, match="3 were given"):
            items.by_kind_and_level.live((1, 2, 3))


async def test_a_conflated_flood(all_types: Target) -> None:
    async with all_types.connect() as writer, all_types.connect() as reader:
        await reader.subscribe("SELECT * FROM bulk")
        net = reader.db.bulk.changes(overflow="conflate", size=1)
        narrow = reader.db.bulk.changes(size=1, overflow="drop_oldest")
        await writer.reducers.bulk_insert(0, 100, 0)
        for turn in range(20):
            await writer.reducers.bulk_update(0, 100, turn + 1)
        await writer.reducers.bulk_delete(0, 50)
        await until(lambda: len(reader.db.bulk) == 50)
        changes = read(net)
        assert {type(change) for change in changes} == {Added}
        assert {change.row for change in changes} == set(reader.db.bulk)
        assert net.dropped == 100 * 21 + 50 - 50
        assert (len(read(narrow)), narrow.dropped) == (1, 100 * 21 + 50 - 1)


@pytest.mark.parametrize("callbacks", ["thread", "frame_tick"])
def test_a_blocking_reader_and_a_writer(all_types: Target, callbacks: Any) -> None:
    options: dict[str, Any] = {"uri": all_types.database.url, "database": all_types.database.name}
    options["protocols"] = all_types.place.protocols
    new = all_types.bindings.DbConnection
    with (
        sync.connect(new(**options), callbacks=callbacks) as reader,
        sync.connect(new(**options)) as writer,
    ):
        reader.subscribe("SELECT * FROM diary")
        changes = reader.db.diary.changes()
        for number in range(10):
            writer.reducers.add_diary(f"page {number}", number)
        assert [next(changes).row.n for _ in range(10)] == list(range(10))
