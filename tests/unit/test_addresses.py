"""`from_url` and `from_env`: what they read; their complaints name the place and no secret."""

from __future__ import annotations

import inspect
import os
from typing import Any

import pytest

from examples.chat.module_bindings import DbConnection
from spacetime_py import bindings
from spacetime_py.addresses import from_environment, from_url
from spacetime_py.http import AsyncHttpClient, HttpClient
from spacetime_py.options import AddressedOptions

SECRET = "eyJhbGciOiJFUzI1NiJ9.e30.c2VjcmV0"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SPACETIMEDB_")]:
        monkeypatch.delenv(name)


def test_all_options_are_known() -> None:
    """The types of `from_url` and `from_env` are those of the constructor."""
    taken = inspect.signature(bindings.DbConnection).parameters
    declared = AddressedOptions.__annotations__
    assert set(declared) == set(taken)
    for name, parameter in taken.items():
        assert _text(declared[name]) == parameter.annotation, name


def _text(annotation: Any) -> str:
    return str(getattr(annotation, "__forward_arg__", annotation))


def test_a_url() -> None:
    assert from_url("https://host/chat") == {"uri": "https://host", "database": "chat"}
    options = from_url(
        f"wss://[::1]:3000/my%20chat/?token={SECRET}&compression=brotli&protocols=v2,v1"
        "&confirmed_reads=true&reconnect=false&connect_timeout=2.5&call_timeout=none"
        "&max_message_size=1000&ca_file=/etc/ca.pem&proxy=socks5://u:p%40@proxy:1080"
    )
    assert options == {
        "uri": "wss://[::1]:3000",
        "database": "my chat",
        "token": SECRET,
        "compression": "brotli",
        "protocols": ("v2", "v1"),
        "confirmed_reads": True,
        "reconnect": False,
        "connect_timeout": 2.5,
        "call_timeout": None,
        "max_message_size": 1000,
        "ca_file": "/etc/ca.pem",
        "proxy": "socks5://u:p@@proxy:1080",
    }


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("host/chat", "is none of https://HOST/DATABASE"),
        ("https:///chat", "is none of https://HOST/DATABASE"),
        ("ftp://host/chat", "is none of http://HOST"),
        ("https://[host/chat", "is no URL: look at its host"),
        (f"https://user:{SECRET}", r"'https://user:\*\*\*' is no URL: look at its host and port"),
        (f"https://user:{SECRET}/chat", r"'https://user:\*\*\*/chat' is no URL"),
        ("https://host", "does not name one database after the host"),
        ("https://host/", "does not name one database after the host"),
        ("https://host/v1/database/chat", "does not name one database after the host"),
        ("https://host/chat#messages", "has a fragment"),
        (f"https://{SECRET}@host/chat", "the token goes into `token`"),
        (f"https://user:{SECRET}@host/chat", "the token goes into `token`"),
        (f"https://host/chat?{SECRET}", "no such option; there are token, compression"),
        (f"https://host/chat?tokem={SECRET}", "no such option `tokem`; there are token"),
        (f"https://host/chat?token={SECRET}&token=x", "option `token` is there twice"),
        (f"https://host/chat?token={SECRET}%20", None),
        (f"https://host/chat?token={SECRET}%20x", "option `token` takes a token"),
        ("https://host/chat?token=", "option `token` takes a token"),
        ("https://host/chat?compression=zip", "option `compression` takes none, gzip or brotli"),
        ("https://host/chat?protocols=v9", "option `protocols` takes some of v3,v2,v1"),
        ("https://host/chat?reconnect=yes", "option `reconnect` takes true or false"),
        ("https://host/chat?ping_timeout=long", "option `ping_timeout` takes seconds or none"),
        ("https://host/chat?max_message_size=big", "option `max_message_size` takes bytes"),
    ],
)
def test_the_part_of_a_url_that_is_wrong(url: str, words: str | None) -> None:
    if words is None:
        assert from_url(url)["token"] == SECRET
        return
    with pytest.raises(ValueError, match=words) as caught:
        DbConnection.from_url(url)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_given_wins_over_the_url() -> None:
    connection = DbConnection.from_url("https://host/chat?call_timeout=5", call_timeout=7.0)
    assert connection._calls.timeout == 7.0
    assert connection._explain.uri == "https://host"


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACETIMEDB_URI", "https://host")
    monkeypatch.setenv("SPACETIMEDB_DATABASE", "chat")
    assert from_environment({}) == {"uri": "https://host", "database": "chat", "token": None}
    monkeypatch.setenv("SPACETIMEDB_TOKEN", f"{SECRET}\n")
    assert from_environment({})["token"] == SECRET
    given = {"uri": "http://localhost:3000", "token": None, "call_timeout": 5.0}
    assert from_environment(given) == {**given, "database": "chat"}
    assert DbConnection.from_env(uri="http://other")._explain.uri == "http://other"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "SPACETIMEDB_URI is not set, and no `uri` was given"),
        ({"URI": "https://host"}, "SPACETIMEDB_DATABASE is not set, and no `database` was given"),
        ({"URI": " ", "DATABASE": "chat"}, "SPACETIMEDB_URI is not set"),
        ({"URI": "https://host/chat", "DATABASE": "chat"}, "SPACETIMEDB_URI: uri 'https://host/c"),
        ({"URI": f"https://{SECRET}@host", "DATABASE": "chat"}, "SPACETIMEDB_URI: uri 'https://"),
        (
            {"URI": "https://host", "DATABASE": "chat", "TOKEN": f"Bearer {SECRET}"},
            "SPACETIMEDB_TOKEN: the token has characters",
        ),
    ],
)
def test_the_variable_that_is_missing_or_wrong(
    variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"SPACETIMEDB_{name}", value)
    with pytest.raises(ValueError, match=words) as caught:
        DbConnection.from_env()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("client", [HttpClient, AsyncHttpClient])
def test_the_environment_of_http_clients(
    client: type[HttpClient | AsyncHttpClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="SPACETIMEDB_URI is not set"):
        client.from_env()
    monkeypatch.setenv("SPACETIMEDB_URI", "wss://host/")
    monkeypatch.setenv("SPACETIMEDB_TOKEN", SECRET)
    made = client.from_env(timeout=3.0)
    assert made.uri == "https://host"
    assert SECRET not in repr(made)
    assert made._auth._token == SECRET
    assert client.from_env(uri="http://other", token="mine")._auth._token == "mine"
