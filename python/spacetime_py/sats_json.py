"""Values as the server's JSON, by their type in the schema (SATS-JSON).

`decode` reads both forms that the server writes: with names, and as bare arrays.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast
from uuid import UUID

from ._core import ConnectionId, Identity, TimeDuration, Timestamp
from .exceptions import DecodeError, EncodeError
from .sums import Err, Ok, Some

Type: TypeAlias = Mapping[str, Any]
"""An AlgebraicType as JSON: one key, as in {"U32": []}."""


class Variant(NamedTuple):
    """A value of a sum type that has no class here."""

    name: str
    value: Any


_INTEGERS = frozenset(f"{sign}{bits}" for sign in "UI" for bits in (8, 16, 32, 64, 128, 256))
_FLOATS = frozenset({"F32", "F64"})
_MICROS = "__timestamp_micros_since_unix_epoch__"

UNIT: Type = {"Product": {"elements": []}}

_FROM_JSON: Mapping[str, Callable[[Any], Any]] = {
    "__identity__": lambda value: Identity(f"{int(value, 16):064x}"),
    "__connection_id__": lambda value: ConnectionId(f"{int(value):032x}"),
    _MICROS: Timestamp,
    "__time_duration_micros__": TimeDuration,
    "__uuid__": lambda value: UUID(int=int(value)),
}
_TO_JSON: Mapping[str, Callable[[Any], Any]] = {
    "__identity__": lambda value: hex(int(value)),
    "__connection_id__": int,
    _MICROS: lambda value: value.micros,
    "__time_duration_micros__": lambda value: value.micros,
    "__uuid__": int,
}
_SPECIAL: Mapping[str, type] = {
    "__identity__": Identity,
    "__connection_id__": ConnectionId,
    _MICROS: Timestamp,
    "__time_duration_micros__": TimeDuration,
    "__uuid__": UUID,
}


def names(elements: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of a product's elements or a sum's variants; positions where there is none."""
    return [element["name"].get("some", str(i)) for i, element in enumerate(elements)]


def decode(kind: Type, value: Any, types: Sequence[Type] = ()) -> Any:
    """A value from the server as Python's. `types` are those that a Ref may name.

    Raises DecodeError.
    """
    try:
        return _decode(kind, value, types)
    except (KeyError, IndexError, TypeError, ValueError, StopIteration) as error:
        raise DecodeError(f"{value!r} is no value of the type {dict(kind)}") from error


def _only(kind: Type) -> tuple[str, Any]:
    """The one key of a type, and what it has."""
    (pair,) = kind.items()
    return pair


def _decode(kind: Type, value: Any, types: Sequence[Type]) -> Any:
    name, body = _only(kind)
    if name == "Ref":
        return _decode(types[int(body)], value, types)
    if name == "Product":
        return _decode_product(body["elements"], value, types)
    if name == "Sum":
        return _decode_sum(body["variants"], value, types)
    if name == "Array":
        if "U8" in body and isinstance(value, str):
            return bytes.fromhex(value)
        return [_decode(body, item, types) for item in value]
    if name in _INTEGERS:
        return _integer(value)
    if name in _FLOATS:
        return math.nan if value is None else float(value)
    return value


def _integer(value: Any) -> int:
    """Wide ones are hexadecimal text."""
    if isinstance(value, str) and value.removeprefix("-").startswith("0x"):
        return int(value, 16)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(value)


def _decode_product(
    elements: Sequence[Mapping[str, Any]], value: Any, types: Sequence[Type]
) -> Any:
    keys, items = names(elements), fields(elements, value)
    if len(keys) == 1 and keys[0] in _FROM_JSON:
        return _FROM_JSON[keys[0]](items[0])
    return {
        key: _decode(element["algebraic_type"], item, types)
        for key, element, item in zip(keys, elements, items, strict=True)
    }


def fields(elements: Sequence[Mapping[str, Any]], value: Any) -> list[Any]:
    """The values of a product's elements, by their names or in their order."""
    if not isinstance(value, dict):
        return list(value)
    by_name = cast("dict[str, Any]", value)
    return [by_name[key] for key in names(elements)]


def _decode_sum(variants: Sequence[Mapping[str, Any]], value: Any, types: Sequence[Type]) -> Any:
    keys = names(variants)
    tag, payload = chosen(variants, value)
    inner = variants[tag]["algebraic_type"]
    if keys == ["some", "none"]:
        return _option(inner, payload, types) if tag == 0 else None
    item = _decode(inner, payload, types)
    if keys == ["Interval", "Time"] and isinstance(item, TimeDuration | Timestamp):
        return item
    if keys == ["ok", "err"]:
        return Ok(item) if tag == 0 else Err(item)
    return Variant(keys[tag], None if item == {} else item)


def chosen(variants: Sequence[Mapping[str, Any]], value: Any) -> tuple[int, Any]:
    """The tag of a sum's value and the payload."""
    if isinstance(value, dict):
        ((name, payload),) = cast("dict[str, Any]", value).items()
        return names(variants).index(name), payload
    tag, payload = value
    return tag, payload


def _option(inner: Type, payload: Any, types: Sequence[Type]) -> Any:
    item = _decode(inner, payload, types)
    return Some(item) if _is_option(inner, types) else item


def _is_option(kind: Type, types: Sequence[Type]) -> bool:
    name, body = _only(kind)
    if name == "Ref":
        return _is_option(types[int(body)], types)
    return name == "Sum" and names(body["variants"]) == ["some", "none"]


def encode(kind: Type, value: Any, types: Sequence[Type] = (), path: str = "value") -> Any:
    """A Python value as what `json.dumps` turns into the server's JSON.

    Products are objects with the fields as attributes, dicts or sequences; variants of a sum are
    `Variant`s, members of an Enum, or dicts of one key. Raises EncodeError, which names the place.
    """
    name, body = _only(kind)
    if name == "Ref":
        return encode(types[int(body)], value, types, path)
    if name == "Product":
        return _encode_product(body["elements"], value, types, path)
    if name == "Sum":
        return _encode_sum(body["variants"], value, types, path)
    if name == "Array":
        if "U8" in body and isinstance(value, bytes | bytearray):
            return value.hex()
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise _wrong(path, "a list", value)
        return [
            encode(body, item, types, f"{path}[{i}]") for i, item in _numbered(cast("Any", value))
        ]
    return _encode_scalar(name, value, path)


def _numbered(items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    return enumerate(items)


def _unbox(some: Any) -> Any:
    return some.value


def _encode_scalar(name: str, value: Any, path: str) -> Any:
    if name in _INTEGERS:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong(path, "int", value)
        _check_range(name, value, path)
        return hex(value) if name.endswith("256") else int(value)
    if name in _FLOATS:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise _wrong(path, "float", value)
        if not math.isfinite(value):
            raise EncodeError(f"{path}: JSON has no {value}; BSATN has: a call over the socket")
        return float(value)
    expected = {"Bool": bool, "String": str}[name]
    if not isinstance(value, expected):
        raise _wrong(path, expected.__name__, value)
    return value


def _check_range(name: str, value: int, path: str) -> None:
    bits = int(name[1:])
    low, high = (0, 2**bits - 1) if name[0] == "U" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if not low <= value <= high:
        raise EncodeError(f"{path}: {value} is out of range for {name.lower()}, {low} to {high}")


def _encode_product(
    elements: Sequence[Mapping[str, Any]], value: Any, types: Sequence[Type], path: str
) -> Any:
    keys = names(elements)
    if len(keys) == 1 and keys[0] in _TO_JSON:
        if not isinstance(value, _SPECIAL[keys[0]]):
            raise _wrong(path, _SPECIAL[keys[0]].__name__, value)
        return {keys[0]: _TO_JSON[keys[0]](value)}
    fields = _fields(keys, value, path)
    return {
        key: encode(element["algebraic_type"], item, types, f"{path}.{key}")
        for key, element, item in zip(keys, elements, fields, strict=True)
    }


def _fields(keys: Sequence[str], value: Any, path: str) -> Sequence[Any]:
    if isinstance(value, Mapping):
        by_name = cast("Mapping[str, Any]", value)
        if set(by_name) != set(keys):
            raise EncodeError(f"{path}: expected the keys {', '.join(keys)}, got {list(by_name)}")
        return [by_name[key] for key in keys]
    if isinstance(value, list | tuple):
        fields = cast("Sequence[Any]", value)
        if len(fields) != len(keys):
            raise EncodeError(f"{path}: expected {len(keys)} fields, got {len(fields)}")
        return fields
    if all(hasattr(value, key) for key in keys):
        return [getattr(value, key) for key in keys]
    raise _wrong(path, f"an object with {', '.join(keys)}", value)


def _encode_sum(
    variants: Sequence[Mapping[str, Any]], value: Any, types: Sequence[Type], path: str
) -> Any:
    keys = names(variants)
    if keys == ["some", "none"]:
        if value is None:
            return {"none": []}
        inner = _unbox(value) if isinstance(value, Some) else value
        return {"some": encode(variants[0]["algebraic_type"], inner, types, path)}
    tag, payload = _choose(keys, value, path)
    inner_type = variants[tag]["algebraic_type"]
    if payload is None and inner_type.get("Product", {}).get("elements") == []:
        return {keys[tag]: []}
    return {keys[tag]: encode(inner_type, payload, types, f"{path}.{keys[tag]}")}


def _choose(keys: Sequence[str], value: Any, path: str) -> tuple[int, Any]:
    if keys == ["Interval", "Time"] and isinstance(value, TimeDuration | Timestamp):
        return (0 if isinstance(value, TimeDuration) else 1), value
    if keys == ["ok", "err"] and isinstance(value, Ok | Err):
        return (0 if isinstance(value, Ok) else 1), cast("Ok[Any]", value).value
    name, payload = _named(keys, value, path)
    if name in keys:
        return keys.index(name), payload
    plain = [_plain(key) for key in keys]
    if _plain(name) not in plain:
        raise EncodeError(f"{path}: there is no variant {name}; there are {', '.join(keys)}")
    return plain.index(_plain(name)), payload


def _named(keys: Sequence[str], value: Any, path: str) -> tuple[str, Any]:
    """The variant's name and its payload."""
    if isinstance(value, Variant):
        return value
    if isinstance(value, enum.Enum):
        return value.name, None
    if isinstance(value, str):
        return value, None
    if isinstance(value, dict):
        pairs = list(cast("dict[str, Any]", value).items())
        if len(pairs) == 1:
            return pairs[0]
    raise _wrong(path, f"a variant of {', '.join(keys)}", value)


def _plain(name: str) -> str:
    """Spelled alike whether as DARK_BLUE, darkBlue or DarkBlue."""
    return name.replace("_", "").lower()


def _wrong(path: str, expected: str, value: Any) -> EncodeError:
    return EncodeError(f"{path}: expected {expected}, got {type(value).__name__}")
