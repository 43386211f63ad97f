"""Single rows: made, read and decoded. Each benchmark does so a thousand times."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_codspeed import BenchmarkFixture

from spacetime_py import from_bsatn

from .rows import KINDS, values

COUNT = 1000
kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_make(benchmark: BenchmarkFixture, bindings: Any, kind: str) -> None:
    """Keyword arguments to an immutable row, which is encoded there and then."""
    cls, arguments = values(bindings, kind)

    def make() -> None:
        for _ in range(COUNT):
            cls(**arguments)

    benchmark(make)


@kinds
def test_read_every_field(benchmark: BenchmarkFixture, bindings: Any, kind: str) -> None:
    """Fields are decoded on access."""
    cls, arguments = values(bindings, kind)
    row = cls(**arguments)
    names = list(arguments)

    def read() -> None:
        for _ in range(COUNT):
            for name in names:
                getattr(row, name)

    benchmark(read)


@kinds
def test_from_bsatn(benchmark: BenchmarkFixture, bindings: Any, kind: str) -> None:
    """Bytes to a row: they are checked whole, since no field may fail later."""
    cls, arguments = values(bindings, kind)
    data = bytes(cls(**arguments))

    def decode() -> None:
        for _ in range(COUNT):
            from_bsatn(cls, data)

    benchmark(decode)


@kinds
def test_compare_and_hash(benchmark: BenchmarkFixture, bindings: Any, kind: str) -> None:
    """As in sets and dicts of rows."""
    cls, arguments = values(bindings, kind)
    row, same = cls(**arguments), cls(**arguments)

    def compare() -> None:
        for _ in range(COUNT):
            assert row == same
            hash(row)

    benchmark(compare)
