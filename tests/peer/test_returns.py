"""What reducers return: values and errors of the module's own types, which newer servers may send.

No server up to 2.8 takes a module with such reducers; the wire has a place for them, and the peer
fills it.
"""

from __future__ import annotations

import pickle
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Literal
from uuid import uuid4

import anyio
import pytest
from typing_extensions import assert_type

from spacetime_py import ProtocolError, ReducerCall, SenderError, sync
from tests.codegen.golden.returns import DbConnection, Mark, Point, RefusalClosed, RefusalFull
from tests.codegen.packages import HERE, generated, load, load_package, write

from .process import Peer

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]
PATIENCE = 30.0
Protocol = Literal["v3", "v2", "v1"]
newer = pytest.mark.parametrize("protocol", ["v3", "v2"])


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer(options=["--schema", str(HERE / "schemas" / "returns.json")]) as peer:
        yield peer


def made(peer: Peer, protocol: Protocol) -> DbConnection:
    database = peer.publish(f"returns-{uuid4().hex}", native="generic")
    return DbConnection(uri=peer.url, database=database.name, protocols=(protocol,))


@asynccontextmanager
async def connected(peer: Peer, protocol: Protocol) -> AsyncIterator[DbConnection]:
    with anyio.fail_after(PATIENCE):
        async with made(peer, protocol) as connection:
            yield connection


@newer
async def test_values(peer: Peer, protocol: Protocol) -> None:
    async with connected(peer, protocol) as connection:
        number = connection.reducers.give_number(-(2**63))
        assert_type(await number, int)
        assert number.result() == -(2**63)
        assert await connection.reducers.give_point(1, -2) == Point(1, -2)
        assert await connection.reducers.give_option("text") == "text"
        assert await connection.reducers.give_option(None) is None


@newer
async def test_a_reducer_without_a_value(peer: Peer, protocol: Protocol) -> None:
    async with connected(peer, protocol) as connection:
        await connection.subscribe("SELECT * FROM mark")
        call = connection.reducers.insert_mark(1)
        assert_type(call, ReducerCall[None])
        await call
        assert list(connection.db.mark) == [Mark(1)]


@newer
async def test_errors(peer: Peer, protocol: Protocol) -> None:
    async with connected(peer, protocol) as connection:
        for why in (RefusalFull(3), RefusalClosed()):
            with pytest.raises(SenderError) as caught:
                await connection.reducers.refuse(why)
            assert caught.value.value == why
            assert caught.value.message == str(why)
            again = pickle.loads(pickle.dumps(caught.value))
            assert (again.reducer, again.value, str(again)) == ("refuse", why, str(caught.value))
        with pytest.raises(SenderError, match="no more") as text:
            await connection.reducers.fail("no more")
        assert text.value.value is None


async def test_version_1_has_no_values(peer: Peer) -> None:
    async with connected(peer, "v1") as connection:
        assert await connection.reducers.give_number(7) is None
        with pytest.raises(SenderError) as caught:
            await connection.reducers.refuse(RefusalClosed())
        assert caught.value.value is None


@newer
async def test_bindings_that_say_otherwise(
    peer: Peer, protocol: Protocol, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A value of another type is the error of its await; the connection lives on."""
    schema = load("returns")
    (reducers,) = [part["Reducers"] for part in schema["sections"] if "Reducers" in part]
    for reducer in reducers:
        if reducer["source_name"] == "give_number":
            reducer["ok_return_type"] = {"String": []}
        elif reducer["source_name"] == "refuse":
            reducer["err_return_type"] = {"I64": []}
        elif reducer["source_name"] == "give_point":
            reducer["ok_return_type"] = {"Product": {"elements": []}}
    folder = tmp_path_factory.mktemp("bindings") / f"returns_{protocol}"
    write(folder, generated(schema))
    package = load_package(folder)
    database = peer.publish(f"returns-{uuid4().hex}", native="generic")
    connection = package.DbConnection(uri=peer.url, database=database.name, protocols=(protocol,))
    with anyio.fail_after(PATIENCE):
        async with connection:
            with pytest.raises(ProtocolError, match="give_number"):
                await connection.reducers.give_number(7)
            with pytest.raises(SenderError) as caught:
                await connection.reducers.refuse(package.RefusalClosed())
            assert caught.value.value is None
            # Bindings from a description of version 9 know of no values.
            assert await connection.reducers.give_point(1, 2) is None


@newer
def test_without_await(peer: Peer, protocol: Protocol) -> None:
    with sync.connect(made(peer, protocol)) as connection:
        assert connection.reducers.give_number(7).result() == 7
        assert connection.wait(connection.send.give_point(1, 2)) == Point(1, 2)
        with pytest.raises(SenderError) as caught:
            connection.reducers.refuse(RefusalFull(1))
        assert caught.value.value == RefusalFull(1)
