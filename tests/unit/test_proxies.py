"""Which proxy is chosen, by the option and by the environment."""

from __future__ import annotations

import importlib.util
import os
import urllib.request

import pytest

from examples.chat.module_bindings import DbConnection
from spacetime_py import MissingExtra, proxies
from spacetime_py.http import AsyncHttpClient, HttpClient
from spacetime_py.proxies import Proxy, chosen_proxy


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the variables of a test, and no settings of the system."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(proxies, "getproxies", urllib.request.getproxies_environment)
    bypass = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
    monkeypatch.setattr(proxies, "proxy_bypass", bypass)


def test_addresses() -> None:
    assert chosen_proxy("http://proxy:3128/", "host", 80, False) == Proxy("http", "proxy", 3128)
    assert chosen_proxy("proxy:3128", "host", 80, False) == Proxy("http", "proxy", 3128)
    found = chosen_proxy("socks5h://us%40er:p%3Aw@[::1]", "host", 443, True)
    assert found == Proxy("socks5h", "::1", 1080, "us@er", "p:w")
    assert str(found) == "socks5h://[::1]:1080"
    assert "p:w" not in repr(found)
    assert chosen_proxy(False, "host", 443, True) is None


@pytest.mark.parametrize(
    "url",
    ["", "https://proxy", "socks4://proxy:1", "http://proxy/path", "http://proxy:0", "http://"],
)
def test_what_is_no_proxy(url: str) -> None:
    with pytest.raises(ValueError, match=r"`proxy` .* is none of http://, socks5:// or socks5h"):
        DbConnection(uri="https://host", database="chat", proxy=url)


def test_a_message_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("ftp://user:hunter2@proxy", "http://user:hunter2@proxy:port"):
        monkeypatch.setenv("HTTPS_PROXY", url)
        with pytest.raises(ValueError, match=r"HTTPS_PROXY .*\*\*\*@proxy") as caught:
            DbConnection(uri="https://host", database="chat")
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "host", "tls", "expected"),
    [
        ({}, "host", True, None),
        ({"HTTPS_PROXY": "http://a"}, "host", True, "http://a:80"),
        ({"https_proxy": "http://a"}, "host", True, "http://a:80"),
        ({"HTTPS_PROXY": "http://a"}, "host", False, None),
        ({"HTTP_PROXY": "a:3128"}, "host", False, "http://a:3128"),
        ({"HTTP_PROXY": "http://a"}, "host", True, None),
        ({"ALL_PROXY": "socks5://a"}, "host", True, "socks5://a:1080"),
        ({"ALL_PROXY": "socks5://a"}, "host", False, "socks5://a:1080"),
        ({"ALL_PROXY": "socks5://a", "HTTPS_PROXY": "http://b"}, "host", True, "http://b:80"),
        ({"HTTPS_PROXY": "http://b", "WSS_PROXY": "http://c"}, "host", True, "http://c:80"),
        ({"HTTPS_PROXY": ""}, "host", True, None),
        ({"ALL_PROXY": "http://a", "NO_PROXY": "*"}, "host", True, None),
        ({"ALL_PROXY": "http://a", "NO_PROXY": "other, host"}, "host", True, None),
        ({"ALL_PROXY": "http://a", "NO_PROXY": ".example"}, "db.example", True, None),
        ({"ALL_PROXY": "http://a", "NO_PROXY": "host:443"}, "host", True, None),
        ({"ALL_PROXY": "http://a", "NO_PROXY": "host:444"}, "host", True, "http://a:80"),
        ({"ALL_PROXY": "http://a", "NO_PROXY": "ost"}, "host", True, "http://a:80"),
        ({"ALL_PROXY": "http://a"}, "localhost", True, None),
        ({"ALL_PROXY": "http://a"}, "db.localhost.", True, None),
        ({"ALL_PROXY": "http://a"}, "127.8.9.1", True, None),
        ({"ALL_PROXY": "http://a"}, "::1", True, None),
        ({"ALL_PROXY": "http://a"}, "10.0.0.1", True, "http://a:80"),
    ],
)
def test_the_environment(
    variables: dict[str, str],
    host: str,
    tls: bool,
    expected: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = chosen_proxy(True, host, 443 if tls else 80, tls)
    assert (None if found is None else str(found)) == expected
    if expected is not None:
        # The option wins, in both directions.
        assert chosen_proxy(False, host, 443, tls) is None
        assert str(chosen_proxy("http://mine", host, 443, tls)) == "http://mine:80"


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"python_socks: pip install 'spacetime-py\[pr"):
        DbConnection(uri="https://host", database="chat", proxy="http://proxy")
    for client in (HttpClient, AsyncHttpClient):
        with pytest.raises(MissingExtra, match="socksio: pip install"):
            client("https://host", proxy="socks5://proxy")
        client("https://host", proxy="http://proxy")  # httpx can by itself
    monkeypatch.setenv("ALL_PROXY", "http://proxy")
    with pytest.raises(MissingExtra, match=r"ALL_PROXY names a proxy.*, or proxy=False"):
        DbConnection(uri="https://host", database="chat")


def test_the_packages_of_the_extra_are_there() -> None:
    """Else the tests of proxies would be those of their absence."""
    assert all(importlib.util.find_spec(name) for name in ("python_socks", "socksio"))
