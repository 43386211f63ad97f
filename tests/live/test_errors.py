"""What goes wrong against a real server: the right exception, with words that help."""

from __future__ import annotations

import logging
import re
import socket
from typing import Any

import anyio
import pytest

from spacetime_py import (
    AuthenticationError,
    CallTimeout,
    ConnectError,
    ConnectionClosed,
    ConnectionLost,
    EncodeError,
    HandshakeRejected,
    InternalError,
    SchemaMismatchError,
    SenderError,
    SubscriptionError,
)
from spacetime_py.sockets import Network
from spacetime_py.transport import Driver, Endpoint, Transport
from tests.server.api import Api, Database

from .places import Place
from .target import Target, until

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]

# Rows whose insertion takes the server some tenths of a second or more.
SLOW = 100_000


class Withheld:
    """The network, which keeps for itself what the server sends when it is told so."""

    def __init__(self) -> None:
        self.is_withholding = False

    def __call__(self, endpoint: Endpoint, driver: Driver) -> Transport:
        def pass_on(data: Any) -> None:
            if not self.is_withholding:
                driver.on_data(data)

        return Network()(endpoint, driver._replace(on_data=pass_on))


async def works(connection: Any) -> None:
    """The connection lives on: calls are answered and rows come."""
    await connection.reducers.noop()
    await connection.subscribe("SELECT * FROM diary")
    await connection.reducers.add_diary("still alive", 1)
    assert [row.text for row in connection.db.diary] == ["still alive"]


# ---------------------------------------------------------------- calls


async def test_an_argument_of_the_wrong_type(chat: Target) -> None:
    async with chat.connect() as connection:
        with pytest.raises(
            EncodeError, match="`text` of reducer `send_message`: expected str, got int"
        ):
            connection.reducers.send_message(5)
        with pytest.raises(EncodeError, match="str"):
            connection.reducers.send_message(None)
        await connection.reducers.send_message("fine")


async def test_an_argument_out_of_range(all_types: Target) -> None:
    async with all_types.connect() as connection:
        with pytest.raises(EncodeError, match=r"`kind`.*256"):
            connection.reducers.add_item(1, "one", 256, 0, None)
        with pytest.raises(EncodeError, match=r"`level`"):
            connection.reducers.add_item(1, "one", 255, 2**31, None)
        await works(connection)


async def test_the_wrong_number_of_arguments(chat: Target) -> None:
    async with chat.connect() as connection:
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'text'"):
            connection.reducers.send_message()
        with pytest.raises(TypeError, match="takes 2 positional arguments but 3 were given"):
            connection.reducers.send_message("a", "b")
        await connection.reducers.send_message("fine")


async def test_a_reducer_that_the_database_lacks(
    place: Place, all_types_bindings: Any, chat_database: Database
) -> None:
    target = Target(place, all_types_bindings, chat_database)
    async with target.connect(check_schema=False) as connection:
        with pytest.raises(InternalError, match="add_marker") as caught:
            await connection.reducers.add_marker()
        assert caught.value.reducer == "add_marker"
        assert "no such reducer" in str(caught.value).lower()
        assert connection.is_active


async def test_a_table_that_the_database_lacks(
    place: Place, all_types_bindings: Any, chat_database: Database
) -> None:
    target = Target(place, all_types_bindings, chat_database)
    async with target.connect(check_schema=False) as connection:
        with pytest.raises(SubscriptionError, match="bulk") as caught:
            await connection.subscribe("SELECT * FROM bulk")
        assert caught.value.queries == ("SELECT * FROM bulk",)
        assert "(subscription to SELECT * FROM bulk)" in str(caught.value)
        assert connection.is_active


async def test_a_table_that_the_bindings_lack(
    place: Place, chat_bindings: Any, all_types_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Rows that cannot be kept are no reason to end the connection."""
    target = Target(place, chat_bindings, all_types_database)
    async with target.connect(check_schema=False) as connection:
        await connection.subscribe("SELECT * FROM presence")
        assert connection.is_active
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert "presence" in warning
    assert place.remedy in warning


async def test_sql_that_the_server_refuses(all_types: Target) -> None:
    async with all_types.connect() as connection:
        errors: list[tuple[Any, SubscriptionError]] = []
        builder = connection.subscription_builder()
        builder.on_error(lambda context, error: errors.append((context.event, error)))
        handle = builder.subscribe("SELEKT * FROM bulk")
        with pytest.raises(SubscriptionError, match="SELEKT"):
            await handle.applied()
        ((event, error),) = errors
        assert event.error is error
        assert (handle.is_active, handle.is_ended) == (False, True)
        with pytest.raises(SubscriptionError, match="no_such_column"):
            await connection.subscribe("SELECT * FROM bulk WHERE no_such_column = 1")
        with pytest.raises(SubscriptionError, match="secret"):
            await connection.subscribe("SELECT * FROM secret")
        await works(connection)


async def test_a_bad_query_among_good_ones_subscribes_nothing(all_types: Target) -> None:
    async with all_types.connect() as connection:
        await connection.reducers.bulk_insert(0, 3, 0)
        with pytest.raises(SubscriptionError, match="nonsense"):
            await connection.subscribe("SELECT * FROM bulk", "SELECT * FROM nonsense")
        assert len(connection.db.bulk) == 0
        await works(connection)


async def test_the_reducers_own_error(all_types: Target) -> None:
    async with all_types.connect() as connection:
        with pytest.raises(SenderError) as caught:
            await connection.reducers.fail("not today: é 漢")
        assert caught.value.message == "not today: é 漢"
        assert str(caught.value) == "reducer `fail` refused: not today: é 漢"
        with pytest.raises(SenderError, match="no item 5"):
            await connection.reducers.set_item(5, 1, None)
        await works(connection)


async def test_a_failed_call_leaves_nothing_behind(all_types: Target) -> None:
    async with all_types.connect() as connection:
        seen: list[object] = []
        connection.db.diary.on_insert(lambda context, row: seen.append(row))
        await connection.subscribe("SELECT * FROM diary")
        with pytest.raises(SenderError, match="rolled back"):
            await connection.reducers.insert_then_fail("gone")
        assert (len(connection.db.diary), seen) == (0, [])


async def test_a_panic_of_the_reducer(all_types: Target) -> None:
    async with all_types.connect() as connection:
        with pytest.raises(InternalError, match="fatal error") as caught:
            await connection.reducers.boom("bang")
        assert caught.value.reducer == "boom"
        assert not isinstance(caught.value, SenderError)
        await works(connection)


async def test_failures_find_the_calls_they_belong_to(all_types: Target) -> None:
    """The server does not number the failed ones."""
    async with all_types.connect() as connection:
        reducers = connection.reducers
        calls = []
        for number in range(30):
            calls.append(reducers.noop())
            calls.append(reducers.fail(f"failure {number}"))
            calls.append(reducers.boom(f"boom {number}"))
        for number in range(30):
            await calls[3 * number]
            with pytest.raises(SenderError, match=f"failure {number}$"):
                await calls[3 * number + 1]
            with pytest.raises(InternalError, match="fatal error"):
                await calls[3 * number + 2]


# ---------------------------------------------------------------- connecting


async def test_an_unknown_database(server: Api, chat_bindings: Any) -> None:
    with pytest.raises(HandshakeRejected) as caught:
        async with chat_bindings.DbConnection(uri=server.url, database="no-such-database"):
            pass
    assert caught.value.status == 404
    assert not isinstance(caught.value, AuthenticationError)
    assert f"there is no database `no-such-database` on {server.url}" in str(caught.value)
    assert "`spacetime publish no-such-database`" in str(caught.value)


async def test_a_bad_token(chat: Target) -> None:
    with pytest.raises(AuthenticationError, match="leave it out to become a new ident") as caught:
        async with chat.connect(token="nonsense"):
            pass
    assert caught.value.status == 401


async def test_the_token_of_another_server(chat: Target) -> None:
    async with chat.connect() as connection:
        head, body, signature = connection.token.split(".")
    forged = f"{head}.{body}.{signature[::-1]}"
    with pytest.raises(AuthenticationError, match="the token is not valid for this server"):
        async with chat.connect(token=forged):
            pass


async def test_no_server(chat_bindings: Any) -> None:
    told: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"http://127.0.0.1:{listener.getsockname()[1]}"
    connection = chat_bindings.DbConnection(
        uri=uri,
        database="chat",
        on_connect_error=lambda connection, error: told.append(error),
    )
    with pytest.raises(ConnectError, match="is the server running") as caught:
        async with connection:
            pass
    assert f"cannot connect to {uri}" in str(caught.value)
    assert "`spacetime start`" in str(caught.value)
    assert told == [caught.value]
    assert isinstance(caught.value.__cause__, OSError)


async def test_a_client_that_the_module_refuses(all_types: Target, server: Api) -> None:
    name = all_types.database.name
    async with all_types.connect() as connection:
        await connection.reducers.set_gate(True)
        with pytest.raises(ConnectError, match="client_connected reducer") as caught:
            async with all_types.connect():
                pass
        assert f"`spacetime logs {name}`" in str(caught.value)
        await connection.reducers.set_gate(False)
        async with all_types.connect() as later:
            assert later.is_active


# ---------------------------------------------------------------- the end of a connection


async def test_the_server_goes_away_in_mid_call(
    place: Place, all_types_bindings: Any, all_types_wasm: bytes
) -> None:
    told: list[object] = []
    with place.new_server() as server:
        database = await anyio.to_thread.run_sync(server.publish, "short-lived", all_types_wasm)
        target = Target(place, all_types_bindings, database)
        connection = target.connect(
            reconnect=False, on_disconnect=lambda connection, error: told.append(error)
        )
        async with connection:
            await connection.subscribe("SELECT * FROM diary")
            await connection.reducers.add_diary("kept", 1)
            slow = [connection.reducers.bulk_insert(n * SLOW, SLOW, 0) for n in range(50)]
            pending = connection.subscription_builder().subscribe("SELECT * FROM bulk")
            await anyio.sleep(0.1)
            await anyio.to_thread.run_sync(server.stop)
            with pytest.raises(ConnectionLost) as caught:
                await slow[-1]
            assert caught.value.maybe_executed
            assert "the connection was lost" in str(caught.value)
            assert str(caught.value).endswith("the call may have been executed")
            with pytest.raises(ConnectionLost):
                await pending.applied()
            with pytest.raises(ConnectionLost) as ended:
                await connection.wait_closed()
            assert not ended.value.maybe_executed
            assert not ended.value.by_us
            assert not connection.is_active
            with pytest.raises(ConnectionLost):
                connection.reducers.noop()
            with pytest.raises(ConnectionLost):
                await connection.subscribe("SELECT * FROM bulk")
            assert len(connection.db.diary) == 1, "the rows stay readable"
        assert [type(error) for error in told] == [ConnectionLost]
        with pytest.raises(ConnectError, match="is the server running"):
            async with target.connect():
                pass


async def test_the_database_is_deleted(
    place: Place, all_types_bindings: Any, all_types_wasm: bytes, server: Api
) -> None:
    database = server.publish("to-be-deleted", all_types_wasm)
    async with Target(place, all_types_bindings, database).connect(reconnect=False) as connection:
        await connection.subscribe("SELECT * FROM diary")
        await anyio.to_thread.run_sync(server.delete, database.name)
        with pytest.raises(ConnectionClosed) as caught:
            await connection.wait_closed()
        assert not caught.value.by_us
        assert (type(caught.value), caught.value.code) == (ConnectionClosed, 1001)


async def test_calls_in_flight_when_this_side_closes(all_types: Target) -> None:
    network = Withheld()
    async with all_types.connect(transport=network) as connection:
        network.is_withholding = True
        call = connection.reducers.noop()
    with pytest.raises(ConnectionClosed, match="the call may have been executed") as caught:
        await call
    assert caught.value.by_us
    await connection.wait_closed()
    with pytest.raises(ConnectionClosed, match="this side closed"):
        connection.reducers.noop()


# ---------------------------------------------------------------- bindings older than the database


@pytest.mark.parametrize("check_schema", [True, False])
async def test_rows_that_do_not_decode(
    place: Place, outdated_bindings: Any, all_types_database: Database, check_schema: bool
) -> None:
    target = Target(place, outdated_bindings, all_types_database)
    async with target.connect(check_schema=check_schema) as connection:
        await connection.reducers.add_item(1, "one", 0, 0, None)
        await connection.subscribe("SELECT * FROM item")
        assert connection.db.item.code.find("one") is not None, "other tables are as they were"
        all_types_api = Api(all_types_database.url)
        all_types_api.call(all_types_database.name, "add_diary", ["a", 1])
        with pytest.raises(SchemaMismatchError, match=re.compile(f"diary.*{place.remedy}", re.S)):
            await connection.subscribe("SELECT * FROM diary")
        with pytest.raises(SchemaMismatchError, match=place.remedy):
            await connection.wait_closed()
        assert not connection.is_active


async def test_arguments_that_the_reducer_no_longer_takes(
    place: Place, outdated_bindings: Any, all_types_database: Database
) -> None:
    target = Target(place, outdated_bindings, all_types_database)
    async with target.connect(check_schema=False) as connection:
        with pytest.raises(InternalError, match="add_diary"):
            await connection.reducers.add_diary("one argument too few")
        assert connection.is_active
        await connection.reducers.noop()


async def test_what_does_not_fit_is_told_once_and_refused_when_it_is_used(
    place: Place,
    outdated_bindings: Any,
    all_types_database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    target = Target(place, outdated_bindings, all_types_database)
    with caplog.at_level(logging.WARNING, "spacetime_py"):
        async with target.connect() as connection:
            with pytest.raises(SchemaMismatchError, match="`add_diary`: the database has"):
                await connection.reducers.add_diary("one argument too few")
            assert connection.is_active
            await connection.reducers.noop()
    (told,) = [record.getMessage() for record in caplog.records if "fit" in record.getMessage()]
    assert "table `diary`: column `extra` is not in the database; reducer `add_diary`: " in told
    assert told.endswith("run `spacetime-py generate` again")


async def test_bindings_of_another_module(
    place: Place, chat_bindings: Any, all_types_database: Database
) -> None:
    name = all_types_database.name
    with pytest.raises(SchemaMismatchError, match=f"`{name}`.* runs another module"):
        async with Target(place, chat_bindings, all_types_database).connect():
            pass


# ---------------------------------------------------------------- giving up


async def test_a_call_with_a_timeout(all_types: Target) -> None:
    async with all_types.connect() as connection:
        await connection.subscribe("SELECT * FROM bulk")
        call = connection.reducers.bulk_insert(0, SLOW, 0, timeout=0.001)
        with pytest.raises(CallTimeout, match=r"`bulk_insert` was not answered within 0\.001 s"):
            await call
        await works(connection)
        assert len(connection.db.bulk) == SLOW, "the server went on"
        await call


async def test_the_timeout_of_all_calls(all_types: Target) -> None:
    async with all_types.connect(call_timeout=0.001) as connection:
        with pytest.raises(CallTimeout):
            await connection.reducers.bulk_insert(0, SLOW, 0)
        await connection.reducers.noop(timeout=30)


async def test_a_subscription_with_a_timeout(all_types: Target) -> None:
    async with all_types.connect() as connection:
        await connection.reducers.bulk_insert(0, SLOW, 0)
        with pytest.raises(CallTimeout, match="SELECT"):
            await connection.subscribe("SELECT * FROM bulk", timeout=0.001)
        await until(lambda: len(connection.db.bulk) == SLOW)


async def test_a_cancelled_await(all_types: Target) -> None:
    async with all_types.connect() as connection:
        await connection.subscribe("SELECT * FROM bulk")
        with anyio.move_on_after(0.001) as scope:
            await connection.reducers.bulk_insert(0, SLOW, 0)
        assert scope.cancelled_caught
        await works(connection)
        assert len(connection.db.bulk) == SLOW


async def test_a_cancelled_block_leaves_at_once(all_types: Target) -> None:
    with anyio.move_on_after(0.3) as scope:
        async with all_types.connect() as connection:
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert not connection.is_active
    async with all_types.connect() as other:
        await other.subscribe("SELECT * FROM presence")
        await until(lambda: len(other.db.presence) == 1)
