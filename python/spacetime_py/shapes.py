"""What the schema says of generated classes: each one's place among the module's types.

Generated packages declare their classes through the functions here (`bindings.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from typing_extensions import dataclass_transform

from . import _core
from ._core import Module as CoreModule

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Enum)

Type: TypeAlias = dict[str, Any]
"""An AlgebraicType as JSON: one key, as in {"U32": []}."""


class Schema:
    """The types of one module, and the classes that were declared for them."""

    def __init__(self, description: bytes) -> None:
        self._description = description
        self.classes: dict[tuple[int, int | None], type[Any]] = {}

    @cached_property
    def sections(self) -> dict[str, Any]:
        """The parts of its description, version 10: Typespace, Tables, Reducers ..."""
        definition = json.loads(_core.schema_json(self._description))
        return {name: body for one in definition["V10"]["sections"] for name, body in one.items()}

    @property
    def types(self) -> Sequence[Type]:
        """What a Ref may name."""
        types: list[Type] = self.sections["Typespace"]["types"]
        return types


class Shape(NamedTuple):
    """Where a class is among the types; `tag` for the class of a variant."""

    schema: Schema
    ref: int
    tag: int | None

    @property
    def names(self) -> list[str]:
        """Of the fields or variants of its type, as the database has them."""
        ((_, body),) = self.schema.types[self.ref].items()
        ((_, elements),) = body.items()
        return [each["name"].get("some", str(i)) for i, each in enumerate(elements)]


# A class and its module live as long as the process.
_schemas: dict[CoreModule, Schema] = {}
_shapes: dict[type[Any], Shape] = {}


def shape_of(cls: type[Any]) -> Shape:
    """Raises TypeError for a class of something else."""
    found = _shapes.get(cls)
    if found is None:
        raise TypeError(f"{cls.__name__} is not a class of generated bindings")
    return found


def shape_of_value(value: object) -> Shape | None:
    """None for an instance of something else."""
    return _shapes.get(type(value))


def is_generated(cls: type[Any]) -> bool:
    return cls in _shapes


def schema_of(module: CoreModule) -> Schema:
    """Of a module that was made here."""
    return _schemas[module]


if TYPE_CHECKING:
    Module = CoreModule
else:

    def Module(description: bytes) -> CoreModule:
        """See `_core.Module`."""
        made = CoreModule(description)
        _schemas[made] = Schema(description)
        return made


@dataclass_transform(eq_default=True, frozen_default=True)
def product(module: CoreModule, ref: int) -> Callable[[type[_T]], type[_T]]:
    """See `_core.product`."""
    declare = _core.product(module, ref)
    return lambda declared: _placed(declare(declared), module, ref, None)


@dataclass_transform(eq_default=True, frozen_default=True)
def variant(module: CoreModule, ref: int, tag: int) -> Callable[[type[_T]], type[_T]]:
    """See `_core.variant`."""
    declare = _core.variant(module, ref, tag)
    return lambda declared: _placed(declare(declared), module, ref, tag)


def plain_enum(module: CoreModule, ref: int) -> Callable[[type[_E]], type[_E]]:
    """See `_core.plain_enum`."""
    declare = _core.plain_enum(module, ref)
    return lambda declared: _placed(declare(declared), module, ref, None)


def _placed(cls: type[_T], module: CoreModule, ref: int, tag: int | None) -> type[_T]:
    schema = _schemas[module]
    schema.classes[ref, tag] = cls
    _shapes[cls] = Shape(schema, ref, tag)
    return cls
