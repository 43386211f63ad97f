"""From the socket to the program and back: frames, envelopes, messages into the cache, callbacks,
streams, calls. Values are in `test_performance_bsatn.py`, tables in `test_performance_tables.py`.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from itertools import cycle
from typing import Any

import anyio
import pytest
from pytest_codspeed import BenchmarkFixture

from examples.chat.module_bindings import DbConnection, Message, RemoteTables, User
from spacetime_py import MemoryTransport
from spacetime_py._core import Connection, SubscribeApplied, open_envelope
from spacetime_py.callbacks import Guard
from spacetime_py.dispatch import Dispatcher
from spacetime_py.reducer import new_calls
from spacetime_py.transport import Driver, Endpoint
from tests.codegen.golden import schema_1_2_0_version9 as all_types

from . import peer
from .kinds import row
from .rows import encoded, messages, user_bytes, users

MODULE = DbConnection._module
ALL_TYPES = all_types.DbConnection._module
COUNT = 1000
CACHED = 10_000

# --- frames and envelopes


@pytest.mark.parametrize("read_size", [512, 65536])
def test_frames(benchmark: BenchmarkFixture, read_size: int) -> None:
    """1,000 messages of a row each, in reads that cut them and in reads that hold many."""
    data = b"".join(peer.transaction("message", [], [one]) for one in messages(COUNT))

    def connect() -> tuple[tuple[Connection], dict[str, Any]]:
        return (peer.subscribed(MODULE, "message", []),), {}

    def receive(connection: Connection) -> int:
        return len(peer.receive(connection, data, read_size))

    assert pedantic(benchmark, receive, connect, 20) == COUNT


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("rows", [10, 10_000])
def test_envelope(benchmark: BenchmarkFixture, compression: str, rows: int) -> None:
    """A message taken out of its envelope, of about 1 KB and of 1 MB."""
    body = b"".join(messages(rows))
    data = b"\2" + gzip.compress(body, mtime=0) if compression == "gzip" else b"\0" + body
    assert benchmark(lambda: open_envelope(data, 1 << 30)) == body


# --- messages into the cache


@pytest.mark.parametrize("count", [1_000, 100_000])
@pytest.mark.parametrize("table", ["message", "user"])
def test_initial_subscription(benchmark: BenchmarkFixture, table: str, count: int) -> None:
    """The first rows of a table: without a key, and with a primary key."""
    rows = messages(count) if table == "message" else users(count)
    apply_first(benchmark, MODULE, table, rows, None)


@pytest.mark.parametrize("count", [1_000, 20_000])
def test_initial_subscription_of_fixed_size(benchmark: BenchmarkFixture, count: int) -> None:
    """Rows of a number and two floats."""
    rows = [encoded(all_types.Dot(id=n, x=n * 0.5, y=-float(n))) for n in range(count)]
    apply_first(benchmark, ALL_TYPES, "dot", rows, len(rows[0]))


def test_initial_subscription_of_complex_rows(benchmark: BenchmarkFixture) -> None:
    """1,000 rows of 17 fields: options, lists, sums."""
    cls, arguments = row("complex")
    rows = [encoded(cls(**{**arguments, "id": number})) for number in range(COUNT)]
    apply_first(benchmark, ALL_TYPES, "containers", rows, None)


def test_initial_subscription_of_large_rows(benchmark: BenchmarkFixture) -> None:
    """16 rows with a text of 1 MiB each."""
    rows = [encoded(all_types.Diary(text="x" * (1 << 20), n=number)) for number in range(16)]
    apply_first(benchmark, ALL_TYPES, "diary", rows, None)


def apply_first(
    benchmark: BenchmarkFixture, module: Any, table: str, rows: list[bytes], size: int | None
) -> None:
    # Of few rows to several connections: simulated, memory that happens to be new counts for more.
    times = max(1, min(50, (1 << 20) // sum(map(len, rows))))

    def connect() -> tuple[tuple[list[tuple[Connection, bytes]]], dict[str, Any]]:
        connections = [peer.greeted(module) for _ in range(times)]
        fed = [(core, peer.subscribe_applied(core, table, rows, size)) for core in connections]
        return (fed,), {}

    def apply(fed: list[tuple[Connection, bytes]]) -> None:
        for connection, data in fed:
            (event,) = peer.receive(connection, data)
            assert isinstance(event, SubscribeApplied)
            assert len(connection.table(table)) == len(rows)

    pedantic(benchmark, apply, connect, 10)


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

    pedantic(benchmark, apply, connect, 20)


def test_update_transactions(benchmark: BenchmarkFixture) -> None:
    """1,000 users of 10,000 who leave, one transaction each: the row changes, its key stays."""
    connection = peer.subscribed(MODULE, "user", users(CACHED))
    turns = cycle([leaving(range(COUNT)), coming(range(COUNT))])

    def apply() -> None:
        for data in next(turns):
            peer.receive(connection, data)

    benchmark(apply)
    assert len(connection.table("user")) == CACHED
    assert connection.table("user").missing_deletes == 0


def test_delete_transactions(benchmark: BenchmarkFixture) -> None:
    """1,000 of 10,000 messages deleted, one transaction each."""
    rows = messages(CACHED)
    frames = [peer.transaction("message", [row], []) for row in rows[:COUNT]]

    def connect() -> tuple[tuple[Connection], dict[str, Any]]:
        return (peer.subscribed(MODULE, "message", rows),), {}

    def apply(connection: Connection) -> None:
        for data in frames:
            peer.receive(connection, data)
        assert len(connection.table("message")) == CACHED - COUNT

    pedantic(benchmark, apply, connect, 20)


def leaving(numbers: range) -> list[bytes]:
    return [
        peer.transaction("user", [user_bytes(n, True)], [user_bytes(n, False)]) for n in numbers
    ]


def coming(numbers: range) -> list[bytes]:
    return [
        peer.transaction("user", [user_bytes(n, False)], [user_bytes(n, True)]) for n in numbers
    ]


# --- callbacks and streams


class Heard:
    """The tables of a connection whose events are dispatched, without a network."""

    def __init__(self, table: str, rows: list[bytes]) -> None:
        self.core = peer.subscribed(MODULE, table, rows)
        calls = new_calls(self.core, None, print)
        self.dispatcher = Dispatcher(object(), MODULE, Guard(None), calls)
        self.db = RemoteTables(self.core, self.dispatcher.rows)

    def receive(self, data: bytes) -> None:
        for event in peer.receive(self.core, data):
            self.dispatcher.dispatch(event)  # type: ignore[arg-type]


def test_one_insert_with_a_thousand_callbacks(benchmark: BenchmarkFixture) -> None:
    """A transaction of 1,000 rows: one callback each, which reads a field."""
    rows = messages(COUNT)
    insert, delete = peer.transaction("message", [], rows), peer.transaction("message", rows, [])
    seen = 0

    def count(context: object, row: Message) -> None:
        nonlocal seen
        seen += len(row.text) > 0

    heard = Heard("message", [])
    heard.db.message.on_insert(count)

    def apply() -> None:
        heard.receive(insert)
        heard.receive(delete)

    benchmark(apply)
    assert seen > 0
    assert seen % COUNT == 0


def test_a_thousand_updates_with_callbacks(benchmark: BenchmarkFixture) -> None:
    """1,000 transactions of one changed row: a callback compares old and new, and asks who."""
    seen = 0

    def count(context: Any, old: User, new: User) -> None:
        nonlocal seen
        seen += old.online != new.online and context.event.name == "some_reducer"

    heard = Heard("user", users(COUNT))
    heard.db.user.on_update(count)
    frames = [*leaving(range(COUNT // 2)), *coming(range(COUNT // 2))]

    def apply() -> None:
        for data in frames:
            heard.receive(data)

    benchmark(apply)
    assert seen > 0
    assert seen % COUNT == 0


def test_on_transaction(benchmark: BenchmarkFixture) -> None:
    """1,000 transactions of one row: one callback each, which counts the updates."""
    seen = 0

    def count(context: object, changes: Any) -> None:
        nonlocal seen
        seen += len(changes["user"].updates)

    heard = Heard("user", users(COUNT))
    heard.dispatcher.on_transaction.add(count)
    frames = [*leaving(range(COUNT // 2)), *coming(range(COUNT // 2))]

    def apply() -> None:
        for data in frames:
            heard.receive(data)

    benchmark(apply)
    assert seen > 0
    assert seen % COUNT == 0


@pytest.mark.event_loop
@pytest.mark.parametrize("overflow", ["error", "conflate"])
def test_stream(benchmark: BenchmarkFixture, overflow: Any) -> None:
    """A stream of the changes of 1,000 transactions, read after every hundred."""
    heard = Heard("user", users(COUNT))
    frames = [*leaving(range(COUNT // 2)), *coming(range(COUNT // 2))]

    async def read() -> int:
        taken = 0
        stream = heard.db.user.changes(overflow=overflow)
        for start in range(0, COUNT, 100):
            for data in frames[start : start + 100]:
                heard.receive(data)
            for _ in range(100):
                await anext(stream)
                taken += 1
        return taken

    assert benchmark(lambda: anyio.run(read)) == COUNT


# --- calls


def test_calls_encoded(benchmark: BenchmarkFixture) -> None:
    """1,000 calls put into the frames that go to the socket, with a complex row as argument.

    50 at a time: a buffer for all of them is moved as it grows, or not, as the heap happens to be.
    """
    cls, arguments = row("complex")
    call = (cls(**arguments),)
    connection = peer.greeted(ALL_TYPES)

    def send() -> int:
        sent = 0
        for _ in range(COUNT // 50):
            for _ in range(50):
                connection.call_reducer("put_containers", call)
            sent += len(connection.data_to_send())
        return sent

    assert benchmark(send) > COUNT * len(encoded(call[0]))


@pytest.mark.event_loop
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_calls(benchmark: BenchmarkFixture, backend: str) -> None:
    """Connect, await 1,000 calls one after another, close; the server answers at once."""

    async def calls(connection: DbConnection) -> None:
        for _ in range(COUNT):
            await connection.reducers.send_message("hello, everybody")

    run_session(benchmark, backend, calls)


@pytest.mark.event_loop
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_calls_in_flight(benchmark: BenchmarkFixture, backend: str) -> None:
    """Connect, make 1,000 calls, a hundred at a time, and then wait for these; close."""

    async def calls(connection: DbConnection) -> None:
        for _ in range(COUNT // 100):
            made = [connection.reducers.send_message("hello, everybody") for _ in range(100)]
            for call in made:
                await call

    run_session(benchmark, backend, calls)


def run_session(
    benchmark: BenchmarkFixture, backend: str, calls: Callable[[DbConnection], Any]
) -> None:
    async def session() -> None:
        server = peer.Answering()

        def open_transport(endpoint: Endpoint, driver: Driver) -> MemoryTransport:
            return server.open(driver)

        async with DbConnection(
            uri="localhost:3000", database="bench", transport=open_transport
        ) as connection:
            await calls(connection)
        assert server.answered == COUNT

    benchmark(lambda: anyio.run(session, backend=backend))


def pedantic(
    benchmark: BenchmarkFixture,
    target: Callable[..., Any],
    setup: Callable[[], tuple[tuple[Any, ...], dict[str, Any]]],
    rounds: int,
) -> Any:
    """With new state for each round, which is not measured. CodSpeed's simulation has one round."""
    return benchmark.pedantic(  # pyright: ignore[reportUnknownMemberType]
        target, setup=setup, rounds=rounds, warmup_rounds=1
    )
