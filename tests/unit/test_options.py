"""Options that are checked where they are given, not where they are first used."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from examples.chat.module_bindings import DbConnection

SECONDS = ["connect_timeout", "call_timeout", "ping_interval", "ping_timeout", "token_refresh"]


def connect(**options: Any) -> DbConnection:
    return DbConnection(uri="http://localhost", database="chat", **options)


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", ["5", b"5", True, [], Decimal(5)])
def test_seconds_that_are_no_number(name: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"^{name} is a number of seconds or None, not "):
        connect(**{name: value})


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [-1, -0.5, math.nan])
def test_seconds_out_of_range(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{name} is 0 seconds or more, or None, not "):
        connect(**{name: value})


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [None, 0, 5, 0.5, math.inf, np.float32(2), np.int64(3)])
def test_seconds(name: str, value: Any) -> None:
    connect(**{name: value})
