"""What a module's description says, without numbers and without order, to be compared."""

from __future__ import annotations

from typing import Any

Plain = dict[str, Any]


def plain_v9(module: Plain) -> Plain:
    names = {entry["ty"]: entry["name"]["name"] for entry in module["types"]}
    assert all(entry["custom_ordering"] for entry in module["types"])
    types = [_type(ty, names) for ty in module["typespace"]["types"]]
    return {
        "types": {name: types[place] for place, name in names.items()},
        "tables": {table["name"]: _table(table, names) for table in module["tables"]},
        "reducers": {
            one["name"]: (_params(one["params"], names), _some(one["lifecycle"]))
            for one in module["reducers"]
        },
        "filters": module["row_level_security"],
    }


def plain_v10(module: Plain) -> Plain:
    sections: Plain = {}
    for section in module["sections"]:
        sections.update(section)
    names = {entry["ty"]: entry["source_name"]["source_name"] for entry in sections["Types"]}
    types = [_type(ty, names) for ty in sections["Typespace"]["types"]]
    events = {
        one["function_name"]: one["lifecycle_spec"] for one in _of(sections, "LifeCycleReducers")
    }
    schedules = {one["table_name"]: one for one in _of(sections, "Schedules")}
    return {
        "types": {name: types[place] for place, name in names.items()},
        "tables": {
            table["source_name"]: _table(table, names, schedules)
            for table in sections["Tables"]
        },
        "reducers": {
            one["source_name"]: (
                _params(one["params"], names),
                events.get(one["source_name"]),
                one["visibility"],
                one["ok_return_type"],
                one["err_return_type"],
            )
            for one in sections["Reducers"]
        },
        "procedures": {
            one["source_name"]: (
                _params(one["params"], names),
                _type(one["return_type"], names),
                one["visibility"],
            )
            for one in _of(sections, "Procedures")
        },
        "views": {
            one["source_name"]: (
                one["index"],
                one["is_public"],
                one["is_anonymous"],
                _params(one["params"], names),
                _type(one["return_type"], names),
            )
            for one in _of(sections, "Views")
        },
        "names": {
            kind: mapping
            for entry in sections.get("ExplicitNames", {"entries": []})["entries"]
            for kind, mapping in [_renamed(entry)]
            if mapping["source_name"] != mapping["canonical_name"]
        },
    }  # fmt: skip


def _renamed(entry: Plain) -> tuple[str, Plain]:
    ((kind, mapping),) = entry.items()
    return f"{kind} {mapping['source_name']}", mapping


def _of(sections: Plain, name: str) -> list[Plain]:
    found: list[Plain] = sections.get(name, [])
    return found


def _table(table: Plain, names: dict[int, str], schedules: Plain | None = None) -> Plain:
    """Names of indexes, constraints and sequences are the host's, and its alone."""
    if schedules is None:
        schedule = _some(table["schedule"])
        when = schedule and (schedule["reducer_name"], schedule["scheduled_at_column"])
    else:
        schedule = schedules.get(table["source_name"])
        when = schedule and (schedule["function_name"], schedule["schedule_at_col"])
    return {
        "row": names[table["product_type_ref"]],
        "primary_key": table["primary_key"],
        "indexes": sorted(
            (_some(index["accessor_name"]) or "", repr(index["algorithm"]))
            for index in table["indexes"]
        ),
        "unique": sorted(one["data"]["Unique"]["columns"] for one in table["constraints"]),
        "sequences": sorted((one["column"], one["increment"]) for one in table["sequences"]),
        "schedule": when,
        "type": table["table_type"],
        "access": table["table_access"],
        "defaults": table.get("default_values", []),
        "event": table.get("is_event", False),
    }


def _params(params: Plain, names: dict[int, str]) -> Any:
    return [(_some(one["name"]), _type(one["algebraic_type"], names)) for one in params["elements"]]


def _type(ty: Plain, names: dict[int, str]) -> Any:
    ((kind, payload),) = ty.items()
    if kind == "Ref":
        return names[payload]
    if kind == "Array":
        return [_type(payload, names)]
    if kind in ("Product", "Sum"):
        elements = payload["elements" if kind == "Product" else "variants"]
        return (kind, _params({"elements": elements}, names))
    return kind


def _some(option: Plain) -> Any:
    return option.get("some")
