"""The types that Python writes as `int` and `float` and the database tells apart.

Type checkers see plain `int` and `float`; values are checked against the range when they are
written.
"""

from __future__ import annotations

from ._light import TYPE_CHECKING, UnionType

if TYPE_CHECKING:
    from typing import Annotated, TypeAlias

    i8: TypeAlias = Annotated[int, "i8"]
    i16: TypeAlias = Annotated[int, "i16"]
    i32: TypeAlias = Annotated[int, "i32"]
    i64: TypeAlias = Annotated[int, "i64"]
    i128: TypeAlias = Annotated[int, "i128"]
    i256: TypeAlias = Annotated[int, "i256"]
    u8: TypeAlias = Annotated[int, "u8"]
    u16: TypeAlias = Annotated[int, "u16"]
    u32: TypeAlias = Annotated[int, "u32"]
    u64: TypeAlias = Annotated[int, "u64"]
    u128: TypeAlias = Annotated[int, "u128"]
    u256: TypeAlias = Annotated[int, "u256"]
    f32: TypeAlias = Annotated[float, "f32"]
    f64: TypeAlias = Annotated[float, "f64"]


class Either:
    """A union with a scalar in it, which Python's own unions do not take."""

    __slots__ = ("__args__",)

    def __init__(self, left: object, right: object) -> None:
        self.__args__ = (*_members(left), *_members(right))

    def __or__(self, other: object) -> Either:
        return Either(self, other)

    def __ror__(self, other: object) -> Either:
        return Either(other, self)

    def __repr__(self) -> str:
        return " | ".join(getattr(arg, "__name__", repr(arg)) for arg in self.__args__)


class Scalar:
    """What `u8` and its like are at run time."""

    __slots__ = ("__name__",)

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __call__(self, value: object) -> object:
        """`typing` takes only callables for types."""
        raise TypeError(f"{self.__name__} is for annotations; a value is just a number")

    def __or__(self, other: object) -> Either:
        return Either(self, other)

    def __ror__(self, other: object) -> Either:
        return Either(other, self)

    def __repr__(self) -> str:
        return self.__name__


def _members(part: object) -> tuple[object, ...]:
    """Unions are flat."""
    if isinstance(part, Either):
        return part.__args__
    if isinstance(part, UnionType):
        return tuple(part.__args__)
    return (part,)


if not TYPE_CHECKING:
    i8, i16, i32, i64 = Scalar("i8"), Scalar("i16"), Scalar("i32"), Scalar("i64")
    u8, u16, u32, u64 = Scalar("u8"), Scalar("u16"), Scalar("u32"), Scalar("u64")
    i128, i256, u128, u256 = Scalar("i128"), Scalar("i256"), Scalar("u128"), Scalar("u256")
    f32, f64 = Scalar("f32"), Scalar("f64")
