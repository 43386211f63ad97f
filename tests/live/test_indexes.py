"""Indexes agree with the rows of a live table, whatever happens to it."""

from __future__ import annotations

from typing import Any

import pytest

from .target import Target, until

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]


def check(items: Any) -> None:
    """What the indexes say, against all rows."""
    rows = list(items)
    keys = [(row.kind, row.level) for row in items.by_kind_and_level.range()]
    assert keys == sorted((row.kind, row.level) for row in rows)
    for kind in range(4):
        expected = {row for row in rows if row.kind == kind}
        assert set(items.by_kind_and_level.filter((kind,))) == expected
        assert items.by_kind_and_level.count((kind,)) == len(expected)
        negative = items.by_kind_and_level.range((kind,), (kind, 0))
        assert set(negative) == {row for row in expected if row.level < 0}
    for owner in {row.owner for row in rows}:
        assert set(items.owner.filter(owner)) == {row for row in rows if row.owner == owner}
    assert [row.id for row in items.id.range(reverse=True)] == sorted(
        (row.id for row in rows), reverse=True
    )


async def test_indexes_follow_inserts_updates_and_deletes(all_types: Target) -> None:
    async with all_types.connect() as one, all_types.connect() as other:
        await one.subscribe("SELECT * FROM item")
        items = one.db.item
        check(items)
        for id in range(12):
            writer = one if id % 2 else other
            await writer.reducers.add_item(id, f"code {id}", id % 3, 5 - id, None)
        await until(lambda: len(items) == 12)
        assert {row.id for row in items.owner.filter(other.identity)} == set(range(0, 12, 2))
        check(items)
        await one.reducers.set_item(3, -100, "changed")
        await one.reducers.replace_item(4, 100)
        await one.reducers.touch_item(5)
        assert [row.id for row in items.by_kind_and_level.range(limit=1)] == [3]
        check(items)
        for id in (0, 1, 5):
            await one.reducers.drop_item(id)
        assert len(items) == 9
        check(items)
        await (await one.subscribe("SELECT * FROM item WHERE kind = 1")).unsubscribe()
        check(items)
