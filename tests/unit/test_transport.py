"""Addresses."""

from __future__ import annotations

import pytest

from spacetime_py.transport import Endpoint, parse_uri


@pytest.mark.parametrize(
    ("uri", "endpoint", "authority"),
    [
        ("http://localhost:3000", Endpoint("localhost", 3000, False), "localhost:3000"),
        ("ws://localhost:3000/", Endpoint("localhost", 3000, False), "localhost:3000"),
        ("HTTP://Example.com", Endpoint("example.com", 80, False), "example.com:80"),
        ("https://example.com", Endpoint("example.com", 443, True), "example.com:443"),
        ("wss://example.com:8443", Endpoint("example.com", 8443, True), "example.com:8443"),
        ("127.0.0.1:3000", Endpoint("127.0.0.1", 3000, False), "127.0.0.1:3000"),
        ("http://[::1]:3000", Endpoint("::1", 3000, False), "[::1]:3000"),
    ],
)
def test_good_uris(uri: str, endpoint: Endpoint, authority: str) -> None:
    assert parse_uri(uri) == endpoint
    assert parse_uri(uri).authority == authority


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "localhost",
        "ftp://localhost",
        "htp://localhost:3000",
        "http://",
        "http://:3000",
        "http://localhost:port",
        "http://localhost:99999",
        "http://localhost:0",
        "http://localhost/path",
        "http://localhost?query",
        "http://user@localhost",
        "localhost:3000/chat",
    ],
)
def test_bad_uris_are_told_what_a_good_one_is(uri: str) -> None:
    with pytest.raises(ValueError, match=r"none of http://HOST\[:PORT\]"):
        parse_uri(uri)
