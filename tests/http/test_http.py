"""The HTTP API of a real server, by both clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest

from spacetime_py import (
    ConnectError,
    ConnectionId,
    EncodeError,
    HttpError,
    Identity,
    InternalError,
    QueryError,
    SenderError,
    TimeDuration,
    Timestamp,
)
from spacetime_py.http import AsyncHttpClient, HttpClient, LogLine, Variant
from tests.codegen.golden.schema_1_2_0_version9 import Color, Point
from tests.server.api import Api, Database

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]


class Either:
    """One of the two clients under the interface of the one that awaits."""

    def __init__(self, client: AsyncHttpClient | HttpClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        async def run(*args: Any, **options: Any) -> Any:
            if isinstance(self._client, HttpClient):
                return method(*args, **options)
            return await method(*args, **options)

        return run

    async def logs(self, database: str, count: int, **options: Any) -> list[LogLine]:
        """The first so many lines."""
        lines: list[LogLine] = []
        if isinstance(self._client, HttpClient):
            for line in self._client.logs(database, **options):
                lines.append(line)
                if len(lines) == count:
                    break
        else:
            async with aclosing(self._client.logs(database, **options)) as following:
                async for line in following:
                    lines.append(line)
                    if len(lines) == count:
                        break
        return lines


@pytest.fixture(params=["sync", "async"])
async def http(request: pytest.FixtureRequest, server: Api) -> AsyncIterator[Either]:
    """A client of the identity that publishes in these tests."""
    if request.param == "sync":
        with HttpClient(server.url, server.owner.token) as client:
            yield Either(client)
    else:
        async with AsyncHttpClient(server.url, server.owner.token) as client:
            yield Either(client)


async def test_publish_look_rename_and_delete(http: Either, chat_wasm: bytes, server: Api) -> None:
    name = f"http-{id(http)}"
    published = await http.publish(name, chat_wasm)
    assert (published.op, published.name) == ("created", name)
    again = await http.publish(name, chat_wasm)
    assert (again.op, again.database_identity) == ("updated", published.database_identity)
    info = await http.info(name)
    assert info.database_identity == published.database_identity
    assert str(info.owner_identity) == server.owner.identity
    assert info.host_type == "Wasm"
    assert name in await http.names(str(published.database_identity))
    await http.delete(name)
    with pytest.raises(HttpError, match="publish it first") as caught:
        await http.schema(name)
    assert caught.value.status == 404


async def test_calls_and_queries(http: Either, all_types_database: Database) -> None:
    name = all_types_database.name
    result = await http.call(name, "add_item", 7, "seven", 1, -2, None)
    assert result.value is None
    assert result.execution_duration > timedelta(0)
    await http.call(name, "add_item", 8, "eight", 1, -2, "with a note")
    found = await http.sql(name, "SELECT * FROM item WHERE id = 8")
    assert found.columns == ("id", "code", "owner", "kind", "level", "note")
    ((id, code, owner, *rest),) = found
    assert (id, code, rest) == (8, "eight", [1, -2, "with a note"])
    assert isinstance(owner, Identity)
    (item,) = (await http.sql(name, "SELECT * FROM item WHERE id = 7")).dicts()
    assert item["note"] is None
    with pytest.raises(SenderError, match="no item 9") as refused:
        await http.call(name, "set_item", 9, 1, None)
    assert refused.value.reducer == "set_item"
    with pytest.raises(InternalError, match="fatal error"):
        await http.call(name, "boom", "bang")
    with pytest.raises(EncodeError, match=r"`add_item`\.level: expected int, got str"):
        await http.call(name, "add_item", 7, "seven", 1, "high", None)
    with pytest.raises(EncodeError, match="expected 5 fields, got 1"):
        await http.call(name, "add_item", 7)
    with pytest.raises(HttpError, match="there is no reducer or procedure `nothing`"):
        await http.call(name, "nothing")
    with pytest.raises(QueryError, match="SELEKT"):
        await http.sql(name, "SELEKT 1")


async def test_values_of_every_kind_go_and_come(http: Either, all_types_database: Database) -> None:
    name = all_types_database.name
    signed = {bits: -(2 ** (bits - 1)) for bits in (8, 16, 32, 64, 128, 256)}
    unsigned = {bits: 2**bits - 1 for bits in signed}
    identity, connection_id = Identity("01" + "00" * 31), ConnectionId("ff" * 16)
    when = Timestamp(-5)
    await http.call(name, "set_signed", 1, *signed.values())
    await http.call(name, "set_unsigned", 1, *unsigned.values())
    await http.call(name, "set_floats", 1, -1.5, 0.1)
    await http.call(name, "set_plain", 1, True, "ä 漢", b"\0\xff")
    await http.call(name, "set_special", 1, identity, connection_id, when, TimeDuration(9), when)
    (row,) = (await http.sql(name, "SELECT * FROM scalars")).dicts()
    for bits in signed:
        assert (row[f"v_i{bits}"], row[f"v_u{bits}"]) == (signed[bits], unsigned[bits])
    assert (row["v_f32"], row["v_f64"]) == (-1.5, 0.1)
    assert (row["v_bool"], row["v_text"], row["v_bytes"]) == (True, "ä 漢", b"\0\xff")
    assert (row["v_identity"], row["v_conn"]) == (identity, connection_id)
    assert (row["v_time"], row["v_span"], row["v_when"]) == (when, TimeDuration(9), when)
    point = Point(x=1, y=-2)
    line = {"from_point": point, "to_point": (3, 4), "label": None}
    color = Color.DARK_BLUE
    await http.call(name, "set_user_types", 1, line, color, {"Path": [point]}, {})
    (row,) = (await http.sql(name, "SELECT * FROM containers")).dicts()
    assert row["line"]["to_point"] == {"x": 3, "y": 4}
    assert row["color"].name.replace("_", "").lower() == "darkblue"
    assert row["shape"] in (
        Variant("Path", [{"x": 1, "y": -2}]),
        Variant("path", [{"x": 1, "y": -2}]),
    )


async def test_who_nobody_knows_and_where_nobody_is(
    http: Either, all_types_database: Database
) -> None:
    made = await http.identity()
    assert made.token not in repr(made)
    assert await http.version()
    with HttpClient(all_types_database.url, "nonsense") as stranger:
        with pytest.raises(HttpError, match="401") as caught:
            stranger.sql(all_types_database.name, "SELECT * FROM item")
        assert caught.value.status == 401
    with HttpClient("http://127.0.0.1:9") as lost, pytest.raises(ConnectError, match="is the serv"):
        lost.version()


# httpx leaves generators within its own to the garbage collector.
@pytest.mark.filterwarnings("ignore:Async generator 'http(x|core):ResourceWarning")
async def test_the_log_and_what_is_added_to_it(http: Either, chat_database: Database) -> None:
    name = chat_database.name
    all_lines = await http.logs(name, 1000)
    (said,) = [line for line in all_lines if line.message == "the chat is open"]
    assert said.level == "Info"
    assert said.filename is not None
    assert said.filename.endswith("lib.rs")
    assert "INFO" in str(said)
    (last,) = await http.logs(name, 1, lines=1, follow=True)
    assert last == all_lines[-1]
    with HttpClient(chat_database.url) as stranger, pytest.raises(HttpError):
        list(stranger.logs(name))
