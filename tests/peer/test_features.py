"""What 2.x servers have more, by a client on the live peer, over each version of the protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Literal
from uuid import uuid4

import anyio
import pytest

from spacetime_py import ProcedureError, QueryError, SubscriptionError
from tests.codegen.golden.schema_2_8_3_version10 import (
    Answer,
    DbConnection,
    Diary,
    ItemSummary,
    ShapeCount,
    Spark,
)

from .process import Peer

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]
PATIENCE = 30.0
Protocol = Literal["v3", "v2", "v1"]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


@pytest.fixture(params=["v3", "v2", "v1"])
def protocol(request: pytest.FixtureRequest) -> Protocol:
    chosen: Protocol = request.param
    return chosen


@asynccontextmanager
async def connected(peer: Peer, protocol: Protocol) -> AsyncIterator[DbConnection]:
    database = peer.publish(f"features-{uuid4().hex}", native="mod28")
    with anyio.fail_after(PATIENCE):
        async with DbConnection(
            uri=peer.url, database=database.name, protocols=(protocol,)
        ) as connection:
            yield connection


@pytest.mark.parametrize("newer", ["v3", "v2"])
async def test_rows_of_an_event_table(peer: Peer, newer: Protocol) -> None:
    async with connected(peer, newer) as connection:
        heard: list[Spark] = []
        connection.db.spark.on_insert(lambda _, row: heard.append(row))
        await connection.subscribe("SELECT * FROM spark")
        await connection.reducers.emit_spark(1, "first")
        await connection.reducers.emit_spark(1, "first")
        assert heard == [Spark(1, "first")] * 2
        assert len(connection.db.spark) == 0


async def test_version_1_has_no_event_tables(peer: Peer) -> None:
    async with connected(peer, "v1") as connection:
        with pytest.raises(SubscriptionError, match="v2"):
            await connection.subscribe("SELECT * FROM spark")


async def test_rows_of_a_view(peer: Peer, protocol: Protocol) -> None:
    async with connected(peer, protocol) as connection:
        await connection.reducers.add_item(1, "a", 2, 5, None)
        await connection.subscribe("SELECT * FROM summaries")
        assert list(connection.db.summaries) == [ItemSummary("a", 5)]
        await connection.reducers.add_item(2, "b", 2, 7, None)
        await connection.reducers.drop_item(1)
        assert list(connection.db.summaries) == [ItemSummary("b", 7)]


async def test_procedures(peer: Peer, protocol: Protocol) -> None:
    async with connected(peer, protocol) as connection:
        await connection.subscribe("SELECT * FROM diary")
        assert await connection.procedures.add_numbers(2, 3) == 5
        await connection.procedures.give_nothing()
        answer = await connection.procedures.make_answer(["a"], ShapeCount(2))
        assert (type(answer), answer.shape) == (Answer, ShapeCount(2))
        await connection.procedures.add_diary_by_procedure("a", 1)
        assert list(connection.db.diary) == [Diary("a", 1)]
        with pytest.raises(ProcedureError):
            await connection.procedures.procedure_boom()
        assert connection.is_active


async def test_one_off_queries(peer: Peer, protocol: Protocol) -> None:
    async with connected(peer, protocol) as connection:
        assert await connection.query("SELECT * FROM diary") == []
        await connection.reducers.add_diary("a", 1)
        assert await connection.query("SELECT * FROM diary WHERE n = 1") == [Diary("a", 1)]
        with pytest.raises(QueryError, match="no such table"):
            await connection.query("SELECT * FROM nowhere")
        assert len(connection.db.diary) == 0
