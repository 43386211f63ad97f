"""Tables that differ in one type only, with their reducers: declared by loops.

| family | columns | reducers |
| --- | --- | --- |
| `one_TYPE` | `n` | insert |
| `vec_TYPE` | `n`, a list of the type | insert |
| `option_TYPE` | `n`, the type or none | insert |
| `unique_TYPE` | `n`, unique; `data` | insert, update, delete by `n` |
| `pk_TYPE` | `n`, the primary key; `data` | insert, update, delete by `n` |
"""

from __future__ import annotations

from spacetime_py.server import (
    TYPE_CHECKING,
    ConnectionId,
    Identity,
    PrimaryKey,
    ReducerContext,
    Timestamp,
    Unique,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    i128,
    i256,
    reducer,
    table,
    u8,
    u16,
    u32,
    u64,
    u128,
    u256,
)

from .types import ByteStruct, EveryList, EveryPrimitive, Payload, SimpleEnum, UnitStruct

if TYPE_CHECKING:
    from typing import Any

KEYS: dict[str, Any] = {
    "u8": u8,
    "u16": u16,
    "u32": u32,
    "u64": u64,
    "u128": u128,
    "u256": u256,
    "i8": i8,
    "i16": i16,
    "i32": i32,
    "i64": i64,
    "i128": i128,
    "i256": i256,
    "bool": bool,
    "string": str,
    "identity": Identity,
    "connection_id": ConnectionId,
}
COLUMNS: dict[str, Any] = {
    **KEYS,
    "f32": f32,
    "f64": f64,
    "timestamp": Timestamp,
    "simple_enum": SimpleEnum,
    "payload": Payload,
    "unit_struct": UnitStruct,
    "byte_struct": ByteStruct,
    "every_primitive": EveryPrimitive,
    "every_list": EveryList,
}
OPTIONS: dict[str, Any] = {
    "i32": i32,
    "string": str,
    "identity": Identity,
    "simple_enum": SimpleEnum,
    "every_primitive": EveryPrimitive,
    "vec_option_i32": list[i32 | None],
}
TABLES: dict[str, Any] = {}


def declare_table(name: str, columns: dict[str, Any]) -> Any:
    """A public table."""
    title = "".join([part.capitalize() for part in name.split("_")])
    row = type(title, (), {"__annotations__": columns, "__module__": __name__})
    # While the program is imported: a part of the snapshot.
    TABLES[name] = table(public=True, accessor=name)(row)  # spacetime: allow[state]
    return TABLES[name]


def declare_insert(name: str, columns: dict[str, Any]) -> None:
    """`insert_NAME`, which takes the columns."""
    row = TABLES[name]

    def one(ctx: ReducerContext, n: Any) -> None:
        ctx.db[row].insert(row(n=n))

    def two(ctx: ReducerContext, n: Any, data: Any) -> None:
        ctx.db[row].insert(row(n=n, data=data))

    _declare_reducer(f"insert_{name}", one if len(columns) == 1 else two, columns)


def declare_changes(name: str, columns: dict[str, Any]) -> None:
    """`update_NAME` and `delete_NAME`, by the unique column `n`."""
    row = TABLES[name]

    def update(ctx: ReducerContext, n: Any, data: Any) -> None:
        ctx.db[row.n].update(row(n=n, data=data))

    def delete(ctx: ReducerContext, n: Any) -> None:
        ctx.db[row.n].delete(n)

    _declare_reducer(f"update_{name}", update, columns)
    _declare_reducer(f"delete_{name}", delete, {"n": columns["n"]})


def _declare_reducer(name: str, function: Any, parameters: dict[str, Any]) -> None:
    function.__annotations__ = {"ctx": ReducerContext, **parameters}
    reducer(name=name)(function)


def declare_keyed(prefix: str, marker: Any, name: str, type_: Any) -> None:
    """`unique_TYPE` or `pk_TYPE`."""
    declare_table(f"{prefix}_{name}", {"n": marker[type_], "data": i32})
    parameters = {"n": type_, "data": i32}
    declare_insert(f"{prefix}_{name}", parameters)
    declare_changes(f"{prefix}_{name}", parameters)


def declare_plain(name: str, type_: Any) -> None:
    """A table of one column."""
    declare_table(name, {"n": type_})
    declare_insert(name, {"n": type_})


_list: Any = list
for _name, _type in COLUMNS.items():
    declare_plain(f"one_{_name}", _type)
    declare_plain(f"vec_{_name}", bytes if _type is u8 else _list[_type])
for _name, _type in OPTIONS.items():
    declare_plain(f"option_{_name}", _type | None)
for _name, _type in KEYS.items():
    declare_keyed("unique", Unique, _name, _type)
    declare_keyed("pk", PrimaryKey, _name, _type)
declare_keyed("pk", PrimaryKey, "simple_enum", SimpleEnum)
declare_keyed("pk", PrimaryKey, "u32_two", u32)
