"""Where the protocol's versions differ, and where each is not what one would think.

`docs/topics/protocols.md` has the list.
"""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

import anyio
import pytest

from spacetime_py import (
    ConnectError,
    InternalError,
    ProcedureError,
    ProtocolError,
    QueryError,
    ReducerEvent,
    SenderError,
    SubscriptionError,
    SubscriptionHandle,
    UnknownTransactionEvent,
)
from tests.codegen.golden.schema_2_8_3_version10 import (
    DbConnection,
    Diary,
    Item,
    ItemSummary,
    Spark,
    Tag,
)

from . import wire, wire2
from .peer import PATIENCE, Peer, in_memory_options
from .wire2 import Change, Events

pytestmark = pytest.mark.anyio

Message = TypeVar("Message", bound=wire2.ClientMessage)
A, B = Diary("a", 1), Diary("b", 2)
DIARY = "SELECT * FROM diary"


class Peer2(Peer):
    """Speaks version 2 or 3, and nothing by itself but the greeting."""

    def __init__(self, protocol: Literal["v2", "v3"] = "v2") -> None:
        super().__init__()
        self.protocol = protocol
        self.requests: list[wire2.ClientMessage] = []
        self.payloads = 0

    def greeting(self) -> bytes:
        return wire2.initial_connection(self.identity)

    def take_message(self, payload: bytes) -> None:
        self.payloads += 1
        self.requests.extend(wire2.client_messages(payload))

    def last(self, kind: type[Message]) -> Message:
        message = self.requests[-1]
        assert isinstance(message, kind)
        return message


@asynccontextmanager
async def connected(peer: Peer, **options: Any) -> AsyncIterator[DbConnection]:
    with anyio.fail_after(PATIENCE):
        async with DbConnection(**in_memory_options(peer, **options)) as connection:
            yield connection


@asynccontextmanager
async def version_2() -> AsyncIterator[tuple[DbConnection, Peer2]]:
    peer = Peer2()
    async with connected(peer) as connection:
        yield connection, peer


def subscribed(
    connection: DbConnection, peer: Peer2, query: str, rows: wire.Rows
) -> tuple[SubscriptionHandle, int]:
    """A query set that is applied, and its number."""
    handle = connection.subscription_builder().subscribe(query)
    message = peer.last(wire2.Subscribe)
    peer.send(wire2.subscribe_applied(message, rows))
    return handle, message.query_set


def told(connection: DbConnection, table: str) -> list[tuple[str, object]]:
    """What the callbacks of a table hear from now on."""
    heard: list[tuple[str, object]] = []
    rows = getattr(connection.db, table)
    rows.on_insert(lambda _, row: heard.append(("insert", row)))
    rows.on_delete(lambda _, row: heard.append(("delete", row)))
    return heard


# The order of fields


async def test_version_1_greets_with_the_token_before_the_connection() -> None:
    async with connected(Peer()) as connection:
        assert connection.protocol == "v1"
        assert bytes(connection.connection_id) == wire.MY_CONNECTION[::-1]
        assert connection.token == wire.TOKEN


async def test_version_2_greets_with_the_connection_before_the_token() -> None:
    async with version_2() as (connection, _):
        assert connection.protocol == "v2"
        assert bytes(connection.identity) == wire.ME[::-1]
        assert bytes(connection.connection_id) == wire.MY_CONNECTION[::-1]
        assert connection.token == wire.TOKEN


async def test_version_2_has_number_and_flags_before_the_name_of_a_call() -> None:
    async with version_2() as (connection, peer):
        connection.reducers.add_diary("a", 1)
        args = wire.string("a") + wire.u32(1)
        assert peer.last(wire2.Call) == wire2.Call(1, 0, "add_diary", args)
        connection.procedures.add_numbers(1, 2)
        asked = peer.last(wire2.CallProcedure)
        assert (asked.request_id, asked.flags, asked.procedure) == (2, 0, "add_numbers")


async def test_version_1_has_deletes_before_inserts() -> None:
    peer = Peer()
    peer.rows = {"diary": [A]}
    async with connected(peer) as connection:
        await connection.subscribe(DIARY)
        heard = told(connection, "diary")
        peer.change(inserts={"diary": [B]}, deletes={"diary": [A]})
        assert heard == [("insert", B), ("delete", A)]


async def test_version_2_has_inserts_before_deletes() -> None:
    async with version_2() as (connection, peer):
        _, query_set = subscribed(connection, peer, DIARY, {"diary": [A]})
        heard = told(connection, "diary")
        peer.send(wire2.transaction_update({query_set: {"diary": Change([B], [A])}}))
        assert heard == [("insert", B), ("delete", A)]
        assert list(connection.db.diary) == [B]


# Calls


async def test_a_failed_call_of_version_1_without_its_number_is_found() -> None:
    """As servers before 2.2 answer."""
    peer = Peer()
    peer.answers = False
    async with connected(peer) as connection:
        calls = [connection.reducers.add_diary(text, 1) for text in ("a", "b")]
        args = peer.last_call().args
        peer.send(wire.transaction_update(wire.failed("no"), reducer="add_diary", args=args))
        assert [call.is_done for call in calls] == [False, True]
        with pytest.raises(SenderError, match="no"):
            await calls[1]


async def test_a_failure_of_version_1_that_is_of_no_call_is_nobodys() -> None:
    """1.2.0 answers a query set whose number is taken so."""
    peer = Peer()
    peer.answers = False
    async with connected(peer) as connection:
        call = connection.reducers.add_diary("a", 1)
        peer.send(wire.transaction_update(wire.failed("no"), reducer="<none>"))
        assert not call.is_done
        peer.commit(peer.last_call())
        await call


async def test_the_number_of_a_light_update_is_somebody_elses() -> None:
    """2.x servers tell those who did not call so, where the module is of version 10."""
    peer = Peer()
    async with connected(peer) as connection:
        await connection.subscribe(DIARY)
        events: list[object] = []
        connection.db.diary.on_insert(lambda context, _: events.append(context.event))
        peer.answers = False
        call = connection.reducers.add_diary("a", 1)
        peer.send(wire.light_update({"diary": [B]}, {}, peer.last_call().request_id))
        assert not call.is_done
        assert [type(event) for event in events] == [UnknownTransactionEvent]


async def test_the_callers_own_changes_are_in_the_answer_of_version_2() -> None:
    async with version_2() as (connection, peer):
        _, query_set = subscribed(connection, peer, DIARY, {})
        events: list[object] = []
        connection.db.diary.on_insert(lambda context, _: events.append(context.event))
        call = connection.reducers.add_diary("a", 1)
        outcome = wire2.ok({query_set: {"diary": Change([A])}})
        peer.send(wire2.reducer_result(peer.last(wire2.Call), outcome))
        await call
        assert list(connection.db.diary) == [A]
        (event,) = events
        assert isinstance(event, ReducerEvent)
        assert (event.name, event.is_own, event.caller_identity) == (
            "add_diary",
            True,
            connection.identity,
        )


@pytest.mark.parametrize("outcome", [wire2.ok({}), wire2.OK_EMPTY])
async def test_success_without_changes_has_two_forms_in_version_2(outcome: bytes) -> None:
    async with version_2() as (connection, peer):
        call = connection.reducers.add_diary("a", 1)
        peer.send(wire2.reducer_result(peer.last(wire2.Call), outcome))
        await call


@pytest.mark.parametrize(
    ("outcome", "error"),
    [(wire2.err("why"), SenderError), (wire2.internal_error("why"), InternalError)],
)
async def test_version_2_tells_errors_of_the_reducer_from_others(
    outcome: bytes, error: type[Exception]
) -> None:
    async with version_2() as (connection, peer):
        call = connection.reducers.fail("why")
        peer.send(wire2.reducer_result(peer.last(wire2.Call), outcome))
        with pytest.raises(error, match="why"):
            await call


async def test_a_procedure_of_version_2_fails_with_another_tag() -> None:
    async with version_2() as (connection, peer):
        call = connection.procedures.add_numbers(1, 2)
        peer.send(wire2.procedure_result(peer.last(wire2.CallProcedure), b"", "why"))
        with pytest.raises(ProcedureError, match="why"):
            await call


async def test_the_changes_of_a_procedure_come_before_its_result() -> None:
    async with version_2() as (connection, peer):
        _, query_set = subscribed(connection, peer, DIARY, {})
        call = connection.procedures.count_items()
        asked = peer.last(wire2.CallProcedure)
        peer.send(wire2.transaction_update({query_set: {"diary": Change([A])}}))
        assert not call.is_done
        assert list(connection.db.diary) == [A]
        peer.send(wire2.procedure_result(asked, wire.u64(7)))
        assert await call == 7


# Query sets


async def test_version_2_is_asked_for_the_rows_that_leave() -> None:
    async with version_2() as (connection, peer):
        handle, _ = subscribed(connection, peer, DIARY, {"diary": [A]})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(handle.unsubscribe)
            await anyio.wait_all_tasks_blocked()
            message = peer.last(wire2.Unsubscribe)
            assert message.flags == 1
            peer.send(wire2.unsubscribe_applied(message, {"diary": [A]}))
        assert len(connection.db.diary) == 0


async def test_rows_of_a_query_set_leave_even_if_the_server_does_not_name_them() -> None:
    async with version_2() as (connection, peer):
        handle, _ = subscribed(connection, peer, DIARY, {"diary": [A, B]})
        subscribed(connection, peer, f"{DIARY} WHERE n = 2", {"diary": [B]})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(handle.unsubscribe)
            await anyio.wait_all_tasks_blocked()
            peer.send(wire2.unsubscribe_applied(peer.last(wire2.Unsubscribe), None))
        assert list(connection.db.diary) == [B]


async def test_a_row_comes_once_for_each_match_of_a_join() -> None:
    async with version_2() as (connection, peer):
        join = "SELECT diary.* FROM diary JOIN tag ON diary.n = tag.item_id"
        heard = told(connection, "diary")
        _, query_set = subscribed(connection, peer, join, {"diary": [A, A]})
        peer.send(wire2.transaction_update({query_set: {"diary": Change([A])}}))
        peer.send(wire2.transaction_update({query_set: {"diary": Change((), [A, A])}}))
        assert (heard, len(connection.db.diary)) == ([("insert", A)], 1)
        peer.send(wire2.transaction_update({query_set: {"diary": Change((), [A])}}))
        assert heard == [("insert", A), ("delete", A)]


async def test_a_table_has_an_entry_for_each_query_that_finds_rows_of_it() -> None:
    async with version_2() as (connection, peer):
        handle = connection.subscription_builder().subscribe(DIARY, f"{DIARY} WHERE n = 1")
        message = peer.last(wire2.Subscribe)
        entry = wire.string("diary") + wire.row_list([A])
        head = b"\1" + wire.u32(message.request_id) + wire.u32(message.query_set)
        peer.send(head + wire.array([entry, entry]))
        await handle.applied()
        peer.send(wire2.transaction_update({message.query_set: {"diary": Change((), [A])}}))
        assert list(connection.db.diary) == [A]


async def test_an_error_with_its_request_refuses_one_query_set() -> None:
    async with version_2() as (connection, peer):
        subscribed(connection, peer, DIARY, {"diary": [A]})
        handle = connection.subscription_builder().subscribe("SELECT * FROM nobody")
        message = peer.last(wire2.Subscribe)
        peer.send(wire2.subscription_error(message.request_id, message.query_set, "no table"))
        with pytest.raises(SubscriptionError, match="no table"):
            await handle.applied()
        assert list(connection.db.diary) == [A]


async def test_an_error_without_a_request_ends_one_query_set_of_version_2() -> None:
    async with version_2() as (connection, peer):
        errors: list[SubscriptionError] = []
        builder = connection.subscription_builder().on_error(lambda _, error: errors.append(error))
        builder.subscribe(DIARY)
        message = peer.last(wire2.Subscribe)
        peer.send(wire2.subscribe_applied(message, {"diary": [A]}))
        tags = {"tag": [Tag(1, 1, "x")]}
        handle, _ = subscribed(connection, peer, "SELECT * FROM tag", tags)
        peer.send(wire2.subscription_error(None, message.query_set, "evaluation failed"))
        assert [error.message for error in errors] == ["evaluation failed"]
        assert len(connection.db.diary) == 0
        assert (handle.is_ended, len(connection.db.tag)) == (False, 1)


async def test_an_error_without_any_number_ends_all_query_sets_of_version_1() -> None:
    peer = Peer()
    peer.rows = {"diary": [A]}
    errors: list[SubscriptionError] = []
    async with connected(peer) as connection:
        for query in (DIARY, "SELECT * FROM tag"):
            builder = connection.subscription_builder()
            builder.on_error(lambda _, error: errors.append(error)).subscribe(query)
        peer.send(wire.subscription_error(None, None, "evaluation failed"))
        assert len(errors) == 2
        assert len(connection.db.diary) == 0
        assert connection.is_active


async def test_an_error_about_a_number_that_is_taken_ends_nothing() -> None:
    async with version_2() as (connection, peer):
        handle, query_set = subscribed(connection, peer, DIARY, {"diary": [A]})
        peer.send(wire2.subscription_error(999, query_set, "in use"))
        assert not handle.is_ended
        assert list(connection.db.diary) == [A]


async def test_the_number_of_a_query_set_is_never_used_again() -> None:
    async with version_2() as (connection, peer):
        numbers: list[int] = []
        for _ in range(3):
            handle, query_set = subscribed(connection, peer, DIARY, {})
            numbers.append(query_set)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(handle.unsubscribe)
                await anyio.wait_all_tasks_blocked()
                peer.send(wire2.unsubscribe_applied(peer.last(wire2.Unsubscribe), {}))
        assert numbers == sorted(set(numbers))


async def test_one_query_of_version_1_is_a_set_too() -> None:
    """Servers count a single subscription of version 1 twice that is made twice."""
    peer = Peer()
    peer.rows = {"diary": [A]}
    async with connected(peer) as connection:
        first = await connection.subscribe(DIARY)
        # The server has given the rows of this query: it gives them, and takes them, once.
        peer.rows = {}
        second = await connection.subscribe(DIARY)
        assert [type(message) for message in peer.received] == [wire.Subscribe, wire.Subscribe]
        await first.unsubscribe()
        assert list(connection.db.diary) == [A]
        peer.rows = {"diary": [A]}
        await second.unsubscribe()
        assert len(connection.db.diary) == 0


# Tables


async def test_rows_of_an_event_table_are_told_and_not_kept() -> None:
    async with version_2() as (connection, peer):
        _, query_set = subscribed(connection, peer, "SELECT * FROM spark", {})
        heard = told(connection, "spark")
        spark = Spark(1, "x")
        peer.send(wire2.transaction_update({query_set: {"spark": Events([spark, spark])}}))
        assert heard == [("insert", spark), ("insert", spark)]
        assert len(connection.db.spark) == 0


async def test_a_view_is_a_table_with_rows_of_its_own_type() -> None:
    async with version_2() as (connection, peer):
        summary = ItemSummary("a", 1)
        query = "SELECT * FROM summaries"
        _, query_set = subscribed(connection, peer, query, {"summaries": [summary]})
        assert list(connection.db.summaries) == [summary]
        item = Item(1, "a", connection.identity, 3, 5, None)
        update = {"summaries": Change((), [summary]), "top_items": Change([item])}
        peer.send(wire2.transaction_update({query_set: update}))
        assert (list(connection.db.summaries), list(connection.db.top_items)) == ([], [item])


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_query_does_not_touch_the_cache(version: str) -> None:
    peer = Peer() if version == "v1" else Peer2()
    async with connected(peer) as connection:
        answers: list[object] = []

        async def ask() -> None:
            answers.append(await connection.query(DIARY))
            with pytest.raises(QueryError, match="no such table"):
                await connection.query("SELECT * FROM nowhere")

        def answer(rows: wire.Rows | None, error: str) -> None:
            if isinstance(peer, Peer2):
                peer.send(wire2.one_off_result(peer.last(wire2.Query), rows, error))
                return
            message = peer.received[-1]
            assert isinstance(message, wire.Query)
            reason = error if rows is None else None
            peer.send(wire.one_off_response(message.message_id, rows or {}, reason))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            answer({"diary": [A, B]}, "")
            await anyio.wait_all_tasks_blocked()
            answer(None, "no such table")
        assert answers == [[A, B]]
        assert len(connection.db.diary) == 0


# Payloads


async def test_a_ping_before_the_greeting_is_answered() -> None:
    peer = Peer2()
    peer.greets = False
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:

            @tasks.start_soon
            async def greet() -> None:
                await anyio.wait_all_tasks_blocked()
                peer.send_bytes(wire.frame(9, b"early"))
                assert peer.pongs == [b"early"]
                peer.send(peer.greeting())

            async with connected(peer) as connection:
                assert connection.is_active


async def test_a_message_comes_in_fragments_with_pings_between_them() -> None:
    async with version_2() as (connection, peer):
        handle = connection.subscription_builder().subscribe(DIARY)
        rows = [Diary("x" * 50, n) for n in range(1000)]
        message = wire2.subscribe_applied(peer.last(wire2.Subscribe), {"diary": rows})
        peer.send_bytes(wire.fragments(b"\0" + message, 4096, wire.frame(9, b"between")))
        await handle.applied()
        assert len(connection.db.diary) == 1000
        # Of pings that come together, the last may be the only one that is answered.
        assert set(peer.pongs) == {b"between"}


async def test_several_messages_share_a_payload_of_version_3() -> None:
    peer = Peer2("v3")
    async with connected(peer) as connection:
        _, query_set = subscribed(connection, peer, DIARY, {})
        updates = [wire2.transaction_update({query_set: {"diary": Change([r])}}) for r in (A, B)]
        peer.send(b"".join(updates))
        assert sorted(row.n for row in connection.db.diary) == [1, 2]


@pytest.mark.parametrize(("protocol", "payloads"), [("v2", 3), ("v3", 2)])
async def test_calls_of_one_turn_share_a_payload_of_version_3(
    protocol: Literal["v2", "v3"], payloads: int
) -> None:
    peer = Peer2(protocol)
    async with connected(peer) as connection:

        def call(_: object, row: Diary) -> None:
            connection.reducers.add_diary(row.text, row.n)

        _, query_set = subscribed(connection, peer, DIARY, {})
        connection.db.diary.on_insert(call)
        peer.send(wire2.transaction_update({query_set: {"diary": Change([A, B])}}))
        assert (len(peer.requests), peer.payloads) == (3, payloads)


@pytest.mark.parametrize(
    ("protocol", "message"),
    [("v2", wire2.transaction_update({}) * 2), ("v2", b""), ("v3", b"")],
)
async def test_a_payload_holds_a_message_and_only_in_version_3_more(
    protocol: Literal["v2", "v3"], message: bytes
) -> None:
    peer = Peer2(protocol)
    async with connected(peer) as connection:
        peer.send(message)
        with pytest.raises(ProtocolError):
            await connection.wait_closed()


async def test_what_is_compressed_is_told_by_the_payload_and_not_by_the_request() -> None:
    peer = Peer2()
    async with connected(peer, compression="none") as connection:
        _, query_set = subscribed(connection, peer, DIARY, {})
        update = wire2.transaction_update({query_set: {"diary": Change([A])}})
        peer.send_bytes(wire.frame(2, b"\2" + gzip.compress(update)))
        assert list(connection.db.diary) == [A]


async def test_servers_before_1_2_compress_each_update_by_itself() -> None:
    peer = Peer()
    async with connected(peer) as connection:
        await connection.subscribe(DIARY)
        update = gzip.compress(wire.row_list([]) + wire.row_list([A]))
        head = wire.u32(4096) + wire.string("diary") + wire.u64(1)
        table = head + wire.array([b"\2" + wire.sized(update)])
        peer.send(b"\2" + wire.u32(0) + wire.array([table]))
        assert list(connection.db.diary) == [A]


async def test_1_2_0_gives_rows_without_bytes_a_size_of_0() -> None:
    peer = Peer()
    async with connected(peer) as connection:
        await connection.subscribe("SELECT * FROM marker")
        nothing = b"\0" + (0).to_bytes(2, "little") + wire.sized(b"")
        head = wire.u32(4096) + wire.string("marker") + wire.u64(1)
        table = head + wire.array([b"\0" + nothing * 2])
        peer.send(b"\2" + wire.u32(0) + wire.array([table]))
        assert connection.is_active


async def test_a_module_that_refuses_the_client_ends_the_socket_after_the_upgrade() -> None:
    peer = Peer2()
    peer.greets = False
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:

            @tasks.start_soon
            async def drop() -> None:
                await anyio.wait_all_tasks_blocked()
                peer.end()

            with pytest.raises(ConnectError, match="client_connected"):
                async with connected(peer):
                    pass
