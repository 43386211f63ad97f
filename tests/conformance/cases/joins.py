"""Joins: a row is delivered once for each of its matches, and is one row all the same."""

from __future__ import annotations

from ..registry import case
from ..world import World, equal, listen

KEY = 42


@case("row-deduplication-join-r-and-s", needs_host=True)
async def row_deduplication_join_r_and_s(world: World) -> None:
    async with world.connect() as connection:
        await connection.subscribe(
            "SELECT * FROM pk_u32",
            "SELECT unique_u32.* FROM unique_u32 JOIN pk_u32 ON unique_u32.n = pk_u32.n",
        )
        keyed, unique = listen(connection, "pk_u32"), listen(connection, "unique_u32")
        await connection.reducers.insert_pk_u32(KEY, 50)
        await connection.reducers.insert_unique_u32_update_pk_u32(KEY, 0xBEEF, 100)
        old, new = world.row("pk_u32", KEY, 50), world.row("pk_u32", KEY, 100)
        equal(keyed, [("insert", old), ("update", old, new)], "callbacks of pk_u32")
        equal(unique, [("insert", world.row("unique_u32", KEY, 0xBEEF))], "those of unique_u32")


@case("row-deduplication-r-join-s-and-r-joint", needs_host=True)
async def row_deduplication_r_join_s_and_r_join_t(world: World) -> None:
    """The row moves from the one join to the other in one transaction, and is told of once."""
    async with world.connect() as connection:
        await connection.reducers.insert_unique_u32(KEY, 0xBEEF)
        await connection.subscribe(
            "SELECT * FROM pk_u32",
            "SELECT * FROM pk_u32_two",
            "SELECT unique_u32.* FROM unique_u32 JOIN pk_u32 ON unique_u32.n = pk_u32.n",
            "SELECT unique_u32.* FROM unique_u32 JOIN pk_u32_two ON unique_u32.n = pk_u32_two.n",
        )
        first, second = listen(connection, "pk_u32"), listen(connection, "pk_u32_two")
        unique = listen(connection, "unique_u32")
        await connection.reducers.insert_pk_u32(KEY, 0xBEEF)
        await connection.reducers.delete_pk_u32_insert_pk_u32_two(KEY, 0xBEEF)
        row = world.row("pk_u32", KEY, 0xBEEF)
        equal(first, [("insert", row), ("delete", row)], "callbacks of pk_u32")
        equal(second, [("insert", world.row("pk_u32_two", KEY, 0xBEEF))], "those of pk_u32_two")
        equal(unique, [("insert", world.row("unique_u32", KEY, 0xBEEF))], "those of unique_u32")


async def lhs_join_update(world: World, condition: str) -> None:
    """The row of the left table changes, and is what the join gives before and after."""
    async with world.connect() as connection:
        await connection.subscribe(
            "SELECT * FROM pk_u32 WHERE n = 1",
            "SELECT pk_u32.* FROM pk_u32 JOIN unique_u32 ON pk_u32.n = unique_u32.n "
            f"WHERE unique_u32.data > 0 AND unique_u32.data < 5{condition}",
        )
        heard = listen(connection, "pk_u32")
        await connection.reducers.insert_pk_u32(1, 0)
        await connection.reducers.insert_pk_u32(2, 0)
        await connection.reducers.insert_unique_u32(1, 3)
        await connection.reducers.insert_unique_u32(2, 4)
        await connection.reducers.update_pk_u32(2, 1)
        await connection.reducers.update_pk_u32(2, 0)
        one, old, new = (world.row("pk_u32", *columns) for columns in ((1, 0), (2, 0), (2, 1)))
        inserts = [("insert", one), ("insert", old)]
        equal(heard, [*inserts, ("update", old, new), ("update", new, old)], "callbacks")
        equal(sorted(row.n for row in connection.db.pk_u32), [1, 2], "keys")


@case("test-lhs-join-update", needs_host=True)
async def test_lhs_join_update(world: World) -> None:
    await lhs_join_update(world, "")


@case("test-lhs-join-update-disjoint-queries", needs_host=True)
async def test_lhs_join_update_disjoint_queries(world: World) -> None:
    await lhs_join_update(world, " AND unique_u32.n != 1")


@case("test-intra-query-bag-semantics-for-join", needs_host=True)
async def test_intra_query_bag_semantics_for_join(world: World) -> None:
    """A row with two matches leaves with the second one."""
    async with world.connect() as connection:
        await connection.subscribe(
            "SELECT * FROM btree_u32",
            "SELECT pk_u32.* FROM pk_u32 JOIN btree_u32 ON pk_u32.n = btree_u32.n",
        )
        heard = listen(connection, "pk_u32")
        row = world.row("pk_u32", 0, 0)
        await connection.reducers.insert_btree_u32(0, 0)
        await connection.reducers.insert_pk_and_btree(0, 0, 1)
        equal(heard, [("insert", row)], "callbacks")
        await connection.reducers.delete_btree_u32(0, 0)
        equal((heard, len(connection.db.pk_u32)), ([("insert", row)], 1), "one match is left")
        await connection.reducers.delete_btree_u32(0, 1)
        equal(heard, [("insert", row), ("delete", row)], "callbacks")
