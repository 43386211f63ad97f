"""A module's definition in words: version 9 or 10, as the server gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..http.definition import Definition, Element, name_of
from ..sats_json import names

_SPECIAL = {
    "__identity__": "Identity",
    "__connection_id__": "ConnectionId",
    "__timestamp_micros_since_unix_epoch__": "Timestamp",
    "__time_duration_micros__": "TimeDuration",
    "__uuid__": "Uuid",
}


def description(definition: Definition) -> Iterator[tuple[str, str]]:
    """Lines: what stands out at the start of one, and the rest of it."""
    types = definition.types
    for table in definition.tables():
        access = "" if "Public" in table["table_access"] else " (private)"
        yield f"table {name_of(table)}", access
        elements = types[table["product_type_ref"]]["Product"]["elements"]
        yield from (("", f"  {field}") for field in _fields(elements, types))
    for one in sorted(definition.functions(), key=lambda one: one.name):
        yield f"{one.kind} {one.name}", f"({fields_text(one.parameters, types)})"


def fields_text(
    elements: Sequence[Element], types: Sequence[Any], inside: frozenset[int] = frozenset()
) -> str:
    """Names and types: `id: u64, label: str`."""
    return ", ".join(_fields(elements, types, inside))


def _fields(
    elements: Sequence[Element], types: Sequence[Any], inside: frozenset[int] = frozenset()
) -> list[str]:
    return [
        f"{key}: {type_name(element['algebraic_type'], types, inside)}"
        for key, element in zip(names(elements), elements, strict=True)
    ]


def type_name(
    kind: Mapping[str, Any], types: Sequence[Any], inside: frozenset[int] = frozenset()
) -> str:
    """A type in Python's spelling; `...` where it is `inside` of itself."""
    ((name, body),) = kind.items()
    if name == "Ref":
        place = int(body)
        return "..." if place in inside else type_name(types[place], types, inside | {place})
    if name == "Array":
        return "bytes" if "U8" in body else f"list[{type_name(body, types, inside)}]"
    if name == "Product":
        return _product(body["elements"], types, inside)
    if name == "Sum":
        return _sum(body["variants"], types, inside)
    return {"String": "str", "Bool": "bool"}.get(str(name), str(name).lower())


def _product(elements: Sequence[Element], types: Sequence[Any], inside: frozenset[int]) -> str:
    keys = names(elements)
    if len(keys) == 1 and keys[0] in _SPECIAL:
        return _SPECIAL[keys[0]]
    return "{" + fields_text(elements, types, inside) + "}"


def _sum(variants: Sequence[Element], types: Sequence[Any], inside: frozenset[int]) -> str:
    keys = names(variants)
    kinds = [type_name(variant["algebraic_type"], types, inside) for variant in variants]
    if keys == ["some", "none"]:
        return f"{kinds[0]} | None"
    if keys == ["Interval", "Time"]:
        return "ScheduleAt"
    return " | ".join(
        key if kind == "{}" else f"{key}({kind})" for key, kind in zip(keys, kinds, strict=True)
    )
