"""Where the HTTP clients send their requests."""

from __future__ import annotations

import pytest

from spacetime_py.http import HttpClient


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("localhost:3000", "http://localhost:3000"),
        ("ws://localhost:3000/", "http://localhost:3000"),
        ("WSS://host", "https://host"),
        ("https://host/behind/a/proxy/", "https://host/behind/a/proxy"),
    ],
)
def test_addresses_of_connections_are_those_of_http_too(uri: str, expected: str) -> None:
    with HttpClient(uri) as client:
        assert client.uri == expected


@pytest.mark.parametrize("uri", ["htp://localhost:3000", "ftp://localhost", "http://", ""])
def test_what_is_no_address_is_told_what_one_is(uri: str) -> None:
    with pytest.raises(ValueError, match=r"is none of http://HOST\[:PORT\]"):
        HttpClient(uri)
