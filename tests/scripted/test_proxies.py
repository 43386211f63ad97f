"""Proxies that do what no working one does on demand, and what is said of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import pytest

from examples.chat.module_bindings import DbConnection
from spacetime_py import ConnectError, ConnectTimeout
from spacetime_py.http import AsyncHttpClient, HttpClient

from .peer import PATIENCE

pytestmark = pytest.mark.anyio


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """A proxy that gives this answer to the first words and hangs up; None: is silent."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE)
    is_done = threading.Event()

    def serve() -> None:
        with listener.accept()[0] as client:
            client.settimeout(PATIENCE)
            client.recv(65536)
            if answer is None:
                is_done.wait(PATIENCE)
            else:
                client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        is_done.set()
        thread.join()


@pytest.mark.parametrize(
    ("scheme", "answer", "words"),
    [
        ("http", b"HTTP/1.1 403 Forbidden\r\n\r\n", r"refused \(403 Forbidden\)$"),
        ("http", b"HTTP/1.1 502 Bad Gateway\r\n\r\n", r"refused \(502 Bad Gateway\)$"),
        ("http", b"SSH-2.0-OpenSSH_9.2\r\n", r"refused \(Invalid status"),
        ("http", b"", "refused|broke off"),
        ("socks5", b"", "refused|broke off"),
        ("socks5", b"HTTP/1.1 400 Bad Request\r\n\r\n", "refused"),
        (
            "socks5",
            b"\5\xff",
            r"refused \(No acceptable authentication.*; user and password go into",
        ),
        ("socks5", b"\5\2\1\1", r"refused \(Username and password authentication.*; user and pass"),
        ("socks5h", b"\5\0", "refused|broke off"),
    ],
)
async def test_a_proxy_that_refuses(scheme: str, answer: bytes, words: str) -> None:
    with answering(answer) as address, anyio.fail_after(PATIENCE):
        proxy = f"{scheme}://user:hunter2@{address}"
        connection = DbConnection(
            uri="http://10.9.9.9:3000", database="chat", proxy=proxy, check_schema=False
        )
        with pytest.raises(ConnectError, match=words) as caught:
            async with connection:
                pass
    text = str(caught.value)
    named = f"the proxy {scheme}://{address}, named by `proxy`, "
    assert text.startswith(f"cannot connect to http://10.9.9.9:3000: {named}")
    assert "hunter2" not in text
    assert "spacetime start" not in text


async def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("ALL_PROXY", f"socks5://user:hunter2@127.0.0.1:{port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with anyio.fail_after(PATIENCE), pytest.raises(ConnectError, match="ALL_PROXY") as caught:
        async with DbConnection(uri="http://10.9.9.9:3000", database="chat"):
            pass
    text = str(caught.value)
    assert f"the proxy socks5://127.0.0.1:{port}, named by ALL_PROXY, does not answer" in text
    assert "hunter2" not in text
    way = f"through the proxy socks5://127.0.0.1:{port} .* named by ALL_PROXY"
    with HttpClient("http://10.9.9.9:3000") as http, pytest.raises(ConnectError, match=way):
        http.version()


async def test_a_silent_proxy_is_no_way_around_the_connect_timeout() -> None:
    with answering(None) as address, anyio.fail_after(PATIENCE):
        connection = DbConnection(
            uri="http://10.9.9.9:3000",
            database="chat",
            proxy=f"socks5://{address}",
            check_schema=False,
            connect_timeout=0.05,
        )
        with pytest.raises(ConnectTimeout):
            async with connection:
                pass


async def test_http_through_a_proxy_that_refuses() -> None:
    with answering(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n") as address:
        async with AsyncHttpClient("https://10.9.9.9", proxy=f"http://{address}") as http:
            with pytest.raises(ConnectError, match=f"through the proxy http://{address}.*407"):
                await http.version()
