"""What a connection is doing, as a value and as a stream of changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum

from .exceptions import SpacetimeDBError
from .pending import Pending


class ConnectionStatus(Enum):
    """The words for what a connection is doing."""

    CONNECTING = "connecting"
    """For the first time."""
    CONNECTED = "connected"
    """Calls reach the server, and the cache is up to date."""
    RECONNECTING = "reconnecting"
    """The connection was lost: the cache is as it was then, and attempts are made."""
    CLOSED = "closed"
    """For good."""


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """What a connection is doing."""

    status: ConnectionStatus
    attempt: int = 0
    """While reconnecting: the number of the attempt that is waited for or made, from 1."""
    retry_in: float = 0.0
    """While reconnecting: the seconds of waiting before that attempt."""
    error: SpacetimeDBError | None = None
    """What ended the connection before; None where nothing did, or the user."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A state, and where the one after it will appear."""

    state: ConnectionState
    next: Pending[_Change]


class States(AsyncIterator[ConnectionState]):
    """The state of now and every later one; ends after `CLOSED`. May be dropped at any time."""

    def __init__(self, first: _Change) -> None:
        self._upcoming: _Change | None = first
        self._last: _Change | None = None

    async def __anext__(self) -> ConnectionState:
        change, self._upcoming = self._upcoming, None
        if change is None:
            if self._last is None or self._last.state.status is ConnectionStatus.CLOSED:
                raise StopAsyncIteration
            change = await self._last.next._wait()
        self._last = change
        return change.state


class StateStream:
    """The current state, and all later ones for whoever listens. Nothing is kept for nobody."""

    def __init__(self) -> None:
        self._current = _Change(ConnectionState(ConnectionStatus.CONNECTING), self._pending())

    @property
    def current(self) -> ConnectionState:
        return self._current.state

    def _pending(self) -> Pending[_Change]:
        pending: Pending[_Change] = Pending("state", "change")
        pending._is_watched = True
        return pending

    def set(self, state: ConnectionState) -> None:
        before, self._current = self._current, _Change(state, self._pending())
        before.next._resolve(self._current)

    def listen(self) -> States:
        return States(self._current)
