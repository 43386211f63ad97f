"""Identity, ConnectionId, Timestamp and TimeDuration."""

from __future__ import annotations

import copy
import pickle
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from spacetime_py import ConnectionId, Identity, TimeDuration, Timestamp

UTC = timezone.utc
IDS = [(Identity, 32), (ConnectionId, 16)]
SPANS = [TimeDuration, Timestamp]
LIMITS = (-(2**63), 2**63 - 1)


@pytest.mark.parametrize(("cls", "size"), IDS)
def test_id_is_its_big_endian_bytes(cls: Any, size: int) -> None:
    data = bytes(range(1, size + 1))
    one = cls.from_bytes(data)
    assert one.hex == str(one) == data.hex()
    assert bytes(one) == data
    assert int(one) == int.from_bytes(data, "big")
    assert repr(one) == f"{cls.__name__}({data.hex()!r})".replace("'", '"')
    assert one == cls(data.hex()) == cls("0x" + data.hex()) == cls(data.hex().upper())
    assert hash(one) == hash(cls(data.hex()))


@pytest.mark.parametrize(("cls", "size"), IDS)
def test_id_order_is_that_of_its_digits(cls: Any, size: int) -> None:
    small = cls("00" * (size - 1) + "ff")
    big = cls("01" + "00" * (size - 1))
    assert small < big
    assert small <= big
    assert big > small
    assert big >= small
    assert small != big
    assert sorted([big, small]) == [small, big]
    with pytest.raises(TypeError):
        _ = small < int(big)


@pytest.mark.parametrize(("cls", "size"), IDS)
def test_ids_that_are_none(cls: Any, size: int) -> None:
    digits = "0" * 2 * size
    bad = ["", digits[1:], digits + "0", "g" + digits[1:], " " + digits[1:], "0X" + digits]
    for text in [*bad, "+" + digits[1:], "é" * size]:
        with pytest.raises(ValueError, match=f"{cls.__name__} takes {2 * size} hex digits, not "):
            cls(text)
    for count in (0, size - 1, size + 1):
        with pytest.raises(ValueError, match=f"takes {size} bytes, not {count}"):
            cls.from_bytes(bytes(count))
    for wrong in (5, None, bytes(size)):
        with pytest.raises(TypeError):
            cls(wrong)


def test_ids_of_two_kinds_are_not_equal() -> None:
    one: Any = ConnectionId("0" * 32)
    assert one != Identity("0" * 64)
    assert one != 0
    assert one != "0" * 32


VALUES = [
    Identity("c2" * 32),
    ConnectionId("0f" * 16),
    *(cls(micros) for cls in SPANS for micros in (*LIMITS, 0, -1)),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_pickle_copy_and_immutability(value: Any) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(value, protocol)) == value
    assert copy.copy(value) == copy.deepcopy(value) == value
    assert type(copy.copy(value)) is type(value)
    name = "micros" if hasattr(value, "micros") else "hex"
    with pytest.raises(AttributeError):
        setattr(value, name, 0)
    with pytest.raises(AttributeError):
        value.other = 0
    assert type(value).__module__ == "spacetime_py"


@pytest.mark.parametrize("cls", [Identity, ConnectionId, *SPANS])
def test_no_subclasses(cls: type[Any]) -> None:
    with pytest.raises(TypeError):
        type("Sub", (cls,), {})


@pytest.mark.parametrize("cls", SPANS)
def test_micros_are_signed_and_of_64_bits(cls: Any) -> None:
    for micros in LIMITS:
        assert cls(micros).micros == micros
        assert cls(micros + (1 if micros < 0 else -1)) != cls(micros)
    for micros in (LIMITS[0] - 1, LIMITS[1] + 1):
        with pytest.raises(OverflowError):
            cls(micros)
    for wrong in (1.0, "1", None):
        with pytest.raises(TypeError):
            cls(wrong)
    assert cls(1) < cls(2)
    assert cls(-1) < cls(0)
    assert cls(1) == cls(1)
    assert len({cls(1), cls(1), cls(2)}) == 2


def test_timestamp_and_duration_are_not_equal() -> None:
    one: Any = Timestamp(1)
    assert one != TimeDuration(1)
    with pytest.raises(TypeError):
        _ = one < TimeDuration(2)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 2, 28, 12, 30, 1, 123_456, tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
    ids=str,
)
def test_timestamp_and_datetime(moment: datetime) -> None:
    stamp = Timestamp.from_datetime(moment)
    assert stamp.micros == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert stamp.to_datetime() == moment
    assert stamp.to_datetime().tzinfo is UTC
    assert repr(stamp) == f"Timestamp({stamp.micros}: {moment})"


def test_timestamp_of_another_zone() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2026, 1, 1, 5, 30, tzinfo=zone)
    assert Timestamp.from_datetime(moment) == Timestamp.from_datetime(
        datetime(2026, 1, 1, tzinfo=UTC)
    )


def test_timestamp_refuses_naive_datetimes() -> None:
    with pytest.raises(ValueError, match="takes an aware datetime"):
        Timestamp.from_datetime(datetime(2026, 1, 1))
    for wrong in ("2026-01-01", 5, datetime(2026, 1, 1).date()):
        with pytest.raises(TypeError):
            Timestamp.from_datetime(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("micros", LIMITS)
def test_timestamp_beyond_datetime(micros: int) -> None:
    with pytest.raises(OverflowError):
        Timestamp(micros).to_datetime()
    assert repr(Timestamp(micros)) == f"Timestamp({micros})"


@pytest.mark.parametrize(
    "span",
    [
        timedelta(0),
        timedelta(microseconds=-1),
        timedelta(days=-1, seconds=1, microseconds=5),
        timedelta(days=100_000_000, microseconds=999_999),
        timedelta(microseconds=LIMITS[0]),
        timedelta(microseconds=LIMITS[1]),
    ],
    ids=str,
)
def test_duration_and_timedelta(span: timedelta) -> None:
    duration = TimeDuration.from_timedelta(span)
    assert duration.micros == span // timedelta(microseconds=1)
    assert duration.to_timedelta() == span
    assert repr(duration) == f"TimeDuration({duration.micros})"


@pytest.mark.parametrize("micros", [LIMITS[0] - 1, LIMITS[1] + 1])
def test_timedelta_beyond_64_bits(micros: int) -> None:
    with pytest.raises(OverflowError, match="292,271 years"):
        TimeDuration.from_timedelta(timedelta(microseconds=micros))
