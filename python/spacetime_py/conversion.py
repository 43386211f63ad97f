"""`into`: rows as instances of your own classes, by the annotations of their fields."""

from __future__ import annotations

import datetime
import enum
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

from ._core import ConnectionId, Identity, TimeDuration, Timestamp
from .exceptions import ConversionError
from .rows import asdict, fields_of, is_list, payload_of
from .shapes import is_generated, shape_of, shape_of_value
from .sums import Err, Ok, Some
from .targets import Target, target_of

M = TypeVar("M")

_Convert = Callable[[Any], Any]


def into(row: object, model: type[M]) -> M:
    """A row as an instance of a dataclass, a msgspec Struct or a pydantic model.

    Each field of the model takes the row's field of the same name, converted to what its annotation
    asks for (docs/topics/rows.md has the table); one that the row lacks needs a default. Fields of
    the row that the model lacks are left out.

    Raises ConversionError, which names the field; TypeError for what is no row or no such class.
    """
    shape_of(type(row))
    made: M = _checked(_maker(model), row)
    return made


def each_into(rows: Iterable[object], model: type[M]) -> Iterator[M]:
    """As `into`, for each row. Raises TypeError at once for a class that it cannot make."""
    maker = _maker(model)
    return (_checked(maker, row) for row in rows)


def all_into(rows: Iterable[object], model: type[M]) -> list[M]:
    """As `each_into`, all of them."""
    return list(each_into(rows, model))


def _checked(maker: _Maker, row: object) -> Any:
    try:
        return maker(row)
    except _Misfit as misfit:
        raise ConversionError(maker.name, misfit.path, misfit.text) from misfit.__cause__


class _Misfit(Exception):
    """A value that is not what was asked for. On its way out it learns where that was."""

    def __init__(self, text: str, *, is_inside: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.path = ""
        # It was found inside of the value: the value itself was of the right kind.
        self.is_inside = is_inside

    def inside(self, place: str) -> _Misfit:
        self.path = f"{place}{'.' if self.path and self.path[0] != '[' else ''}{self.path}"
        self.is_inside = True
        return self


class _Maker:
    """Makes instances of one class."""

    def __init__(self, cls: type[Any], target: Target) -> None:
        self.name = cls.__name__
        self._target = target
        self._converts = [
            (field, converter(field.hint, target.is_checked)) for field in target.fields
        ]
        # By class of the row: field of it, key, conversion.
        self._plans: dict[type[Any], list[tuple[str, str, _Convert]]] = {}

    def __call__(self, value: Any) -> Any:
        shape = shape_of_value(value)
        if shape is None or isinstance(value, enum.Enum):
            raise _wrong(self.name, value)
        if shape.tag is None:
            return self._make(value)
        if self.name not in (type(value).__name__, shape.names[shape.tag]):
            raise _wrong(self.name, value)
        return self._make_of_variant(value)

    def _make_of_variant(self, value: Any) -> Any:
        """Of its payload: as the field `value`, or by the fields that it has itself."""
        wants_value = [field.name for field in self._target.fields] == ["value"]
        if wants_value or not fields_of(value):
            return self._make(value)
        payload = payload_of(value)
        inner = shape_of_value(payload)
        if inner is None or inner.tag is not None or isinstance(payload, enum.Enum):
            raise _Misfit(f"a class for {type(value).__name__} has one field: `value`")
        return self._make(payload)

    def _make(self, row: Any) -> Any:
        values: dict[str, Any] = {}
        cls: type[Any] = row.__class__
        if (plan := self._plans.get(cls)) is None:
            plan = self._plans[cls] = self._plan_for(cls)
        for name, key, convert in plan:
            try:
                values[key] = convert(getattr(row, name))
            except _Misfit as misfit:
                raise misfit.inside(name) from misfit.__cause__
        try:
            return self._target.make(values)
        except ValueError as error:
            raise _Misfit(str(error), is_inside=True) from error

    def _plan_for(self, cls: type[Any]) -> list[tuple[str, str, _Convert]]:
        known = fields_of(cls)
        plan: list[tuple[str, str, _Convert]] = []
        for field, convert in self._converts:
            if field.name in known:
                plan.append((field.name, field.key, convert))
            elif field.is_required:
                text = f"{cls.__name__} has no such field, only {', '.join(known)}: give a default"
                raise _Misfit(text).inside(field.name)
        return plan


def _maker(model: type[Any]) -> _Maker:
    maker = _find_maker(model)
    if maker is None:
        raise TypeError(f"{model!r} is no dataclass, msgspec.Struct or pydantic.BaseModel")
    return maker


def _find_maker(cls: type[Any]) -> _Maker | None:
    maker = _makers.get(cls)
    if maker is None and (target := target_of(cls)) is not None:
        maker = _makers[cls] = _Maker(cls, target)
    return maker


_makers: dict[type[Any], _Maker] = {}


def converter(hint: Any, is_checked: bool) -> _Convert:
    """What converts values to an annotation.

    `is_checked`: what it cannot convert goes to the library, which knows more annotations.
    """
    convert = _converter(hint)
    if not is_checked:
        return convert

    def convert_or_leave(value: Any) -> Any:
        try:
            return convert(value)
        except _Misfit as misfit:
            if misfit.is_inside:
                raise
            return value

    return convert_or_leave


def _converter(hint: Any) -> _Convert:
    hint = _plain(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or hint is object or isinstance(hint, TypeVar):
        return lambda value: value
    if origin in (typing.Union, types.UnionType):
        return _union(args)
    if origin is typing.Literal:
        return _literal(args)
    if origin is tuple and args[1:] != (...,):
        return _nothing_fits(hint)
    if origin in _SEQUENCES or hint in _SEQUENCES:
        return _sequence(hint, _SEQUENCES[origin or hint], args)
    if origin in (Some, Ok, Err):
        return _boxed(origin, args[0])
    if origin is not None:
        hint = origin
    return _class(hint) if _is_class(hint) else _nothing_fits(hint)


def _plain(hint: Any) -> Any:
    """Without what only type checkers and libraries read."""
    while True:
        if typing.get_origin(hint) is typing.Annotated:
            hint = typing.get_args(hint)[0]
        elif hasattr(hint, "__supertype__"):  # a NewType
            hint = hint.__supertype__
        elif hasattr(hint, "__value__"):  # type X = ...
            hint = hint.__value__
        else:
            return type(None) if hint is None else hint


def _nothing_fits(hint: Any) -> _Convert:
    def convert(value: Any) -> Any:
        raise _wrong(str(hint), value)

    return convert


def _wrong(expected: str, value: Any) -> _Misfit:
    text = repr(value)
    shown = text if len(text) <= 60 else f"{text[:60]}..."
    return _Misfit(f"expected {expected}, got {type(value).__name__} {shown}")


def _is_class(hint: Any) -> bool:
    """In Python 3.10 `list[int]` claims to be one."""
    return isinstance(hint, type) and typing.get_origin(hint) is None


def _name(hint: Any) -> str:
    return hint.__name__ if _is_class(hint) else str(hint)


def _union(args: Sequence[Any]) -> _Convert:
    arms = list(map(_plain, args))
    classes = tuple(arm for arm in arms if _is_class(arm))
    converters = [_converter(arm) for arm in arms]
    expected = " or ".join("None" if arm is type(None) else _name(arm) for arm in arms)

    def convert(value: Any) -> Any:
        if isinstance(value, classes):
            return value
        inner: _Misfit | None = None
        for converter in converters:
            try:
                return converter(value)
            except _Misfit as misfit:
                inner = misfit if misfit.is_inside else inner
        raise inner or _wrong(expected, value)

    return convert


def _literal(values: Sequence[Any]) -> _Convert:
    def convert(value: Any) -> Any:
        plain = value.name if isinstance(value, enum.Enum) else value
        if plain in values:
            return plain
        raise _wrong(" or ".join(map(repr, values)), value)

    return convert


_SEQUENCES: Mapping[Any, Callable[[Iterable[Any]], Any]] = {
    list: list,
    Sequence: list,
    Iterable: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
}


def _sequence(hint: Any, make: Callable[[Iterable[Any]], Any], args: Sequence[Any]) -> _Convert:
    item = _converter(args[0] if args else Any)

    def convert(value: Any) -> Any:
        if not is_list(value):
            raise _wrong(_name(hint), value)
        made: list[Any] = []
        for index, each in enumerate(value):
            try:
                made.append(item(each))
            except _Misfit as misfit:
                raise misfit.inside(f"[{index}]") from misfit.__cause__
        return make(made)

    return convert


def _boxed(box: Any, arg: Any) -> _Convert:
    inside = _converter(arg)

    def convert(value: Any) -> Any:
        if not isinstance(value, box):
            raise _wrong(box.__name__, value)
        return box(inside(value.value))

    return convert


def _class(cls: type[Any]) -> _Convert:
    if issubclass(cls, enum.Enum) and not is_generated(cls):
        return _enum(cls)
    if cls is dict or cls is Mapping:
        return _dict
    if (conversions := _CONVERSIONS.get(cls)) is not None:
        return _simple(cls, conversions)
    # Found when it is needed: a class may contain itself.
    if target_of(cls) is not None and cls not in (Some, Ok, Err):
        return lambda value: value if isinstance(value, cls) else _maker(cls)(value)
    return _simple(cls, {})


def _dict(value: Any) -> Any:
    shape = shape_of_value(value)
    if shape is None or isinstance(value, enum.Enum):
        raise _wrong("dict", value)
    return asdict(value)


def _enum(cls: type[enum.Enum]) -> _Convert:
    """By the name of the member, however it is spelled: DARK_BLUE is DarkBlue."""
    members = {_spelled(name): member for name, member in cls.__members__.items()}

    def convert(value: Any) -> Any:
        if isinstance(value, enum.Enum) and (found := members.get(_spelled(value.name))):
            return found
        raise _wrong(cls.__name__, value)

    return convert


def _spelled(name: str) -> str:
    return name.replace("_", "").lower()


def _moment(value: Any) -> datetime.datetime:
    try:
        return cast("Timestamp", value).to_datetime()
    except OverflowError as error:
        raise _Misfit(str(error)) from error


def _span(value: Any) -> datetime.timedelta:
    try:
        return cast("TimeDuration", value).to_timedelta()
    except OverflowError as error:
        raise _Misfit(str(error)) from error


def _micros(value: Any) -> int:
    micros: int = value.micros
    return micros


_CONVERSIONS: Mapping[type[Any], Mapping[type[Any], _Convert]] = {
    str: {Identity: str, ConnectionId: str, UUID: str, enum.Enum: lambda member: member.name},
    int: {
        Timestamp: _micros,
        TimeDuration: _micros,
        Identity: int,
        ConnectionId: int,
        UUID: int,
        enum.Enum: lambda member: member.value,
    },
    bytes: {Identity: bytes, ConnectionId: bytes, UUID: lambda value: value.bytes},
    datetime.datetime: {Timestamp: _moment},
    datetime.timedelta: {TimeDuration: _span},
}
"""What a class is made of, besides of itself."""


def _simple(cls: type[Any], conversions: Mapping[type[Any], _Convert]) -> _Convert:
    def convert(value: Any) -> Any:
        if isinstance(value, cls) and (cls is not int or not isinstance(value, bool)):
            return value
        for source, conversion in conversions.items():
            if isinstance(value, source):
                return conversion(value)
        raise _wrong(cls.__name__, value)

    return convert
