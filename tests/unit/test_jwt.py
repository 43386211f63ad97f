"""What is read from tokens, and what is not."""

from __future__ import annotations

import base64

import pytest

from spacetime_py.jwt import claims, expires_at, identity_in
from spacetime_py.redaction import Secrets, shown_url
from spacetime_py.tokens import Tokens


def token(claims: str) -> str:
    return f"e30.{base64.urlsafe_b64encode(claims.encode()).decode().rstrip('=')}.c2ln"


def test_claims() -> None:
    made = token('{"exp": 12.5, "hex_identity": "c200", "sub": "ümläut"}')
    assert claims(made)["sub"] == "ümläut"
    assert (expires_at(made), identity_in(made)) == (12.5, "c200")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "a.b.c",
        "a.ä.c",
        token("[1]"),
        token("{"),
        token("{}"),
        token("[" * 100_000),
        token('{"exp": null, "hex_identity": 5}'),
        token('{"exp": "soon"}'),
        token('{"exp": 1' + "0" * 400 + "}"),
    ],
    ids=lambda text: text[:20],
)
def test_tokens_that_say_nothing(text: str) -> None:
    assert (expires_at(text), identity_in(text)) == (None, None)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://host:3000/chat", "https://host:3000/chat"),
        ("https://[::1]:3000/chat", "https://[::1]:3000/chat"),
        ("https://host/chat?token=x&a=b", "https://host/chat?***"),
        ("https://user:pass@host:3000/chat", "https://***@host:3000/chat"),
        ("token@host", "***@host"),
        ("https://user:pass/chat", "https://user:***/chat"),
        ("https://user:pass", "https://user:***"),
        ("https://host:", "https://host:"),
    ],
)
def test_addresses_without_secrets(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_words_are_no_tokens() -> None:
    secrets = Secrets()
    for known in (None, "the", "a-longer-token", "a-longer-token-yet"):
        secrets.add(known)
    assert secrets.hide("the a-longer-token-yet, a-longer-token") == "the [token], [token]"


def test_a_state_shows_no_token() -> None:
    tokens = Tokens("a-longer-token", "http://host", None)
    assert "a-longer-token" not in repr((tokens, tokens.replace(None)))
