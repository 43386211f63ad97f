"""The kinds of classes that `into` makes: how their fields are found, and how they are made.

msgspec and pydantic are optional: a class of theirs is one only if the program has imported them,
so nothing here imports either.
"""

from __future__ import annotations

import dataclasses
import enum
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from .exceptions import ConversionError


class Field(NamedTuple):
    name: str
    """As the row's field, too."""
    key: str
    """What the class is given it as."""
    hint: Any
    is_required: bool


class Target(NamedTuple):
    fields: Sequence[Field]
    make: Callable[[dict[str, Any]], Any]
    """From values by key. Raises ValueError."""
    is_checked: bool
    """Whether making it checks the values, by rules that only its library knows."""


def target_of(cls: type[Any]) -> Target | None:
    """None for a class of another kind."""
    msgspec, pydantic = sys.modules.get("msgspec"), sys.modules.get("pydantic")
    if msgspec is not None and issubclass(cls, msgspec.Struct):
        return _struct(msgspec, cls)
    if pydantic is not None and issubclass(cls, pydantic.BaseModel):
        return _pydantic_model(cls)
    if dataclasses.is_dataclass(cls):
        return _dataclass(cls)
    return None


def _dataclass(cls: type[Any]) -> Target:
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise ConversionError(cls.__name__, "", f"an annotation has no meaning: {error}") from error
    fields = [
        Field(
            each.name,
            each.name,
            hints[each.name],
            each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING,
        )
        for each in dataclasses.fields(cls)
        if each.init
    ]

    def make(values: dict[str, Any]) -> Any:
        return cls(**values)

    return Target(fields, make, is_checked=False)


def _struct(msgspec: Any, cls: type[Any]) -> Target:
    fields = [
        Field(each.name, each.encode_name, each.type, each.required)
        for each in msgspec.structs.fields(cls)
    ]

    def make(values: dict[str, Any]) -> Any:
        return msgspec.convert(_without_members(values), cls)

    return Target(fields, make, is_checked=True)


def _without_members(value: Any) -> Any:
    """msgspec takes the value of an Enum for its member, and not the member itself."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _without_members(item) for key, item in _pairs(value)}
    rebuild: Any = _REBUILT.get(type(cast(object, value)))
    return value if rebuild is None else rebuild(map(_without_members, value))


def _pairs(some: Any) -> Any:
    return some.items()


_REBUILT: Mapping[type[Any], Any] = {kind: kind for kind in (list, tuple, set, frozenset)}


def _pydantic_model(cls: type[Any]) -> Target:
    known = cast("Mapping[str, Any]", cast("Any", cls).model_fields)
    fields = [
        Field(name, _pydantic_key(name, info), info.annotation, info.is_required())
        for name, info in known.items()
    ]
    return Target(fields, cast("Any", cls).model_validate, is_checked=True)


def _pydantic_key(name: str, info: Any) -> str:
    alias = info.validation_alias
    return alias if isinstance(alias, str) else name
