"""The cache as a program reads it: tables, unique columns, indexes. 10,000 rows are cached.

Single keys are looked up in large numbers: by the wall clock, where the seed of the hashes is
another one in each run, what a table's luck makes of them has to come out even.
"""

from __future__ import annotations

from typing import Any

import pytest
from pytest_codspeed import BenchmarkFixture

from examples.chat.module_bindings import DbConnection, Message, MessageTable, User, UserTable
from spacetime_py._core import Connection
from spacetime_py.listeners import RowCallbacks
from tests.codegen.golden import schema_1_2_0_version9 as all_types

from . import peer
from .rows import encoded, identity, item, items, messages, user, users

MODULE = DbConnection._module
ALL_TYPES = all_types.DbConnection._module
OWNER = (2,)
"""The columns of the index of `item`."""
COUNT = 1000
CACHED = 10_000


def message_table() -> MessageTable:
    core = peer.subscribed(MODULE, "message", messages(CACHED))
    return MessageTable(core, {"message": RowCallbacks("message")})


def user_table() -> UserTable:
    core = peer.subscribed(MODULE, "user", users(CACHED))
    return UserTable(core, {"user": RowCallbacks("user")})


def item_table(core: Connection | None = None) -> all_types.ItemTable:
    core = core or peer.subscribed(ALL_TYPES, "item", items(CACHED))
    return all_types.ItemTable(core, {"item": RowCallbacks("item")})


def test_iterate(benchmark: BenchmarkFixture) -> None:
    """One field of each of 10,000 cached rows."""
    table = message_table()

    def iterate() -> int:
        return sum(len(row.text) for row in table)

    assert benchmark(iterate) > CACHED


def test_list(benchmark: BenchmarkFixture) -> None:
    """10,000 rows as a list, no field read."""
    table = message_table()
    assert len(benchmark(lambda: list(table))) == CACHED


def test_count(benchmark: BenchmarkFixture) -> None:
    """The number of rows, 1,000 times."""
    table = message_table()

    def count() -> int:
        return sum(table.count() for _ in range(COUNT))

    assert benchmark(count) == CACHED * COUNT


def test_sort(benchmark: BenchmarkFixture) -> None:
    """The newest ten of 10,000 cached rows, as a chat shows them."""
    table = message_table()

    def sort() -> list[Message]:
        return sorted(table, key=lambda row: row.sent)[-10:]

    assert len(benchmark(sort)) == 10


def test_find(benchmark: BenchmarkFixture) -> None:
    """Each of 10,000 cached rows by primary key, and their names.

    Which are not kept: whether a growing list moves hangs on what else is in the heap.
    """
    table = user_table()
    keys = [identity(number) for number in range(CACHED)]

    def find() -> int:
        found = map(table.identity.find, keys)
        return sum(row is not None and row.name is not None for row in found)

    assert benchmark(find) == CACHED


def test_find_nothing(benchmark: BenchmarkFixture) -> None:
    """10,000 keys that no row has."""
    table = user_table()
    keys = [identity(number) for number in range(CACHED, 2 * CACHED)]

    def find() -> list[User]:
        return [row for key in keys if (row := table.identity.find(key)) is not None]

    assert benchmark(find) == []


def test_contains(benchmark: BenchmarkFixture) -> None:
    """Whether a whole row is cached, 1,000 times."""
    table = user_table()
    rows: list[User] = [user(number, True) for number in range(COUNT)]

    def contains() -> int:
        return sum(row in table for row in rows)

    assert benchmark(contains) == COUNT


@pytest.mark.parametrize("column", ["id", "code"])
def test_unique_index(benchmark: BenchmarkFixture, column: str) -> None:
    """Each of 10,000 rows by a unique number, and by a unique text."""
    table = item_table()
    index: Any = table.id if column == "id" else table.code
    keys = [number if column == "id" else f"item-{number}" for number in range(CACHED)]

    def find() -> int:
        return sum(index.find(key) is not None for key in keys)

    assert benchmark(find) == CACHED


def test_index_filter(benchmark: BenchmarkFixture) -> None:
    """The 100 rows of each of 100 keys of an index."""
    owners = [identity(number) for number in range(100)]
    index = item_table().owner
    assert len(index.filter(owners[0])) == 100  # which sorts it
    assert benchmark(lambda: sum(len(index.filter(owner)) for owner in owners)) == CACHED


def test_index_count(benchmark: BenchmarkFixture) -> None:
    """How many rows 1,000 keys of an index have, without making them."""
    owners = [identity(number % 100) for number in range(COUNT)]
    index = item_table().owner
    assert index.count(owners[0]) == 100
    assert benchmark(lambda: sum(map(index.count, owners))) == COUNT * 100


def test_index_prefix(benchmark: BenchmarkFixture) -> None:
    """The 1,000 rows of each of ten first columns of an index over two."""
    index = item_table().by_kind_and_level
    assert len(index.filter((0,))) == 1000
    assert benchmark(lambda: sum(len(index.filter((kind,))) for kind in range(10))) == CACHED


def test_index_range(benchmark: BenchmarkFixture) -> None:
    """1,000 ranges of ten rows each, in order."""
    index = item_table().id
    assert len(index.range(0, 10)) == 10

    def ranges() -> int:
        return sum(len(index.range(start, limit=10)) for start in range(0, CACHED, 10))

    assert benchmark(ranges) == CACHED


@pytest.mark.parametrize("count", [1_000, 100_000])
def test_index_build(benchmark: BenchmarkFixture, count: int) -> None:
    """The first use of an index, which sorts it."""
    rows = items(count)
    times = max(1, 20_000 // count)

    def fresh() -> tuple[tuple[list[Connection]], dict[str, Any]]:
        return ([peer.subscribed(ALL_TYPES, "item", rows) for _ in range(times)],), {}

    def build(connections: list[Connection]) -> set[int]:
        return {core.table("item").ordered(OWNER).count(identity(0)) for core in connections}

    assert benchmark.pedantic(  # pyright: ignore[reportUnknownMemberType]
        build, setup=fresh, rounds=5, warmup_rounds=1
    ) == {count // 100}


def test_update_with_indexes(benchmark: BenchmarkFixture) -> None:
    """1,000 rows of 10,000 that change, one transaction each, with two sorted indexes kept up."""
    core = peer.subscribed(ALL_TYPES, "item", items(CACHED))
    table = item_table(core)
    assert table.owner.count(identity(0)) == 100
    assert table.by_kind_and_level.count((0,)) == 1000
    plain = [encoded(item(number)) for number in range(COUNT)]
    noted = [encoded(item(number, "changed")) for number in range(COUNT)]
    turn = [
        peer.transaction("item", [old], [new])
        for before, after in ((plain, noted), (noted, plain))
        for old, new in zip(before, after, strict=True)
    ]

    def apply() -> None:
        for data in turn:
            peer.receive(core, data)

    benchmark(apply)
    assert len(table) == CACHED
    assert core.table("item").missing_deletes == 0
