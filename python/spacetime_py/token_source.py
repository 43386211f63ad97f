"""Where a client has its token from: a string, a store, or a function.

Before this file: `tokens.py` for connections, `http/auth.py` for HTTP.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import anyio

from .credentials import Credentials
from .exceptions import SpacetimeDBError, TokenUnavailable


@runtime_checkable
class Storage(Protocol):
    """What keeps tokens by server, as `TokenStore` and `KeyringStore` do. May block."""

    def get(self, uri: str) -> Credentials | None:
        """What is kept for a server."""

    def set(self, uri: str, credentials: Credentials) -> None:
        """Keep it in the place of what was there."""


TokenFunction: TypeAlias = Callable[[], "str | Awaitable[str | None] | None"]
TokenSource: TypeAlias = "str | Storage | TokenFunction | None"


def checked_source(source: object) -> TokenSource:
    """Raises TypeError for what is no source of tokens, ValueError for a string that is none."""
    if source is None or isinstance(source, str):
        return checked_token(source)
    if isinstance(source, Storage) or callable(source):
        return cast(TokenSource, source)
    kind = type(source).__name__
    raise TypeError(f"token is a str, a TokenStore, a function that gives one, or None, not {kind}")


class BadToken(ValueError):
    """Something is no token. The message does not show it."""


def checked_token(value: object) -> str | None:
    """A token without the space around it. Raises BadToken."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadToken(f"a token is a str, not {type(value).__name__}")
    token = value.strip()
    if not token:
        raise BadToken("the token is empty; None is for a new identity")
    if not all("!" <= character <= "~" for character in token):
        raise BadToken(
            "the token has characters that no token has, spaces or beyond ASCII: "
            "give it as the server gave it"
        )
    return token


async def ask(source: TokenSource, uri: str) -> str | None:
    """The token that a source gives now.

    What may block runs in a thread: stores, and functions that are not async. Raises
    TokenUnavailable, with what the source raised as its cause.
    """
    try:
        if inspect.iscoroutinefunction(source):
            return checked_token(await source())
        found: Any = await _in_thread(partial(_call, source, uri))
        return checked_token(await found if inspect.isawaitable(found) else found)
    except Exception as error:
        raise _unavailable(source, error) from error


def ask_blocking(source: TokenSource, uri: str) -> str | None:
    """The same for a client that does not await."""
    try:
        found: Any = _call(source, uri)
        if inspect.isawaitable(found):
            if inspect.iscoroutine(found):
                found.close()
            raise BadToken("a client that does not await takes a plain function as `token`")
        return checked_token(found)
    except Exception as error:
        raise _unavailable(source, error) from error


async def keep(storage: Storage, uri: str, credentials: Credentials) -> None:
    """Write what a server has given. Raises as the store does: CredentialsError."""
    await _in_thread(partial(storage.set, uri, credentials))


def _call(source: TokenSource, uri: str) -> object:
    if isinstance(source, Storage):
        kept = source.get(uri)
        return None if kept is None else kept.token
    return source() if callable(source) else source


async def _in_thread(function: Callable[[], object]) -> object:
    """Whoever is cancelled does not wait for it."""
    # In a tuple, since trio takes nothing from a thread that could be awaited.
    (result,) = await anyio.to_thread.run_sync(lambda: (function(),), abandon_on_cancel=True)
    return result


def _unavailable(source: TokenSource, error: Exception) -> TokenUnavailable:
    """Without the words of other people's errors: they may hold what nobody should read."""
    what = "store" if isinstance(source, Storage) else "function"
    said = f": {error}" if isinstance(error, SpacetimeDBError | BadToken) else ""
    return TokenUnavailable(f"the {what} given as `token` gave none, {type(error).__name__}{said}")
