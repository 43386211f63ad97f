"""Types as the database has them, and how each is written in schemas and for the runtime.

A type knows two forms. `shape()` is the description that the runtime compiles to a codec,
`algebraic()` the BSATN of the AlgebraicType, where named types are references into the typespace.
"""

from __future__ import annotations

from . import _guest
from ._light import TYPE_CHECKING
from ._write import array, option, text, u32
from .values import Err, Ok, TimeDuration, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._guest import Codec

_SIZES = ("8", "16", "32", "64", "128", "256")
# By tag, from 4 on.
SCALARS = ["str", "bool", *[sign + size for size in _SIZES for sign in "iu"], "f32", "f64"]
INTEGERS = frozenset(name for name in SCALARS if name[0] in "iu")


class Typespace:
    """The named types that a module uses, numbered in the order in which they are met."""

    def __init__(self) -> None:
        self.named: list[Named] = []
        self.refs: dict[int, int] = {}
        self.bodies: list[bytes] = []

    def ref(self, named: Named) -> int:
        """The number of a type; its body may refer to the type itself."""
        place = self.refs.get(id(named))
        if place is None:
            place = self.refs[id(named)] = len(self.named)
            self.named.append(named)
            self.bodies.append(b"")
            self.bodies[place] = named.body(self)
        return place


class Type:
    """Any type. Types are compared by identity, but for what `is_` says."""

    __slots__ = ()

    def algebraic(self, space: Typespace) -> bytes:
        raise NotImplementedError

    def shape(self) -> object:
        raise NotImplementedError

    def codec(self) -> Codec:
        return _guest.codec(self.shape())


class ScalarType(Type):
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def algebraic(self, space: Typespace) -> bytes:
        return bytes([4 + SCALARS.index(self.name)])

    def shape(self) -> object:
        return self.name


class BytesType(Type):
    __slots__ = ()

    def algebraic(self, space: Typespace) -> bytes:
        return b"\x03\x07"

    def shape(self) -> object:
        return "bytes"


class ListType(Type):
    __slots__ = ("item",)

    def __init__(self, item: Type) -> None:
        self.item = item

    def algebraic(self, space: Typespace) -> bytes:
        return b"\x03" + self.item.algebraic(space)

    def shape(self) -> object:
        return ("list", self.item.shape())


class OptionType(Type):
    __slots__ = ("some",)

    def __init__(self, some: Type) -> None:
        self.some = some

    def algebraic(self, space: Typespace) -> bytes:
        return _sum([("some", self.some.algebraic(space)), ("none", UNIT)])

    def shape(self) -> object:
        return ("option", self.some.shape())


class ResultType(Type):
    __slots__ = ("err", "ok")

    def __init__(self, ok: Type, err: Type) -> None:
        self.ok = ok
        self.err = err

    def algebraic(self, space: Typespace) -> bytes:
        return _sum([("ok", self.ok.algebraic(space)), ("err", self.err.algebraic(space))])

    def shape(self) -> object:
        return ("sum", ((Ok, self.ok.shape()), (Err, self.err.shape())))


class MarkedType(Type):
    """A product of one number that the database knows by the name of its field."""

    __slots__ = ("attribute", "cls", "marker", "scalar")

    def __init__(self, cls: type, marker: str, scalar: str, attribute: str = "_value") -> None:
        self.cls = cls
        self.marker = marker
        self.scalar = scalar
        self.attribute = attribute

    def algebraic(self, space: Typespace) -> bytes:
        return _product([(self.marker, ScalarType(self.scalar).algebraic(space))])

    def shape(self) -> object:
        return ("product", self.cls, ((self.attribute, self.scalar),))


class ScheduleAtType(Type):
    __slots__ = ()

    def algebraic(self, space: Typespace) -> bytes:
        interval, time = DURATION.algebraic(space), TIMESTAMP.algebraic(space)
        return _sum([("Interval", interval), ("Time", time)])

    def shape(self) -> object:
        return ("union", ((TimeDuration, DURATION.shape()), (Timestamp, TIMESTAMP.shape())))


class UnitType(Type):
    """The result of what returns nothing."""

    __slots__ = ()

    def algebraic(self, space: Typespace) -> bytes:
        return UNIT

    def shape(self) -> object:
        return ("product", None, ())


class Field:
    """A column, a field or a parameter: its name in Python, that in the database, its type."""

    __slots__ = ("attribute", "name", "type")

    def __init__(self, attribute: str, name: str, type: Type) -> None:
        self.attribute = attribute
        self.name = name
        self.type = type


class Named(Type):
    """A type with a place in the typespace. Its codec is made once, and may contain itself."""

    __slots__ = ("_codec", "_open", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._codec: Codec | None = None
        self._open = False

    def body(self, space: Typespace) -> bytes:
        """The BSATN of the type itself, rather than of a reference to it."""
        raise NotImplementedError

    def parts(self) -> object:
        """The description that the codec is made of."""
        raise NotImplementedError

    def algebraic(self, space: Typespace) -> bytes:
        return b"\x00" + u32(space.ref(self))

    def shape(self) -> object:
        return self.codec()

    def codec(self) -> Codec:
        if self._codec is not None:
            return self._codec
        if self._open:
            # Met again inside of itself: promise a codec and keep the promise below.
            self._codec = _guest.codec_forward()
            return self._codec
        self._open = True
        parts = self.parts()
        promised: Codec | None = self._codec
        if promised is None:
            self._codec = promised = _guest.codec(parts)
        else:
            _guest.codec_define(promised, parts)
        return promised


class ProductType(Named):
    __slots__ = ("cls", "fields")

    def __init__(self, name: str, cls: type) -> None:
        super().__init__(name)
        self.cls = cls
        self.fields: list[Field] = []

    def body(self, space: Typespace) -> bytes:
        return _product([(field.name, field.type.algebraic(space)) for field in self.fields])

    def parts(self) -> object:
        fields = tuple((field.attribute, field.type.shape()) for field in self.fields)
        return ("product", self.cls, fields)


class EnumType(Named):
    __slots__ = ("members",)

    def __init__(self, name: str, members: list[tuple[str, object]]) -> None:
        super().__init__(name)
        self.members = members

    def body(self, space: Typespace) -> bytes:
        return _sum([(name, UNIT) for name, _ in self.members])

    def parts(self) -> object:
        return ("enum", tuple(member for _, member in self.members))


class SumType(Named):
    __slots__ = ("variants",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.variants: list[tuple[str, type, Type | None]] = []

    def body(self, space: Typespace) -> bytes:
        return _sum(
            [
                (name, UNIT if payload is None else payload.algebraic(space))
                for name, _, payload in self.variants
            ]
        )

    def parts(self) -> object:
        return (
            "sum",
            tuple(
                (cls, None if payload is None else payload.shape())
                for _, cls, payload in self.variants
            ),
        )


def tuple_shape(fields: list[Field]) -> object:
    """Arguments, and the keys of several columns."""
    return ("product", None, tuple((field.name, field.type.shape()) for field in fields))


def elements(fields: list[Field], space: Typespace) -> bytes:
    """The BSATN of a ProductType, which functions have for their parameters."""
    return _elements([(field.name, field.type.algebraic(space)) for field in fields])


def query_type(row: Type, space: Typespace) -> bytes:
    """What a view returns that gives SQL rather than rows."""
    return _product([("__query__", row.algebraic(space))])


def is_scalar(ty: Type, test: Callable[[str], Any]) -> bool:
    return isinstance(ty, ScalarType) and bool(test(ty.name))


def _elements(items: list[tuple[str, bytes]]) -> bytes:
    return array([option(text(name)) + ty for name, ty in items])


def _product(items: list[tuple[str, bytes]]) -> bytes:
    return b"\x02" + _elements(items)


def _sum(items: list[tuple[str, bytes]]) -> bytes:
    return b"\x01" + _elements(items)


UNIT = _product([])
DURATION = MarkedType(TimeDuration, "__time_duration_micros__", "i64")
TIMESTAMP = MarkedType(Timestamp, "__timestamp_micros_since_unix_epoch__", "i64")
