"""A token set while a connection lives: the sessions in between. Before this file: `link.py`."""

from __future__ import annotations

from .exceptions import (
    AuthenticationError,
    ConnectionLost,
    IdentityChanged,
    SpacetimeDBError,
    TokenUnavailable,
)
from .pending import Pending
from .tokens import Tokens, TokenState

_REFUSALS = (AuthenticationError, IdentityChanged, TokenUnavailable)


class Swap:
    """Lasts until the connection stands again, by the new token or by the one before.

    Args:
        before: What to go back to when the server does not take the new token.
        may_become_other: Whether the new token may be that of another identity.
    """

    def __init__(
        self, tokens: Tokens, before: TokenState, may_become_other: bool, done: Pending[None]
    ) -> None:
        self._tokens = tokens
        self._is_begun = False
        self._refusal: SpacetimeDBError | None = None
        self.before = before
        self.may_become_other = may_become_other
        self.done = done
        done._is_watched = True

    def skips_waiting(self, error: SpacetimeDBError) -> bool:
        """A session has ended: whether the next one is a step of the swap, to be made at once."""
        if not self._is_begun:
            self._is_begun = True
            return True
        if self._refusal is None and isinstance(error, _REFUSALS):
            self._refusal = error
            self._tokens.restore(self.before)
            return True
        return False

    def connected(self) -> None:
        """The connection stands, and the cache is up to date."""
        if self._refusal is None:
            self.done._resolve(None)
        else:
            self.done._fail(self._refusal)

    def replaced(self) -> None:
        """Another swap has begun before this one was done."""
        self.done._fail(ConnectionLost(None, "another token was set meanwhile"))
