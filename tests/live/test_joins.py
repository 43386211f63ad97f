"""Joins, which deliver a row once for each match."""

from __future__ import annotations

import pytest

from .places import places
from .target import Target

WITH_JOINS = [place for place in places() if not place.is_peer]
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.real_server,
    pytest.mark.parametrize("place", WITH_JOINS, ids=str, indirect=True),
]


async def test_a_row_stays_until_its_last_match_goes(all_types: Target) -> None:
    async with all_types.connect() as connection:
        told: list[str] = []
        connection.db.item.on_insert(lambda *_: told.append("insert"))
        connection.db.item.on_delete(lambda *_: told.append("delete"))
        connection.db.item.on_update(lambda *_: told.append("update"))
        await connection.reducers.add_item(1, "a", 2, 5, None)
        for label in ("x", "y"):
            await connection.reducers.add_tag(1, label)
        join = "SELECT item.* FROM item JOIN tag ON item.id = tag.item_id"
        handle = await connection.subscribe(join)
        assert told == ["insert"]
        await connection.reducers.set_item(1, 6, None)
        assert told == ["insert", "update"]
        first, second = [row.id for row in await connection.query("SELECT * FROM tag")]
        await connection.reducers.drop_tag(first)
        assert (told, len(connection.db.item)) == (["insert", "update"], 1)
        await connection.reducers.drop_tag(second)
        assert (told, len(connection.db.item)) == (["insert", "update", "delete"], 0)
        await connection.reducers.add_tag(1, "z")
        await handle.unsubscribe()
        assert told[3:] == ["insert", "delete"]
