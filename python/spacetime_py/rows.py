"""Rows as other things: a changed copy, a dict, the server's JSON. Of all generated classes.

`to_bsatn` and `from_bsatn` are in the core; classes of your own are made by `into`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import Enum
from typing import Any, TypeVar, cast

from . import sats_json
from .exceptions import DecodeError, EncodeError
from .shapes import Schema, Type, shape_of, shape_of_value
from .sums import Err, Ok, Some

T = TypeVar("T")


def replace(row: T, /, **changes: Any) -> T:
    """A copy of a row with other values in some fields, as `copy.replace` of Python 3.13.

    Raises TypeError for a field that it does not have, EncodeError for a wrong value.
    """
    shape_of(type(row))
    changed: T = cast("Any", row).__replace__(**changes)
    return changed


def asdict(row: object, /) -> dict[str, Any]:
    """A row as a dict by field, and so on inwards.

    A product is a dict; a variant of a sum, `Some`, `Ok` and `Err` are a dict of one key, the name
    of the case: {"Text": "hi"}, {"Nothing": None}, {"ok": 1}. Lists stay lists; everything else
    (numbers, text, None, members of an Enum, Identity, Timestamp ...) stays what it is.
    """
    shape_of(type(row))
    made = _as_dict(row)
    if not isinstance(made, dict):
        raise TypeError(f"{row!r} has no fields")
    return cast("dict[str, Any]", made)


def _as_dict(value: Any) -> Any:
    if is_list(value):
        return [_as_dict(item) for item in value]
    if _is_box(value):
        return {type(value).__name__.lower(): _as_dict(value.value)}
    shape = shape_of_value(value)
    if shape is None or isinstance(value, Enum):
        return value
    if shape.tag is not None:
        return {shape.names[shape.tag]: _as_dict(payload_of(value))}
    return {field: _as_dict(getattr(value, field)) for field in fields_of(value)}


def is_list(value: object) -> bool:
    """A test that leaves it Any for type checkers."""
    return isinstance(value, list)


def _is_box(value: object) -> bool:
    return isinstance(value, Some | Ok | Err)


def fields_of(thing: Any) -> tuple[str, ...]:
    """The names of the fields of a generated class or an instance of one."""
    names: tuple[str, ...] = thing.__match_args__
    return names


def payload_of(value: Any) -> Any:
    """What a variant holds; None for one that holds nothing."""
    return value.value if fields_of(value) else None


def to_json(row: object, /) -> str:
    """A row as the server's JSON (SATS-JSON), by the names of the database.

    Raises TypeError for what is no row, EncodeError for NaN and infinities, which JSON has not.
    """
    cls = type(row)
    shape = shape_of(cls)
    value = _plain(row)
    return json.dumps(sats_json.encode({"Ref": shape.ref}, value, shape.schema.types, cls.__name__))


def _plain(value: Any) -> Any:
    """Without generated classes: what `sats_json` takes."""
    if is_list(value):
        return [_plain(item) for item in value]
    if _is_box(value):
        return type(value)(_plain(value.value))
    shape = shape_of_value(value)
    if shape is None:
        return value
    if isinstance(value, Enum):
        return sats_json.Variant(shape.names[value.value], None)
    if shape.tag is not None:
        return sats_json.Variant(shape.names[shape.tag], _plain(payload_of(value)))
    fields = zip(shape.names, fields_of(value), strict=True)
    return {name: _plain(getattr(value, field)) for name, field in fields}


def from_json(cls: type[T], text: str | bytes) -> T:
    """A row of a generated class from the server's JSON, with names or as bare arrays.

    Raises DecodeError, which names the field.
    """
    shape = shape_of(cls)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"{cls.__name__}: this is no JSON: {error}") from error
    made = _Reader(shape.schema).read({"Ref": shape.ref}, value, cls.__name__)
    if not isinstance(made, cls):
        raise DecodeError(f"{cls.__name__}: the JSON is that of {type(made).__name__}")
    return made


class _Reader:
    """From JSON to values of one module's classes, along the types."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def read(self, kind: Type, value: Any, path: str) -> Any:
        try:
            return self._read(kind, value, path)
        except DecodeError:  # of something inside, which it names
            raise
        except EncodeError as error:
            raise DecodeError(f"{path}: {error}") from error
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise DecodeError(f"{path}: {value!r} is no value of its type") from error

    def _read(self, kind: Type, value: Any, path: str) -> Any:
        ((name, body),) = kind.items()
        if name == "Ref":
            return self._read_named(int(body), value, path)
        if name == "Array" and is_list(value):
            made = [self.read(body, item, f"{path}[{i}]") for i, item in enumerate(value)]
            return bytes(made) if "U8" in body else made
        if kind == sats_json.UNIT:
            return None
        if name == "Sum":
            return self._read_special(body["variants"], value, path)
        try:
            return sats_json.decode(kind, value, self._schema.types)
        except DecodeError as error:
            raise DecodeError(f"{path}: {error}") from error

    def _read_named(self, ref: int, value: Any, path: str) -> Any:
        kind, classes = self._schema.types[ref], self._schema.classes
        ((name, body),) = kind.items()
        if name == "Product" and (cls := classes.get((ref, None))) is not None:
            return cls(*self._read_fields(body["elements"], value, path))
        if name == "Sum" and self._has_class(ref):
            tag, payload = sats_json.chosen(body["variants"], value)
            if (members := classes.get((ref, None))) is not None:
                return members(tag)
            cls = classes[ref, tag]
            inner = body["variants"][tag]
            if not fields_of(cls):
                return cls()
            place = f"{path}.{sats_json.names(body['variants'])[tag]}"
            return cls(self.read(inner["algebraic_type"], payload, place))
        return self._read(kind, value, path)

    def _read_fields(self, elements: Sequence[Type], value: Any, path: str) -> list[Any]:
        fields = zip(
            sats_json.names(elements), elements, sats_json.fields(elements, value), strict=True
        )
        return [
            self.read(element["algebraic_type"], item, f"{path}.{name}")
            for name, element, item in fields
        ]

    def _read_special(self, variants: Sequence[Type], value: Any, path: str) -> Any:
        """An option, a result or a schedule: the sums that have no class of their own."""
        tag, payload = sats_json.chosen(variants, value)
        names = sats_json.names(variants)
        inner = variants[tag]["algebraic_type"]
        if names == ["some", "none"]:
            if tag == 1:
                return None
            item = self.read(inner, payload, path)
            return Some(item) if self._may_be_none(inner) else item
        item = self.read(inner, payload, path)
        if names == ["ok", "err"]:
            return Ok(item) if tag == 0 else Err(item)
        return item

    def _may_be_none(self, kind: Type) -> bool:
        """Whether None is a value of the type, so that an option of it needs `Some`."""
        ((name, body),) = kind.items()
        if name == "Ref":
            ref = int(body)
            return not self._has_class(ref) and self._may_be_none(self._schema.types[ref])
        is_option = name == "Sum" and sats_json.names(body["variants"]) == ["some", "none"]
        return is_option or kind == sats_json.UNIT

    def _has_class(self, ref: int) -> bool:
        classes = self._schema.classes
        return (ref, None) in classes or (ref, 0) in classes
