"""The description of the module that a database asks for: RawModuleDef, version 9 or 10."""

from __future__ import annotations

from ._light import TYPE_CHECKING
from ._types import UNIT, ScalarType, Typespace, elements, query_type
from ._write import array, blob, columns, flag, i128, option, text, u16, u32

if TYPE_CHECKING:
    from ._finish import FunctionModel, Module
    from ._tables import IndexModel, TableModel

_ALGORITHMS = {"btree": b"\x00", "hash": b"\x01", "direct": b"\x02"}
_USER = b"\x01"


def describe_v9(module: Module) -> bytes:
    """For SpacetimeDB 1.x."""
    space = Typespace()
    tables = [_table_v9(table, space) for table in module.tables]
    reducers = [
        text(one.name)
        + elements(one.fields, space)
        + option(None if one.declared.lifecycle is None else bytes([one.declared.lifecycle]))
        for one in module.reducers
    ]
    defaults = [
        b"\x00" + text(_wire_name(table)) + u16(place) + blob(value)
        for table in module.tables
        for place, value in table.default_bytes()
    ]
    parts = [array(tables), array(reducers), _type_names(space), array(defaults), _filters(module)]
    return b"\x01" + array(space.bodies) + b"".join(parts)


def describe_v10(module: Module) -> bytes:
    """For SpacetimeDB 2.x."""
    space = Typespace()
    tables = [_table_v10(table, space) for table in module.tables]
    reducers = [_reducer_v10(one, _private(module), space) for one in module.reducers]
    procedures = [_procedure(one, _private(module), space) for one in module.procedures]
    views = [_view(one, place, space) for place, one in enumerate(module.views)]
    views += [_view(one, place, space) for place, one in enumerate(module.anonymous_views)]
    schedules = [
        option(None) + text(one.declared.accessor) + u16(one.schedule_column or 0)
        + text(one.declared.scheduled)
        for one in module.tables
        if one.declared.scheduled is not None
    ]  # fmt: skip
    lifecycle = [
        bytes([one.declared.lifecycle]) + text(one.name)
        for one in module.reducers
        if one.declared.lifecycle is not None
    ]
    names = [
        b"\x00" + text(one.declared.accessor) + text(one.declared.name)
        for one in module.tables
        if one.declared.name is not None
    ]
    sections = [
        (0, array(space.bodies)),
        (1, _type_names(space)),
        (2, array(tables)),
        (3, array(reducers)),
        (4, array(procedures)),
        (5, array(views)),
        (6, array(schedules)),
        (7, array(lifecycle)),
        (8, _filters(module)),
        (10, array(names)),
    ]
    empty = u32(0)
    return b"\x02" + array([bytes([tag]) + body for tag, body in sections if body != empty])


def _wire_name(table: TableModel) -> str:
    return table.declared.name or table.declared.accessor


def _table_v9(table: TableModel, space: Typespace) -> bytes:
    indexes = [option(None) + option(text(one.accessor)) + _algorithm(one) for one in table.indexes]
    schedule = None
    if table.declared.scheduled is not None:
        place = table.schedule_column or 0
        schedule = option(None) + text(table.declared.scheduled) + u16(place)
    head = text(_wire_name(table)) + u32(space.ref(table.row)) + _primary_key(table)
    rest = _constraints(table) + _sequences(table) + option(schedule)
    return head + array(indexes) + rest + _USER + _access(table)


def _table_v10(table: TableModel, space: Typespace) -> bytes:
    indexes = [
        option(text(table.index_name(one))) + option(text(one.accessor)) + _algorithm(one)
        for one in table.indexes
    ]
    defaults = [u16(place) + blob(value) for place, value in table.default_bytes()]
    head = text(table.declared.accessor) + u32(space.ref(table.row)) + _primary_key(table)
    rest = _constraints(table) + _sequences(table) + _USER + _access(table)
    return head + array(indexes) + rest + array(defaults) + flag(table.declared.event)


def _primary_key(table: TableModel) -> bytes:
    return columns([] if table.primary_key is None else [table.primary_key])


def _constraints(table: TableModel) -> bytes:
    return array([option(None) + b"\x00" + columns([place]) for place in table.unique])


def _sequences(table: TableModel) -> bytes:
    bounds = option(None) * 3
    return array([option(None) + u16(place) + bounds + i128(1) for place in table.sequences])


def _access(table: TableModel) -> bytes:
    return b"\x00" if table.declared.public else b"\x01"


def _algorithm(index: IndexModel) -> bytes:
    tag = _ALGORITHMS[index.algorithm]
    return tag + (u16(index.places[0]) if index.algorithm == "direct" else columns(index.places))


def _private(module: Module) -> frozenset[str]:
    """The functions that only the database calls."""
    scheduled = [one.declared.scheduled for one in module.tables if one.declared.scheduled]
    events = [one.name for one in module.reducers if one.declared.lifecycle is not None]
    return frozenset([*scheduled, *events])


def _reducer_v10(one: FunctionModel, private: frozenset[str], space: Typespace) -> bytes:
    error = ScalarType("str").algebraic(space)
    callable_ = flag(one.name not in private)
    return text(one.name) + elements(one.fields, space) + callable_ + UNIT + error


def _procedure(one: FunctionModel, private: frozenset[str], space: Typespace) -> bytes:
    returns = one.returns.algebraic(space)
    return text(one.name) + elements(one.fields, space) + returns + flag(one.name not in private)


def _view(one: FunctionModel, place: int, space: Typespace) -> bytes:
    returns = query_type(one.returns, space) if one.is_query else one.returns.algebraic(space)
    flags = flag(one.declared.public) + flag(one.anonymous)
    return text(one.name) + u32(place) + flags + elements(one.fields, space) + returns


def _type_names(space: Typespace) -> bytes:
    """Types have the order of their fields from the program, which is what the flag says."""
    ordered = flag(True)
    return array(
        [
            array([]) + text(named.name) + u32(place) + ordered
            for place, named in enumerate(space.named)
        ]
    )


def _filters(module: Module) -> bytes:
    return array([text(sql) for sql in module.filters])
