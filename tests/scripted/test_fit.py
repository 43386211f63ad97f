"""Bindings and database are compared while a connection is made: what is told, and when."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from examples.chat.module_bindings import DbConnection, Message
from spacetime_py import Identity, Reconnect, SchemaMismatchError, SpacetimeDBError, Timestamp, fit
from spacetime_py.sockets import Network
from spacetime_py.transport import parse_uri

from . import wire
from .peer import Peer, in_memory, serving
from .wire import Call

pytestmark = pytest.mark.anyio

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "codegen" / "schemas" / "chat.json").read_text()
)
TLS = Path(__file__).parent / "tls"
ROW = Message(sender=Identity("0" * 64), sent=Timestamp(0), text="a")


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The answer of a server whose module was changed."""
    schema = json.loads(json.dumps(SCHEMA))
    change(schema)
    body = json.dumps(schema)
    return f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


def other_column(schema: dict[str, Any]) -> None:
    """Of the same size: nothing in the rows' bytes tells."""
    schema["typespace"]["types"][0]["Product"]["elements"][1]["algebraic_type"] = {"U64": []}


def other_parameter(schema: dict[str, Any]) -> None:
    (send,) = (one for one in schema["reducers"] if one["name"] == "send_message")
    send["params"]["elements"].append({"name": {"some": "to"}, "algebraic_type": {"U64": []}})


def nothing_left(schema: dict[str, Any]) -> None:
    schema["tables"] = schema["reducers"] = []


COLUMN = r"table `message`: column `sent` has another type in the database"
PARAMETER = r"reducer `send_message`: the database has a further parameter, `to`"
REMEDY = r"run `spacetime-py generate` again"


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was logged for the user."""
    caplog.set_level(logging.WARNING, "spacetime_py")
    return lambda: [record.getMessage() for record in caplog.records]


async def test_bindings_that_fit(warnings: Callable[[], list[str]]) -> None:
    peer = Peer()
    peer.schema = changed(
        lambda schema: schema["tables"].append({**schema["tables"][0], "name": "new"})
    )
    async with serving(peer) as uri, DbConnection(uri=uri, database="a/b", token="T") as connection:
        await connection.subscribe("SELECT * FROM message")
        await connection.reducers.send_message("hello")
    assert warnings() == []
    (request,) = peer.schema_requests
    assert request.startswith(b"GET /v1/database/a%2Fb/schema?version=9 HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer T\r\n" in request


async def test_a_column_of_another_type(warnings: Callable[[], list[str]]) -> None:
    peer = Peer()
    peer.schema = changed(other_column)
    async with serving(peer) as uri, DbConnection(uri=uri, database="chat") as connection:
        (told,) = warnings()
        assert f"do not fit the database `chat` at {uri[7:]}: " in told
        await connection.subscribe("SELECT * FROM user")
        await connection.reducers.send_message("what fits works")
        peer.rows = {"message": [ROW]}
        with pytest.raises(SchemaMismatchError, match=f"{COLUMN}.*{REMEDY}"):
            await connection.subscribe("SELECT * FROM message")
        assert connection.db.message.count() == 0
        with pytest.raises(SchemaMismatchError, match=COLUMN):
            await connection.wait_closed()


async def test_a_reducer_with_another_parameter(warnings: Callable[[], list[str]]) -> None:
    peer = Peer()
    peer.schema = changed(other_parameter)
    async with serving(peer) as uri, DbConnection(uri=uri, database="chat") as connection:
        with pytest.raises(SchemaMismatchError, match=f"{PARAMETER}.*{REMEDY}"):
            connection.reducers.send_message("hello")
        await connection.reducers.set_name("Ada")
    assert [call.reducer for call in peer.received if isinstance(call, Call)] == ["set_name"]
    assert len(warnings()) == 1


async def test_rows_that_came_before_the_answer() -> None:
    """As to an `on_connect` that subscribes: the callback waits for no comparison."""
    peer = Peer()
    peer.schema, peer.rows = None, {"message": [ROW]}
    applied, told = anyio.Event(), list[object]()

    def subscribe(connection: DbConnection, *_: object) -> None:
        builder = connection.subscription_builder().on_applied(lambda _: applied.set())
        builder.subscribe("SELECT * FROM message")

    async with serving(peer) as uri:
        options: dict[str, Any] = {
            "on_connect": subscribe,
            "on_disconnect": lambda _, error: told.append(error),
        }
        connection = DbConnection(uri=uri, database="chat", **options)
        async with anyio.create_task_group() as tasks:

            @tasks.start_soon
            async def answer() -> None:
                await applied.wait()
                peer.tell_schema(changed(other_column))

            with pytest.raises(SchemaMismatchError, match=COLUMN):
                await connection.__aenter__()
    assert [type(error) for error in told] == [SchemaMismatchError]


async def test_a_database_of_another_module(warnings: Callable[[], list[str]]) -> None:
    peer = Peer()
    peer.schema = changed(nothing_left)
    told: list[SpacetimeDBError] = []
    async with serving(peer) as uri:
        options: dict[str, Any] = {"on_connect_error": lambda _, error: told.append(error)}
        with pytest.raises(SchemaMismatchError, match=r"`chat`.* runs another module"):
            async with DbConnection(uri=uri, database="chat", **options):
                pass
    assert [type(error) for error in told] == [SchemaMismatchError]
    assert warnings() == []


async def test_a_module_that_changed_while_the_connection_was_down(
    warnings: Callable[[], list[str]],
) -> None:
    peer = Peer()
    peer.schema = changed(lambda _: None)
    async with (
        serving(peer) as uri,
        DbConnection(uri=uri, database="chat", reconnect=Reconnect(base=0)) as connection,
    ):
        await connection.reducers.send_message("as it was")
        for number in (1, 2):
            peer.schema, peer.request = changed(other_parameter), b""
            peer.end()
            await connection.wait_connected()
            while len(peer.schema_requests) <= number or not warnings()[1:]:
                await anyio.sleep(0.01)
        with pytest.raises(SchemaMismatchError, match=PARAMETER):
            connection.reducers.send_message("as it is")
    assert [text for text in warnings() if "do not fit" in text] == warnings()[1:2], "told once"


@pytest.mark.parametrize(
    "answer",
    [
        wire.refusal("404 Not Found", "no database"),
        wire.refusal("500 Internal Server Error", ""),
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\n\xff",
    ],
)
async def test_a_server_that_does_not_tell(
    answer: bytes, warnings: Callable[[], list[str]]
) -> None:
    peer = Peer()
    peer.schema = answer
    async with serving(peer) as uri, DbConnection(uri=uri, database="chat") as connection:
        await connection.reducers.send_message("hello")
    assert len(peer.schema_requests) == 1
    assert warnings() == []


async def test_a_server_that_keeps_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "_PATIENCE", 0.05)
    peer = Peer()
    peer.schema = None
    async with serving(peer) as uri, DbConnection(uri=uri, database="chat") as connection:
        await connection.reducers.send_message("hello")
    assert len(peer.schema_requests) == 1


async def test_an_answer_that_has_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "_LIMIT", 1000)
    peer = Peer()
    peer.schema = changed(other_column)
    async with serving(peer) as uri, DbConnection(uri=uri, database="chat") as connection:
        await connection.reducers.send_message("hello")


async def test_with_tls_and_headers() -> None:
    peer = Peer()
    peer.schema = changed(other_parameter)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    options: dict[str, Any] = {"ca_file": TLS / "ca.pem", "headers": {"X-Team": "orange"}}
    async with (
        serving(peer, context) as uri,
        DbConnection(uri=uri, database="chat", **options) as connection,
    ):
        with pytest.raises(SchemaMismatchError, match=PARAMETER):
            connection.reducers.send_message("hello")
    assert b"\r\nX-Team: orange\r\n" in peer.schema_requests[0]


async def _until_asked(peer: Peer, times: int) -> None:
    with anyio.fail_after(5):
        while len(peer.schema_requests) < times:
            await anyio.sleep(0.001)


async def test_many_at_once_are_answered_together() -> None:
    """Who comes while the server is being asked waits for the next answer, which is not older."""
    peer = Peer()
    peer.schema = None
    found: list[Sequence[fit.Misfit] | None] = []
    async with serving(peer) as uri:

        async def ask(token: str | None = None) -> None:
            asking = fit.Fit(DbConnection._module, parse_uri(uri), "chat", {})
            found.append(await asking.ask(Network(), token))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await _until_asked(peer, 1)
            for _ in range(20):
                tasks.start_soon(ask)
            tasks.start_soon(ask, "somebody else")
            await _until_asked(peer, 2)
            await anyio.wait_all_tasks_blocked()
            assert len(peer.schema_requests) == 2
            peer.tell_schema(changed(other_parameter))
    assert len(peer.schema_requests) == 3
    assert len(found) == 22
    assert {str(misfit) for each in found for misfit in each or ()} == {PARAMETER}
    assert None not in found


async def test_the_others_go_on_when_who_asked_is_cancelled() -> None:
    peer = Peer()
    peer.schema = None
    found: list[Sequence[fit.Misfit] | None] = []
    async with serving(peer) as uri:

        async def ask(scope: anyio.CancelScope) -> None:
            asking = fit.Fit(DbConnection._module, parse_uri(uri), "chat", {})
            with scope:
                found.append(await asking.ask(Network(), None))

        async with anyio.create_task_group() as tasks:
            first = anyio.CancelScope()
            tasks.start_soon(ask, first)
            await _until_asked(peer, 1)
            for _ in range(2):
                tasks.start_soon(ask, anyio.CancelScope())
            await anyio.wait_all_tasks_blocked()
            first.cancel()
            await _until_asked(peer, 2)
            peer.tell_schema(changed(lambda _: None))
    assert found == [(), ()]
    assert len(peer.schema_requests) == 2


async def test_nobody_is_asked_where_it_is_not_wanted() -> None:
    peer = Peer()
    async with (
        serving(peer) as uri,
        DbConnection(uri=uri, database="chat", check_schema=False) as connection,
    ):
        await connection.reducers.send_message("hello")
    assert peer.schema_requests == []


async def test_leaving_while_the_answer_is_waited_for() -> None:
    peer = Peer()
    peer.schema = None
    async with serving(peer) as uri:
        connection = DbConnection(uri=uri, database="chat")
        with anyio.move_on_after(0.1) as scope:
            await connection.__aenter__()
    assert scope.cancelled_caught
    assert not connection.is_active


async def test_a_transport_of_the_user_s_own_is_left_alone() -> None:
    async with in_memory(Peer()) as connection:
        await connection.reducers.send_message("hello")
