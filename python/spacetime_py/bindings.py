"""What generated packages import. Programs import from `spacetime_py` and their own package."""

from .connection import DbConnection
from .context import EventContext
from .query import Column, Columns, Queries, Query
from .reducer import ProcedureCall, Procedures, ReducerCall, Reducers
from .shapes import Module, plain_enum, product, variant
from .table import Index, Table, Tables, UniqueIndex

__all__ = [
    "Column",
    "Columns",
    "DbConnection",
    "EventContext",
    "Index",
    "Module",
    "ProcedureCall",
    "Procedures",
    "Queries",
    "Query",
    "ReducerCall",
    "Reducers",
    "Table",
    "Tables",
    "UniqueIndex",
    "plain_enum",
    "product",
    "variant",
]
