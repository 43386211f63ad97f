"""The module that both sides use, as RawModuleDefV9: `point`, `user`, `message`, `complex`.

Nothing runs it: `rows.py` and `frames.py` make its bytes, and the live peer serves any schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Type = Mapping[str, Any]


def _builtin(name: str) -> Type:
    return {name: []}


BOOL, U32, U64, I32, I64, F64, STRING = (
    _builtin(name) for name in ("Bool", "U32", "U64", "I32", "I64", "F64", "String")
)
BYTES: Type = {"Array": {"U8": []}}


def _product(**fields: Type) -> dict[str, Any]:
    elements = [{"name": {"some": name}, "algebraic_type": ty} for name, ty in fields.items()]
    return {"Product": {"elements": elements}}


def _sum(**variants: Type) -> dict[str, Any]:
    named = [{"name": {"some": name}, "algebraic_type": ty} for name, ty in variants.items()]
    return {"Sum": {"variants": named}}


UNIT = _product()
IDENTITY = _product(__identity__={"U256": []})
TIMESTAMP = _product(__timestamp_micros_since_unix_epoch__=I64)


def _option(ty: Type) -> dict[str, Any]:
    return _sum(some=ty, none=UNIT)


def _array(ty: Type) -> dict[str, Any]:
    return {"Array": ty}


def _types() -> dict[str, dict[str, Any]]:
    """By name, in the order of their references."""
    point, attribute, state = ({"Ref": number} for number in range(3))
    rows = {
        "User": _product(identity=IDENTITY, name=_option(STRING), online=BOOL),
        "Message": _product(id=U64, sender=IDENTITY, sent=TIMESTAMP, text=STRING),
        "Complex": _product(
            id=U64,
            owner=IDENTITY,
            created=TIMESTAMP,
            title=STRING,
            note=_option(STRING),
            position=point,
            tags=_array(STRING),
            scores=_array(I32),
            attributes=_array(attribute),
            state=state,
        ),
    }
    batches = {
        f"{name}Batch": _product(rows=_array({"Ref": ref}))
        for name, ref in (("Point", 0), ("User", 3), ("Message", 4), ("Complex", 5))
    }
    return {
        "Point": _product(x=F64, y=F64, z=F64),
        "Attribute": _product(key=STRING, value=I64),
        "State": _sum(Idle=UNIT, Moving=point, Waiting=STRING),
        **rows,
        **batches,
        "Blob": _product(data=BYTES),
    }


def _table(
    name: str, ref: int, key: int | None = None, indexes: Sequence[tuple[str, int]] = ()
) -> dict[str, Any]:
    constraints = []
    if key is not None:
        constraint = {"Unique": {"columns": [key]}}
        constraints.append({"name": {"some": f"{name}_key"}, "data": constraint})
    return {
        "name": name,
        "product_type_ref": ref,
        "primary_key": [] if key is None else [key],
        "indexes": [
            {
                "name": {"some": f"{name}_{column}_idx_btree"},
                "accessor_name": {"some": column},
                "algorithm": {"BTree": [place]},
            }
            for column, place in indexes
        ],
        "constraints": constraints,
        "sequences": [],
        "schedule": {"none": []},
        "table_type": {"User": []},
        "table_access": {"Public": []},
    }


def _reducer(name: str, **params: Type) -> dict[str, Any]:
    return {"name": name, "params": _product(**params)["Product"], "lifecycle": {"none": []}}


# Types that no table has, in arguments of reducers: bindings have what is used.
UNUSED = ("PointBatch", "UserBatch", "MessageBatch", "ComplexBatch", "Blob")


def bench_schema(more_tables: int = 0) -> dict[str, Any]:
    """The description; `more_tables` copies of `message` are named `message_1` and so on."""
    types = _types()
    refs = {name: number for number, name in enumerate(types)}
    tables = [
        _table("point", refs["Point"]),
        _table("user", refs["User"], 0, [("identity", 0)]),
        _table("message", refs["Message"], 0, [("id", 0)]),
        _table("complex", refs["Complex"], 0, [("id", 0), ("owner", 1)]),
    ]
    for number in range(1, more_tables + 1):
        tables.append(_table(f"message_{number}", refs["Message"], 0, [("id", 0)]))
    message, row = {"Ref": refs["Message"]}, {"Ref": refs["Complex"]}
    reducers = [
        _reducer("say", text=STRING),
        _reducer("insert_message", row=message),
        _reducer("update_message", row=message),
        _reducer("insert_complex", row=row),
        _reducer("fill_message", count=U32),
        _reducer("rewrite_message", first=U64, count=U32, seed=U64),
        _reducer("clear_message"),
        *(_reducer(f"send_{name.lower()}", value={"Ref": refs[name]}) for name in UNUSED),
    ]
    names = [
        {"name": {"scope": [], "name": name}, "ty": ref, "custom_ordering": True}
        for name, ref in refs.items()
    ]
    return {
        "typespace": {"types": list(types.values())},
        "tables": tables,
        "reducers": reducers,
        "types": names,
        "misc_exports": [],
        "row_level_security": [],
    }
