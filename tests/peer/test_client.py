"""What versions 2 and 3 add, by a client on the live peer."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import anyio
import pytest

from spacetime_py import QueryError, SenderError, _core
from spacetime_py.replay import replay
from tests.codegen.golden.schema_2_8_3_version10 import DbConnection

from .process import Peer

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]
SCHEMA = Path(__file__).parents[1] / "codegen/schemas/schema-2.8.3-version10.json"


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


@pytest.fixture(params=["v3", "v2"])
def protocol(request: pytest.FixtureRequest) -> Literal["v3", "v2"]:
    chosen: Literal["v3", "v2"] = request.param
    return chosen


@pytest.fixture
def connection(peer: Peer, protocol: Literal["v3", "v2"], tmp_path: Path) -> DbConnection:
    database = peer.publish(f"client-{uuid4().hex}", b"native:mod28")
    return DbConnection(
        uri=peer.url,
        database=database.name,
        protocols=(protocol, "v1"),
        capture=tmp_path / "session.jsonl",
    )


async def test_subscribe_call_query_and_capture(
    connection: DbConnection, protocol: str, tmp_path: Path
) -> None:
    changes: list[Any] = []
    with anyio.fail_after(30):
        async with connection:
            assert connection.protocol == protocol
            connection.on_transaction(lambda context, changed: changes.append(dict(changed)))
            handle = await connection.subscribe("SELECT * FROM diary", "SELECT * FROM bulk")
            await connection.reducers.add_diary("a", 1)
            assert [(row.text, row.n) for row in connection.db.diary] == [("a", 1)]
            with pytest.raises(SenderError, match="no luck"):
                await connection.reducers.fail("no luck")
            (row,) = await connection.query("SELECT * FROM diary")
            assert (row.text, row.n) == ("a", 1)
            with pytest.raises(QueryError, match="no such table"):
                await connection.query("SELECT * FROM nowhere")
            await handle.unsubscribe()
            assert len(connection.db.diary) == 0
            secret = connection.token
    assert [list(changed) for changed in changes] == [["diary"], ["diary"]]
    text = (tmp_path / "session.jsonl").read_text()
    assert secret not in text
    for line in map(json.loads, text.splitlines()):
        assert secret.encode() not in base64.b64decode(line.get("data", ""))
    module = _core.Module(_core.describe(SCHEMA.read_text()))
    (session,) = replay(tmp_path / "session.jsonl", module)["connections"].values()
    assert session["tables"] == {}
    assert {"diary": {"inserted": 1}} in [event["changes"] for event in session["events"]]
