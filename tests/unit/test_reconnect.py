"""When the policy `Reconnect` says to try again."""

from __future__ import annotations

from typing import Any, cast

import pytest

from spacetime_py import ConnectionLost, Reconnect, ReconnectAttempt
from spacetime_py.reconnect import policy_of


def attempt(number: int = 1, elapsed: float = 0.0) -> ReconnectAttempt:
    return ReconnectAttempt(number, ConnectionLost(None, ""), elapsed)


def test_the_wait_doubles_up_to_the_cap() -> None:
    policy = Reconnect(base=1.0, cap=5.0, jitter=0.0)
    assert [policy(attempt(number)) for number in (1, 2, 3, 4, 10_000)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_jitter_shortens_at_random() -> None:
    policy = Reconnect(base=8.0, jitter=0.25)
    waits = [policy(attempt()) for _ in range(100)]
    assert all(wait is not None and 6.0 <= wait <= 8.0 for wait in waits)
    assert len(set(waits)) > 1


def test_attempts_and_time_are_bounded() -> None:
    assert Reconnect(max_attempts=3)(attempt(3)) is not None
    assert Reconnect(max_attempts=3)(attempt(4)) is None
    assert Reconnect(give_up_after=60.0)(attempt(elapsed=59.0)) is not None
    assert Reconnect(give_up_after=60.0)(attempt(elapsed=60.0)) is None


@pytest.mark.parametrize("bad", [{"base": -1.0}, {"base": 5.0, "cap": 1.0}, {"jitter": 1.5}])
def test_values_out_of_range(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"hold|jitter"):
        Reconnect(**bad)


def test_what_the_option_takes() -> None:
    assert policy_of(True) == Reconnect()
    assert policy_of(False) is None
    own = Reconnect(first=True)
    assert policy_of(own) is own
    with pytest.raises(TypeError, match="not int"):
        policy_of(cast(bool, 5))
