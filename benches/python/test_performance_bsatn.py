"""BSATN: values and rows, encoded, decoded and compared. Small ones a thousand times each."""

from __future__ import annotations

import pytest
from pytest_codspeed import BenchmarkFixture

from spacetime_py import from_bsatn, to_bsatn

from .kinds import BY_TYPE, CLASSES, KINDS, LARGE, SAMPLES, row

COUNT = 1000
by_type = pytest.mark.parametrize("name", BY_TYPE)
large = pytest.mark.parametrize("name", LARGE)
kinds = pytest.mark.parametrize("kind", KINDS)


@by_type
def test_encode_type(benchmark: BenchmarkFixture, name: str) -> None:
    """A row of one field, made of a Python value: that encodes it."""
    encode(benchmark, name, COUNT)


@by_type
def test_decode_type(benchmark: BenchmarkFixture, name: str) -> None:
    """Bytes to a row, and its field to a Python value."""
    decode(benchmark, name, COUNT)


@large
def test_encode_large(benchmark: BenchmarkFixture, name: str) -> None:
    """A large value: one of 64 KiB or 1 MiB, a hundred of 960 bytes."""
    encode(benchmark, name, times(name))


@large
def test_decode_large(benchmark: BenchmarkFixture, name: str) -> None:
    """A large value: one of 64 KiB or 1 MiB, a hundred of 960 bytes."""
    decode(benchmark, name, times(name))


def times(name: str) -> int:
    return 100 if name.endswith("_960B") else 1


def encode(benchmark: BenchmarkFixture, name: str, count: int) -> None:
    cls, value = CLASSES[name], SAMPLES[name].value
    assert cls(value).value == value

    def run() -> None:
        for _ in range(count):
            cls(value)

    benchmark(run)


def decode(benchmark: BenchmarkFixture, name: str, count: int) -> None:
    cls, value = CLASSES[name], SAMPLES[name].value
    data = to_bsatn(cls(value))
    assert from_bsatn(cls, data).value == value

    def run() -> None:
        for _ in range(count):
            _ = from_bsatn(cls, data).value

    benchmark(run)


@kinds
def test_make(benchmark: BenchmarkFixture, kind: str) -> None:
    """Keyword arguments to an immutable row, which is encoded there and then."""
    cls, arguments = row(kind)

    def make() -> None:
        for _ in range(COUNT):
            cls(**arguments)

    benchmark(make)


@kinds
def test_read_every_field(benchmark: BenchmarkFixture, kind: str) -> None:
    """Fields are decoded on access."""
    cls, arguments = row(kind)
    made = cls(**arguments)
    names = list(arguments)

    def read() -> None:
        for _ in range(COUNT):
            for name in names:
                getattr(made, name)

    benchmark(read)


@kinds
def test_from_bsatn(benchmark: BenchmarkFixture, kind: str) -> None:
    """Bytes to a row: they are checked whole, since no field may fail later."""
    cls, arguments = row(kind)
    data = to_bsatn(cls(**arguments))

    def decode() -> None:
        for _ in range(COUNT):
            from_bsatn(cls, data)

    benchmark(decode)


@kinds
def test_to_bsatn(benchmark: BenchmarkFixture, kind: str) -> None:
    """A row to bytes: it has them already, and copies."""
    cls, arguments = row(kind)
    made = cls(**arguments)

    def encode() -> None:
        for _ in range(COUNT):
            to_bsatn(made)

    benchmark(encode)


@kinds
def test_compare_and_hash(benchmark: BenchmarkFixture, kind: str) -> None:
    """As in sets and dicts of rows."""
    cls, arguments = row(kind)
    made, same = cls(**arguments), cls(**arguments)

    def compare() -> None:
        for _ in range(COUNT):
            assert made == same
            hash(made)

    benchmark(compare)
