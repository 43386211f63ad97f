"""Queries built of columns find what their text says, whatever their values contain."""

from __future__ import annotations

from typing import Any

import pytest

from spacetime_py import Timestamp

from .places import places
from .target import Target

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]

NASTY = ["it's", '"', "''; DROP TABLE item", "\\'", "%_", "漢字\n\t", "-- x", "0x00", ""]


async def test_subscribe_and_query(all_types: Target) -> None:
    query = all_types.bindings.query
    async with all_types.connect() as connection:
        for id in range(10):
            await connection.reducers.add_item(id, f"code {id}", id % 3, id - 5, None)
        some = query.item.where(lambda item: (item.level >= 0) & (item.kind != 2))
        handle = await connection.subscribe(some)
        assert handle.queries == (str(some),)
        expected = {id for id in range(10) if id >= 5 and id % 3 != 2}
        assert {row.id for row in connection.db.item} == expected
        rest = query.item.where(lambda item: ~((item.level >= 0) & (item.kind != 2)))
        assert {row.id for row in await connection.query(rest)} == set(range(10)) - expected
        twice = rest.where(lambda item: item.id < 3).where(lambda item: item.kind == 1)
        assert [row.id for row in await connection.query(twice)] == [1]
        mine = query.item.where(lambda item: item.owner == connection.identity)
        assert len(await connection.query(mine)) == 10
        assert len(await connection.query(query.item)) == 10


@pytest.mark.parametrize("text", NASTY)
async def test_text_is_never_sql(all_types: Target, text: str) -> None:
    query = all_types.bindings.query
    async with all_types.connect() as connection:
        await connection.reducers.add_diary(text, 1)
        await connection.reducers.add_diary("another", 2)
        found = await connection.query(query.diary.where(lambda diary: diary.text == text))
        assert [(row.text, row.n) for row in found] == [(text, 1)]
        others = await connection.query(query.diary.where(lambda diary: diary.text != text))
        assert [row.n for row in others] == [2]


async def test_values_of_each_type(all_types: Target) -> None:
    query = all_types.bindings.query
    async with all_types.connect() as connection:
        reducers = connection.reducers
        await reducers.set_signed(1, -128, -1, -(2**31), -(2**63), -(2**100), 5)
        await reducers.set_floats(1, -1.5, 0.1)
        await reducers.set_plain(1, True, "text", b"\0\xff")
        await reducers.set_special(
            1, connection.identity, connection.connection_id, Timestamp(0), *special()
        )

        async def finds(condition: Any) -> bool:
            found = await connection.query(query.scalars.where(condition))
            return [row.id for row in found] == [1]

        assert await finds(lambda row: row.v_i8 == -128)
        assert await finds(lambda row: row.v_i64 == -(2**63))
        assert await finds(lambda row: row.v_i128 < -(2**99))
        assert await finds(lambda row: row.v_f64 == 0.1)
        assert await finds(lambda row: (row.v_f32 <= -1.5) & (row.v_f32 > -2.0))
        assert await finds(lambda row: row.v_bool)
        assert not await finds(lambda row: ~row.v_bool)
        assert await finds(lambda row: row.v_bytes == b"\0\xff")
        assert await finds(lambda row: row.v_identity == connection.identity)
        assert await finds(lambda row: row.v_conn == connection.connection_id)
        assert await finds(lambda row: (row.v_text == "no") | (row.v_text == "text"))


def special() -> tuple[Any, Any]:
    from spacetime_py import TimeDuration

    return TimeDuration(1), TimeDuration(2)


@pytest.mark.parametrize(
    "place", [place for place in places() if not place.is_peer], ids=str, indirect=True
)
async def test_semijoins(all_types: Target) -> None:
    query = all_types.bindings.query
    async with all_types.connect() as connection:
        for id in (1, 2, 3):
            await connection.reducers.add_item(id, f"code {id}", 0, id, None)
        for id in (1, 3, 4):
            await connection.reducers.add_tag(id, f"label {id}")
        tagged = query.item.where(lambda item: item.level > 1).left_semijoin(
            query.tag, lambda item, tag: item.id == tag.item_id
        )
        assert [row.id for row in await connection.query(tagged)] == [3]
        tags = query.item.right_semijoin(
            query.tag.where(lambda tag: tag.label != "label 3"),
            lambda item, tag: item.id == tag.item_id,
        )
        assert [row.label for row in await connection.query(tags)] == ["label 1"]
