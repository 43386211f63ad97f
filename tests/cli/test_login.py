"""Tokens: made, kept, used, forgotten, and shown only when asked for."""

from __future__ import annotations

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spacetime_py import CredentialsError
from spacetime_py.credentials import Credentials, TokenStore
from tests.server.api import Api

URI = "http://127.0.0.1:3000"


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "config" / "spacetime-py" / "credentials.json")


def test_tokens_are_kept_by_server(store: TokenStore) -> None:
    assert store.get(URI) is None
    store.set(URI, Credentials("c200", "one"))
    store.set("https://other", Credentials(None, "two"))
    assert store.get(URI + "/") == Credentials("c200", "one")
    assert store.get("https://OTHER") == Credentials(None, "two")
    assert store.get("wss://other:443") == Credentials(None, "two")
    assert store.get("127.0.0.1:3000") == Credentials("c200", "one")
    assert store.get("http://other") is None
    assert store.remove(URI)
    assert not store.remove(URI)
    assert store.get(URI) is None
    assert store.get("https://other") is not None


def test_nobody_else_reads_the_file(store: TokenStore) -> None:
    store.set(URI, Credentials(None, "secret"))
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [path.name for path in store.path.parent.iterdir()] == [store.path.name]
    assert "secret" not in repr(store.get(URI)) + repr(store)


def test_a_file_that_is_open_to_others_is_closed(
    store: TokenStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.set(URI, Credentials(None, "secret"))
    store.path.chmod(0o644)
    assert store.get(URI) == Credentials(None, "secret")
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    (record,) = caplog.records
    assert "credentials.json was open to others (644)" in record.getMessage()
    assert store.get(URI) is not None
    assert len(caplog.records) == 1


def test_a_write_that_fails_leaves_what_was_there(store: TokenStore) -> None:
    store.set(URI, Credentials(None, "secret"))
    with pytest.raises(TypeError):
        store.set("http://other", Credentials(None, object()))  # type: ignore[arg-type]
    assert store.get(URI) == Credentials(None, "secret")
    assert [path.name for path in store.path.parent.iterdir()] == [store.path.name]


def test_servers_of_several_threads_are_all_kept(store: TokenStore) -> None:
    def keep(number: int) -> None:
        TokenStore(store.path).set(f"http://host-{number}", Credentials(None, str(number)))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(keep, range(40)))
    kept = [store.get(f"http://host-{number}") for number in range(40)]
    assert kept == [Credentials(None, str(number)) for number in range(40)]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"servers": []}', '{"servers": {"a": {}}}'])
def test_a_file_that_is_none_of_tokens(store: TokenStore, text: str) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_text(text)
    with pytest.raises(CredentialsError, match="move it away and log in again"):
        store.get(URI)
    with pytest.raises(CredentialsError):
        store.set(URI, Credentials(None, "x"))
    assert store.path.read_text() == text


@pytest.mark.real_server
def test_login_makes_an_identity_that_stays(
    succeed: Callable[..., str], refused: Callable[..., str], server: Api, store: TokenStore
) -> None:
    uri = ("--uri", server.url)
    assert "nobody is logged in" in refused("login", "--show-token", *uri)
    first = succeed("login", *uri)
    kept = store.get(server.url)
    assert kept is not None
    assert first == f"logged in at {server.url} as {kept.identity}\n"
    assert succeed("login", *uri) == first, "the same again"
    assert succeed("login", "--show-token", *uri) == f"{kept.token}\n"
    assert succeed("logout", *uri) == f"logged out of {server.url}\n"
    assert store.get(server.url) is None


def test_login_with_a_token(succeed: Callable[..., str], store: TokenStore) -> None:
    # {"hex_identity": "c2"}
    token = "x.eyJoZXhfaWRlbnRpdHkiOiAiYzIifQ.x"
    assert succeed("login", "--token", token) == f"logged in at {URI} as c2\n"
    assert store.get(URI) == Credentials("c2", token)
    assert succeed("login", "--token", "opaque") == f"logged in at {URI}\n"


def test_where_nobody_answers(refused: Callable[..., str]) -> None:
    assert "cannot reach http://127.0.0.1:9" in refused("login", "--uri", "http://127.0.0.1:9")
