"""A module's definition in words: version 9 or 10, as the server gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..http.sats_json import names

_SPECIAL = {
    "__identity__": "Identity",
    "__connection_id__": "ConnectionId",
    "__timestamp_micros_since_unix_epoch__": "Timestamp",
    "__time_duration_micros__": "TimeDuration",
    "__uuid__": "Uuid",
}


class TableText(NamedTuple):
    name: str
    is_public: bool
    columns: list[tuple[str, str]]


class FunctionText(NamedTuple):
    kind: str
    parameters: str


def describe_tables(schema: Mapping[str, Any]) -> Iterator[TableText]:
    parts = sections(schema)
    types: Sequence[Any] = parts["typespace"]["types"]
    for table in parts.get("tables", []):
        elements = types[table["product_type_ref"]]["Product"]["elements"]
        columns = [
            (name, type_name(element["algebraic_type"], types))
            for name, element in zip(names(elements), elements, strict=True)
        ]
        name = table.get("name") or table["source_name"]
        yield TableText(name, "Public" in table["table_access"], columns)


def describe_functions(schema: Mapping[str, Any]) -> Iterator[tuple[str, FunctionText]]:
    """Names, and what they take. Lifecycle reducers too."""
    parts = sections(schema)
    types: Sequence[Any] = parts["typespace"]["types"]
    procedures = [one["Procedure"] for one in parts.get("misc_exports", []) if "Procedure" in one]
    kinds = {
        "reducer": parts.get("reducers", []),
        "procedure": [*procedures, *parts.get("procedures", [])],
    }
    for kind, functions in kinds.items():
        for one in functions:
            elements = one["params"]["elements"]
            parameters = [
                f"{name}: {type_name(element['algebraic_type'], types)}"
                for name, element in zip(names(elements), elements, strict=True)
            ]
            name = one.get("name") or one["source_name"]
            yield name, FunctionText(kind, ", ".join(parameters))


def sections(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Both versions by the keys of version 9."""
    if "sections" not in schema:
        return schema
    found = {key.lower(): body for one in schema["sections"] for key, body in one.items()}
    return {"typespace": {"types": []}, **found}


def type_name(kind: Mapping[str, Any], types: Sequence[Any]) -> str:
    """A type in Python's spelling."""
    ((name, body),) = kind.items()
    if name == "Ref":
        return type_name(types[int(body)], types)
    if name == "Array":
        return "bytes" if "U8" in body else f"list[{type_name(body, types)}]"
    if name == "Product":
        return _product(body["elements"], types)
    if name == "Sum":
        return _sum(body["variants"], types)
    return {"String": "str", "Bool": "bool"}.get(str(name), str(name).lower())


def _product(elements: Sequence[Mapping[str, Any]], types: Sequence[Any]) -> str:
    keys = names(elements)
    if len(keys) == 1 and keys[0] in _SPECIAL:
        return _SPECIAL[keys[0]]
    fields = [
        f"{key}: {type_name(element['algebraic_type'], types)}"
        for key, element in zip(keys, elements, strict=True)
    ]
    return "{" + ", ".join(fields) + "}"


def _sum(variants: Sequence[Mapping[str, Any]], types: Sequence[Any]) -> str:
    keys = names(variants)
    kinds = [type_name(variant["algebraic_type"], types) for variant in variants]
    if keys == ["some", "none"]:
        return f"{kinds[0]} | None"
    if keys == ["Interval", "Time"]:
        return "ScheduleAt"
    return " | ".join(
        key if kind == "{}" else f"{key}({kind})" for key, kind in zip(keys, kinds, strict=True)
    )
