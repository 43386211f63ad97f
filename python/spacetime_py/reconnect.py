"""When a lost connection is made again. Before this file: `link.py`, which asks."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .exceptions import (
    AuthenticationError,
    ConnectError,
    ConnectionClosed,
    IdentityChanged,
    SpacetimeDBError,
)


@dataclass(frozen=True, slots=True)
class ReconnectAttempt:
    """What a policy decides on."""

    number: int
    """1 for the first attempt after a connection was lost; it starts anew with each success."""
    error: SpacetimeDBError
    """Why the last connection ended, or the last attempt failed."""
    elapsed: float
    """Seconds since the connection was lost."""


ReconnectPolicy = Callable[[ReconnectAttempt], float | None]
"""Gives the seconds to wait before an attempt; None to give up."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Back-off that doubles from `base` to `cap` seconds, shortened at random by `jitter`.

    The defaults are those of SpacetimeDB's own SDKs.

    Args:
        base: Seconds before the first attempt; 0 to try at once and again and again.
        cap: The most seconds between two attempts.
        jitter: The part of each wait that is random, from 0 (none) to 1, so that the clients of a
            server that was restarted do not all come at the same moment.
        max_attempts: Give up after so many failed attempts in a row; None for never.
        give_up_after: Give up so many seconds after the connection was lost; None for never.
        first: Retry a first connect that failed as well, instead of raising its error.

    Raises ValueError for values out of range.
    """

    base: float = 1.0
    cap: float = 30.0
    jitter: float = 0.5
    max_attempts: int | None = None
    give_up_after: float | None = None
    first: bool = False

    def __post_init__(self) -> None:
        if self.base < 0 or self.cap < self.base:
            raise ValueError(f"0 <= base <= cap does not hold: {self.base}, {self.cap}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter is between 0 and 1, not {self.jitter}")

    def __call__(self, attempt: ReconnectAttempt) -> float | None:
        """The seconds to wait before this attempt; None to give up."""
        if self.max_attempts is not None and attempt.number > self.max_attempts:
            return None
        if self.give_up_after is not None and attempt.elapsed >= self.give_up_after:
            return None
        # The exponent is bounded, since a float is.
        delay = min(self.cap, self.base * 2.0 ** min(attempt.number - 1, 60))
        return delay * (1 - self.jitter * random.random())


def policy_of(reconnect: bool | ReconnectPolicy) -> ReconnectPolicy | None:
    """The policy that the option `reconnect` means. Raises TypeError."""
    if reconnect is True:
        return Reconnect()
    if reconnect is False:
        return None
    if not callable(reconnect):
        raise TypeError(
            f"reconnect is True, False, a Reconnect or a function, not {type(reconnect).__name__}"
        )
    return reconnect


def is_temporary(error: SpacetimeDBError) -> bool:
    """Whether another attempt may end better. A wrong token, other bindings or a fault will not."""
    if isinstance(error, AuthenticationError | IdentityChanged):
        return False
    if isinstance(error, ConnectionClosed):
        return not error.by_us
    return isinstance(error, ConnectError)
