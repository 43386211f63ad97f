"""Write a SpacetimeDB module in Python: `spacetime-py publish` makes it the program of a database.

    from spacetime_py.server import PrimaryKey, ReducerContext, auto_inc, reducer, table, u64

    @table(public=True)
    class Person:
        id: PrimaryKey[u64] = auto_inc()
        name: str

    @reducer
    def add(ctx: ReducerContext, name: str) -> None:
        person = ctx.db[Person].insert(Person(name=name))
        log.info(f"{person.name} has number {person.id}")

The guide is docs/topics/modules.md. Nothing here needs the rest of the package, which is not there
inside of a database.
"""

from __future__ import annotations

from . import log
from ._functions import (
    Query,
    client_connected,
    client_disconnected,
    init,
    procedure,
    reducer,
    view,
)
from ._light import TYPE_CHECKING as TYPE_CHECKING
from ._rng import Rng
from .context import AnonymousViewContext, ProcedureContext, ReducerContext, ViewContext
from .declare import (
    Indexed,
    IndexedColumns,
    PrimaryKey,
    Unique,
    UniqueColumn,
    auto_inc,
    client_visibility_filter,
    column,
    index,
    product,
    table,
    variant,
)
from .errors import (
    AutoIncOverflow,
    DeclarationError,
    HostError,
    NoSuchRow,
    ReducerError,
    ScheduleTooFar,
    UniqueViolation,
)
from .handles import Database, Index, Table, UniqueIndex
from .scalars import (
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    i128,
    i256,
    u8,
    u16,
    u32,
    u64,
    u128,
    u256,
)
from .values import (
    ConnectionId,
    Err,
    Identity,
    Ok,
    ScheduleAt,
    Some,
    TimeDuration,
    Timestamp,
)

if TYPE_CHECKING:
    from uuid import UUID as Uuid
else:

    def __getattr__(name):
        """`Uuid` is `uuid.UUID`, imported for those who use it."""
        if name != "Uuid":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from uuid import UUID

        return UUID


__all__ = [
    "TYPE_CHECKING",
    "AnonymousViewContext",
    "AutoIncOverflow",
    "ConnectionId",
    "Database",
    "DeclarationError",
    "Err",
    "HostError",
    "Identity",
    "Index",
    "Indexed",
    "IndexedColumns",
    "NoSuchRow",
    "Ok",
    "PrimaryKey",
    "ProcedureContext",
    "Query",
    "ReducerContext",
    "ReducerError",
    "Rng",
    "ScheduleAt",
    "ScheduleTooFar",
    "Some",
    "Table",
    "TimeDuration",
    "Timestamp",
    "Unique",
    "UniqueColumn",
    "UniqueIndex",
    "UniqueViolation",
    "Uuid",
    "ViewContext",
    "auto_inc",
    "client_connected",
    "client_disconnected",
    "client_visibility_filter",
    "column",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "i256",
    "index",
    "init",
    "log",
    "procedure",
    "product",
    "reducer",
    "table",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "u256",
    "variant",
    "view",
]
