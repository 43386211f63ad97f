"""Values that the database knows and Python does not: identities, times, boxed options."""

# Ruff knows overloads only by the real `typing.overload`.
# ruff: noqa: F811

from __future__ import annotations

from ._light import TYPE_CHECKING, Generic, T_co

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from types import ModuleType
    from typing import TypeAlias, overload

    from typing_extensions import Self
else:

    def overload(function):
        return function


def _datetime() -> ModuleType:
    """Not imported for those who do without; and nothing can be imported in a running database."""
    try:
        import datetime
    except ImportError:
        raise RuntimeError("write `import datetime` at the top of the program for this") from None
    return datetime


def _epoch() -> datetime:
    module = _datetime()
    epoch: datetime = module.datetime(1970, 1, 1, tzinfo=module.timezone.utc)
    return epoch


class _Number:
    """A value with one number in it. The runtime sets the number without calling `__init__`."""

    __slots__ = ("_value",)
    _value: int

    @classmethod
    def _of(cls, value: int) -> Self:
        made = cls.__new__(cls)
        made._value = value
        return made

    def __int__(self) -> int:
        return self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Number) and type(other) is type(self):
            return self._value == other._value
        return NotImplemented

    def __lt__(self, other: Self) -> bool:
        return self._value < other._value if other.__class__ is self.__class__ else NotImplemented

    def __le__(self, other: Self) -> bool:
        return self._value <= other._value if other.__class__ is self.__class__ else NotImplemented

    def __gt__(self, other: Self) -> bool:
        return self._value > other._value if other.__class__ is self.__class__ else NotImplemented

    def __ge__(self, other: Self) -> bool:
        return self._value >= other._value if other.__class__ is self.__class__ else NotImplemented


class _Hex(_Number):
    """A number that people see as hex digits."""

    __slots__ = ()
    _SIZE = 0

    def __init__(self, hex: str) -> None:
        digits = hex[2:] if hex.startswith("0x") else hex
        if len(digits) != self._SIZE * 2:
            name = type(self).__name__
            raise ValueError(f"{name} takes {self._SIZE * 2} hex digits, not {len(digits)}")
        self._value = int(digits, 16)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """From bytes, most significant first. Raises ValueError."""
        if len(data) != cls._SIZE:
            raise ValueError(f"{cls.__name__} takes {cls._SIZE} bytes, not {len(data)}")
        return cls._of(int.from_bytes(data, "big"))

    @property
    def hex(self) -> str:
        return f"{self._value:0{self._SIZE * 2}x}"

    def __bytes__(self) -> bytes:
        return self._value.to_bytes(self._SIZE, "big")

    def __str__(self) -> str:
        return self.hex

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.hex!r})"


class Identity(_Hex):
    """A user or database: 256 bits. `str()` is 64 hex digits, as in every SpacetimeDB tool."""

    __slots__ = ()
    _SIZE = 32


class ConnectionId(_Hex):
    """One connection of a client: 128 bits. `str()` is 32 hex digits."""

    __slots__ = ()
    _SIZE = 16


class _Micros(_Number):
    __slots__ = ()

    def __init__(self, micros: int) -> None:
        if not -(2**63) <= micros < 2**63:
            raise OverflowError(f"{type(self).__name__} takes a signed 64-bit number")
        self._value = micros

    @property
    def micros(self) -> int:
        return self._value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._value})"


class TimeDuration(_Micros):
    """A signed span of time in whole microseconds."""

    __slots__ = ()

    @staticmethod
    def from_timedelta(delta: timedelta) -> TimeDuration:
        return TimeDuration((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds)

    def to_timedelta(self) -> timedelta:
        """Raises OverflowError where timedelta ends (about 2.7 million years)."""
        delta: timedelta = _datetime().timedelta(microseconds=self._value)
        return delta

    def __add__(self, other: TimeDuration) -> TimeDuration:
        if type(other) is TimeDuration:
            return TimeDuration(self._value + other._value)
        return NotImplemented

    def __sub__(self, other: TimeDuration) -> TimeDuration:
        if type(other) is TimeDuration:
            return TimeDuration(self._value - other._value)
        return NotImplemented


class Timestamp(_Micros):
    """A moment: microseconds since 1970-01-01 UTC, a signed 64-bit number."""

    __slots__ = ()

    @staticmethod
    def from_datetime(moment: datetime) -> Timestamp:
        """From an aware datetime. Raises ValueError for a naive one."""
        if moment.utcoffset() is None:
            raise ValueError("a datetime without a time zone is no moment: use datetime.timezone")
        return Timestamp(0) + TimeDuration.from_timedelta(moment - _epoch())

    def to_datetime(self) -> datetime:
        """The moment in UTC. Raises OverflowError outside of the years 1 to 9999."""
        return _epoch() + self._since()

    def _since(self) -> timedelta:
        return TimeDuration(self._value).to_timedelta()

    def __add__(self, other: TimeDuration) -> Timestamp:
        if type(other) is TimeDuration:
            return Timestamp(self._value + other._value)
        return NotImplemented

    @overload
    def __sub__(self, other: TimeDuration) -> Timestamp: ...
    @overload
    def __sub__(self, other: Timestamp) -> TimeDuration: ...
    def __sub__(self, other: object) -> object:
        if type(other) is TimeDuration:
            return Timestamp(self._value - other._value)
        if type(other) is Timestamp:
            return TimeDuration(self._value - other._value)
        return NotImplemented


class _Box(Generic[T_co]):
    __slots__ = ("value",)
    __match_args__ = ("value",)
    value: T_co

    def __init__(self, value: T_co) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if other.__class__ is self.__class__:
            same: bool = self.value == getattr(other, "value", None)
            return same
        return NotImplemented

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.value))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"


class Some(_Box[T_co]):
    """A present value of an option whose value may itself be None: `Option<Option<String>>`."""

    __slots__ = ()


class Ok(_Box[T_co]):
    """The good case of a `Result`: `Ok[i32] | Err[str]`."""

    __slots__ = ()


class Err(_Box[T_co]):
    """The bad case of a `Result`."""

    __slots__ = ()


if TYPE_CHECKING:
    ScheduleAt: TypeAlias = TimeDuration | Timestamp
else:
    ScheduleAt = TimeDuration | Timestamp
