"""Who a connection says it is, from one session to the next. Before this file: `link.py`."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import anyio

from ._core import Connected
from .credentials import Credentials
from .exceptions import TokenUnavailable
from .jwt import expires_at
from .logs import connection_log
from .redaction import Secrets
from .token_source import Storage, TokenSource, ask, checked_source, keep

_LONGEST_SLEEP = 60.0
"""Seconds. Longer sleeps would not notice that the machine itself slept."""
_MOST_PATIENCE = 60.0
"""Seconds between two attempts to have a newer token."""

now = time.time


class TokenState(NamedTuple):
    """A source and what it gave, to go back to."""

    source: TokenSource
    current: str | None

    @property
    def storage(self) -> Storage | None:
        """The source, if it is one."""
        # Asked last, since it takes as long as all else here together.
        if self.source is None or isinstance(self.source, str):
            return None
        return self.source if isinstance(self.source, Storage) else None

    def __repr__(self) -> str:
        return "<who one is>"


class Tokens:
    """Asks the source at each attempt to connect, and again before the token expires.

    Args:
        source: The option `token`.
        uri: The server, for stores.
        margin: Seconds before the expiry; None for never.
    """

    def __init__(self, source: TokenSource, uri: str, margin: float | None) -> None:
        self._state = _state_of(source)
        self._uri = uri
        self._margin = margin
        self._due = math.inf
        self._patience = 1.0
        self._changed: anyio.Event | None = None
        self._kept: str | None = None
        self.secrets = Secrets()
        self._take(self._state.current)

    @property
    def current(self) -> str | None:
        """What proves who this client is, as far as that is known."""
        return self._state.current

    @property
    def is_refreshed(self) -> bool:
        """Whether `keep_fresh` has something to do."""
        state = self._state
        return self._margin is not None and callable(state.source) and state.storage is None

    def replace(self, source: TokenSource) -> TokenState:
        """Another source from the next attempt on; gives what `restore` takes."""
        before, self._state = self._state, _state_of(source)
        self._take(self._state.current)
        return before

    def restore(self, state: TokenState) -> None:
        """Back to a source of before."""
        self._state = state
        self._take(state.current)

    async def for_attempt(self) -> str | None:
        """The token for an attempt to connect; None to become a new identity.

        A source that gives None means: the one that there is. One that fails is done without as
        long as that one is good. Raises TokenUnavailable.
        """
        state = self._state
        if isinstance(state.source, str | None):
            return state.current
        try:
            found = await ask(state.source, self._uri)
        except TokenUnavailable as error:
            if state.current is None or _is_expired(state.current):
                raise
            connection_log.warning("%s; the one before is presented again", error)
            return state.current
        if state.storage is not None:
            self._kept = found
        if found is not None and state.source is self._state.source:
            self._take(found)
        return found or state.current

    def greeted(self, token: str) -> None:
        """The server has named the token that this client is known by."""
        if token != self._state.current:
            self._take(token)

    async def keep(self, greeting: Connected) -> None:
        """Into the store, if one is the source. Raises CredentialsError."""
        storage = self._state.storage
        if storage is not None and self._kept != greeting.token:
            await keep(storage, self._uri, Credentials(str(greeting.identity), greeting.token))
            self._kept = greeting.token

    async def keep_fresh(self) -> None:
        """Ask for a newer token whenever the current one is about to expire, until cancelled."""
        while True:
            self._changed = anyio.Event()
            left = self._due - now()
            with anyio.move_on_after(min(left, _LONGEST_SLEEP) if math.isfinite(left) else None):
                await self._changed.wait()
            if self._due <= now():
                await self._refresh()

    async def _refresh(self) -> None:
        """One attempt. The next one is due later and later until a newer token comes."""
        state = self._state
        self._due = now() + self._patience
        self._patience = min(self._patience * 2, _MOST_PATIENCE)
        try:
            found = await ask(state.source, self._uri)
        except TokenUnavailable as error:
            connection_log.warning("%s; the one before is kept", error)
            return
        if found and found != state.current and state.source is self._state.source:
            self._take(found)

    def _take(self, token: str | None) -> None:
        self.secrets.add(token)
        self._state = self._state._replace(current=token)
        self._due, self._patience = self._due_of(token), 1.0
        if self._changed is not None:
            self._changed.set()

    def _due_of(self, token: str | None) -> float:
        expiry = None if token is None or not self.is_refreshed else expires_at(token)
        if expiry is None or self._margin is None:
            return math.inf
        # One that lives shorter than the margin is used for half of its life.
        return expiry - min(self._margin, max(0.0, expiry - now()) / 2)


def _state_of(source: object) -> TokenState:
    checked = checked_source(source)
    return TokenState(checked, checked if isinstance(checked, str) else None)


def _is_expired(token: str) -> bool:
    expiry = expires_at(token)
    return expiry is not None and expiry <= now()
