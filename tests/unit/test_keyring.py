"""Tokens in the system's keyring, by a backend in memory: no desktop runs where tests do."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest

from spacetime_py import Credentials, CredentialsError, KeyringStore, MissingExtra

URI = "http://127.0.0.1:3000"


class InMemory(keyring.backend.KeyringBackend):
    """A keyring by the rules of the package's own interface."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def backend() -> Iterator[InMemory]:
    before, backend = keyring.get_keyring(), InMemory()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_tokens_are_kept_by_server(backend: InMemory) -> None:
    store = KeyringStore()
    assert store.get(URI) is None
    store.set(URI, Credentials("c200", "one"))
    store.set("wss://other", Credentials(None, "two"))
    assert store.get("ws://127.0.0.1:3000/") == Credentials("c200", "one")
    assert store.get("https://other:443") == Credentials(None, "two")
    assert {service for service, _ in backend.kept} == {"spacetime-py"}
    assert KeyringStore("another").get(URI) is None
    assert (store.remove(URI), store.remove(URI)) == (True, False)
    assert store.get(URI) is None
    assert "one" not in repr(store)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("text", ["", "[]", "{}", '{"token"'])
def test_what_is_no_token(text: str) -> None:
    keyring.set_password("spacetime-py", URI, text)
    with pytest.raises(CredentialsError, match=f"for {URI} is no token: remove it there"):
        KeyringStore().get(URI)


@pytest.mark.usefixtures("backend")
def test_no_keyring() -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]
    with pytest.raises(CredentialsError, match="the keyring gives no access: No recommended"):
        KeyringStore().get(URI)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name == "keyring":
            raise ModuleNotFoundError(name=name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"pip install 'spacetime-py\[keyring\]'"):
        KeyringStore()
