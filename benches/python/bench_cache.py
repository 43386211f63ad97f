"""What comes from the server, into the cache; and the cache, read."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import pytest
from pytest_codspeed import BenchmarkFixture

from examples.chat.module_bindings import DbConnection, Message, MessageTable, User, UserTable
from spacetime_py._core import Connection, SubscribeApplied
from spacetime_py.listeners import RowCallbacks

from . import peer
from .rows import identity, messages, user, user_bytes, users

MODULE = DbConnection._module  # pyright: ignore[reportPrivateUsage]
COUNT = 1000
CACHED = 10_000


@pytest.mark.parametrize("count", [1_000, 100_000])
@pytest.mark.parametrize("table", ["message", "user"])
def test_initial_subscription(benchmark: BenchmarkFixture, table: str, count: int) -> None:
    """The first rows of a table: without a key, and with a primary key."""
    rows = messages(count) if table == "message" else users(count)
    apply_first(benchmark, MODULE, table, rows, None)


@pytest.mark.parametrize("count", [1_000, 100_000])
def test_initial_subscription_of_fixed_size(
    benchmark: BenchmarkFixture, bindings: Any, count: int
) -> None:
    """Rows of a number and two floats."""
    rows = [bytes(bindings.Dot(id=n, x=n * 0.5, y=-float(n))) for n in range(count)]
    apply_first(benchmark, bindings.DbConnection._module, "dot", rows, len(rows[0]))


def apply_first(
    benchmark: BenchmarkFixture, module: Any, table: str, rows: list[bytes], size: int | None
) -> None:
    def connect() -> tuple[tuple[Connection, bytes], dict[str, Any]]:
        connection = peer.greeted(module)
        return (connection, peer.subscribe_applied(connection, table, rows, size)), {}

    def apply(connection: Connection, data: bytes) -> None:
        (event,) = peer.receive(connection, data)
        assert isinstance(event, SubscribeApplied)
        assert len(connection.table(table)) == len(rows)

    benchmark.pedantic(  # pyright: ignore[reportUnknownMemberType]
        apply, setup=connect, rounds=10, warmup_rounds=1
    )


def test_insert_transactions(benchmark: BenchmarkFixture) -> None:
    """1,000 messages that others send, one transaction each, beside 10,000 cached ones."""
    rows = messages(CACHED + COUNT)
    frames = [peer.transaction("message", [], [row]) for row in rows[CACHED:]]

    def connect() -> tuple[tuple[Connection], dict[str, Any]]:
        return (peer.subscribed(MODULE, "message", rows[:CACHED]),), {}

    def apply(connection: Connection) -> None:
        for data in frames:
            peer.receive(connection, data)
        assert len(connection.table("message")) == CACHED + COUNT

    benchmark.pedantic(  # pyright: ignore[reportUnknownMemberType]
        apply, setup=connect, rounds=20, warmup_rounds=1
    )


def test_update_transactions(benchmark: BenchmarkFixture) -> None:
    """1,000 users of 10,000 who leave, one transaction each: the row changes, its key stays."""
    connection = peer.subscribed(MODULE, "user", users(CACHED))
    leave, come = (
        [
            peer.transaction("user", [user_bytes(n, online)], [user_bytes(n, not online)])
            for n in range(COUNT)
        ]
        for online in (True, False)
    )
    turns = cycle([leave, come])

    def apply() -> None:
        for data in next(turns):
            peer.receive(connection, data)

    benchmark(apply)
    assert len(connection.table("user")) == CACHED
    assert connection.table("user").missing_deletes == 0


def test_iterate(benchmark: BenchmarkFixture) -> None:
    """One field of each of 10,000 cached rows."""
    table = message_table(peer.subscribed(MODULE, "message", messages(CACHED)))

    def iterate() -> int:
        return sum(len(row.text) for row in table)

    assert benchmark(iterate) > CACHED


def test_sort(benchmark: BenchmarkFixture) -> None:
    """The newest ten of 10,000 cached rows, as a chat shows them."""
    table = message_table(peer.subscribed(MODULE, "message", messages(CACHED)))

    def sort() -> list[Message]:
        return sorted(table, key=lambda row: row.sent)[-10:]

    assert len(benchmark(sort)) == 10


def test_find(benchmark: BenchmarkFixture) -> None:
    """1,000 of 10,000 cached rows by primary key, and their names."""
    core = peer.subscribed(MODULE, "user", users(CACHED))
    table = UserTable(core, {"user": RowCallbacks("user")})
    keys = [identity(number) for number in range(0, CACHED, CACHED // COUNT)]

    def find() -> list[str | None]:
        return [row.name for key in keys if (row := table.identity.find(key)) is not None]

    assert len(benchmark(find)) == COUNT


def test_contains(benchmark: BenchmarkFixture) -> None:
    """Whether a whole row is cached, 1,000 times."""
    core = peer.subscribed(MODULE, "user", users(CACHED))
    table = UserTable(core, {"user": RowCallbacks("user")})
    rows: list[User] = [user(number, True) for number in range(COUNT)]

    def contains() -> int:
        return sum(row in table for row in rows)

    assert benchmark(contains) == COUNT


def message_table(core: Connection) -> MessageTable:
    return MessageTable(core, {"message": RowCallbacks("message")})
