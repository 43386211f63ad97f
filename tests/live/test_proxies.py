"""Through a proxy to a real server: HTTP CONNECT and SOCKS5, with and without user and password."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest

from spacetime_py import ConnectError
from spacetime_py.http import AsyncHttpClient, HttpClient
from tests.peer.forwarding import ForwardingProxy

from .target import Target, until

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]

USER = "us%40er:pass%3Aword@"
SCHEMES = ["http", "socks5", "socks5h"]


@pytest.fixture(scope="module")
def proxy() -> Iterator[ForwardingProxy]:
    with ForwardingProxy("us@er", "pass:word") as proxy:
        yield proxy


@pytest.fixture(scope="module")
def open_proxy() -> Iterator[ForwardingProxy]:
    with ForwardingProxy() as proxy:
        yield proxy


def told(proxy: ForwardingProxy, scheme: str, target: Target) -> bool:
    """Whether the proxy has had a connection to the server; comparing schemas makes another one."""
    host = target.database.url.removeprefix("http://")
    line = proxy.next_line()
    return line.startswith(scheme.removesuffix("h")) and line.endswith(f"-> {host}")


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_conversation(chat: Target, proxy: ForwardingProxy, scheme: str) -> None:
    async with chat.connect(check_schema=False, proxy=proxy.url(scheme, USER)) as connection:
        assert told(proxy, scheme, chat)
        await connection.subscribe("SELECT * FROM message")
        await connection.reducers.send_message("x" * 200_000)
        await until(lambda: [len(row.text) for row in connection.db.message] == [200_000])
        await connection.set_token(connection.token)
        assert told(proxy, scheme, chat)
        await connection.reducers.send_message("again")
        await until(lambda: len(connection.db.message) == 2)


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_proxy_that_asks_for_nothing(
    chat: Target, open_proxy: ForwardingProxy, scheme: str
) -> None:
    async with chat.connect(check_schema=False, proxy=open_proxy.url(scheme)) as connection:
        assert told(open_proxy, scheme, chat)
        await connection.reducers.send_message("hello")


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        ("http", r"refused \(407 .*\); user and password go into it, http://USER:PASSWORD@HOST"),
        ("socks5", r"(refused|broke off) \(Connection closed"),
    ],
)
async def test_who_is_not_let_in(chat: Target, scheme: str, words: str) -> None:
    with ForwardingProxy("user", "secret-word") as proxy:
        with pytest.raises(ConnectError, match=words) as caught:
            async with chat.connect(
                check_schema=False, proxy=proxy.url(scheme, "user:other-word@")
            ):
                pass
        where = f"the proxy {proxy.url(scheme)}, named by `proxy`, "
    assert f"cannot connect to {chat.database.url}: {where}" in str(caught.value)
    assert "word@" not in str(caught.value)
    assert "other-word" not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_http_clients(chat: Target, proxy: ForwardingProxy, scheme: str) -> None:
    url, query = chat.database.url, "SELECT * FROM message"
    way = proxy.url(scheme, USER)

    def blocking() -> None:
        with HttpClient(url, proxy=way) as http:
            assert http.sql(chat.database.name, query).rows == []
            assert told(proxy, scheme, chat)

    await anyio.to_thread.run_sync(blocking)
    async with AsyncHttpClient(url, proxy=way) as http:
        assert (await http.sql(chat.database.name, query)).rows == []
        assert told(proxy, scheme, chat)
