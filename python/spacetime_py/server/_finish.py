"""From declarations to what is described and called: types resolved, all of it checked.

Everything that is wrong is collected, so that a build shows all of it at once.
"""

from __future__ import annotations

from . import _guest, handles
from ._functions import Query
from ._light import TYPE_CHECKING, GenericAlias
from ._resolve import Resolver
from ._rows import wire_name
from ._tables import TableModel, build_table, fill_table
from ._types import (
    Field,
    ListType,
    OptionType,
    ProductType,
    ScheduleAtType,
    Type,
    UnitType,
    is_scalar,
    tuple_shape,
)
from .context import AnonymousViewContext, ProcedureContext, ReducerContext, ViewContext

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._functions import Function
    from ._guest import Codec
    from ._module import Declarations

CONTEXTS = {
    "reducer": (ReducerContext,),
    "view": (ViewContext, AnonymousViewContext),
    "procedure": (ProcedureContext,),
}


class FunctionModel:
    """A function with its types."""

    def __init__(self, declared: Function, fields: list[Field], returns: Type) -> None:
        self.declared = declared
        self.name = declared.name
        self.fields = fields
        self.returns = returns
        self.anonymous = False
        # Of a view that gives SQL; then `returns` is the type of the rows.
        self.is_query = False

    def arguments(self) -> Codec | None:
        return _guest.codec(tuple_shape(self.fields)) if self.fields else None


class Module:
    """The whole program, ready to be described."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.tables: list[TableModel] = []
        self.reducers: list[FunctionModel] = []
        self.views: list[FunctionModel] = []
        self.anonymous_views: list[FunctionModel] = []
        self.procedures: list[FunctionModel] = []
        self.filters: list[str] = []

    def functions(self) -> list[FunctionModel]:
        return [*self.reducers, *self.views, *self.anonymous_views, *self.procedures]


def finish(declarations: Declarations, abi: tuple[int, int]) -> Module:
    """Check and resolve all; `problems` of the result is empty when it can be published."""
    module = Module()
    module.filters = declarations.filters
    resolver = Resolver(module.problems)
    module.tables = [build_table(one, resolver) for one in declarations.tables]
    for table in module.tables:
        fill_table(table, resolver, module.problems)
    for declared in declarations.functions:
        _place_function(module, _function(declared, resolver, module.problems))
    _check_names(module)
    _check_schedules(module)
    _check_abi(module, abi)
    if not module.problems:
        known: Any = handles.database
        for key in list(known):
            del known[key]  # not by `clear`: a table may have that name
        for name in list(vars(handles.database)):
            delattr(known, name)
        for table in module.tables:
            table.install(handles.database, by_accessor=abi >= (10, 5))
    return module


def _function(declared: Function, resolver: Resolver, problems: list[str]) -> FunctionModel:
    what = f"{declared.kind} {declared.name}"
    fields: list[Field] = []
    for name in declared.parameters:
        if name not in declared.annotations:
            problems.append(
                f"{declared.place}: {what}: parameter {name!r} has no type: write `{name}: str`"
            )
            continue
        label = f"{what}, parameter {name!r}"
        type_ = resolver.resolve(declared.annotations[name], declared.place, label)
        fields.append(Field(name, wire_name(name), type_))
    made = FunctionModel(declared, fields, UnitType())
    _check_context(made, what, resolver, problems)
    if declared.kind != "reducer":
        _result(made, what, resolver, problems)
    return made


def _check_context(made: FunctionModel, what: str, resolver: Resolver, problems: list[str]) -> None:
    declared = made.declared
    context = resolver.attempt(declared.annotations.get(declared.context), declared.place)
    if isinstance(context, str):
        context = None  # imported for type checkers only
    made.anonymous = context is AnonymousViewContext
    known = CONTEXTS[declared.kind]
    needed = declared.kind == "view" and context is None
    if needed or (context is not None and context not in known):
        names = " or ".join([cls.__name__ for cls in known])
        problems.append(
            f"{declared.place}: {what}: the first parameter is the context: "
            f"write `{declared.context}: {names}`"
        )


def _result(made: FunctionModel, what: str, resolver: Resolver, problems: list[str]) -> None:
    declared = made.declared
    if "return" not in declared.annotations:
        problems.append(f"{declared.place}: {what} has no type of its result: write `-> str`")
        return
    annotation = resolver.attempt(declared.annotations["return"], declared.place)
    if declared.kind == "view" and getattr(annotation, "__origin__", None) is Query:
        assert isinstance(annotation, GenericAlias)
        annotation, made.is_query = annotation.__args__[0], True
    if annotation is None and declared.kind == "procedure":
        return
    before = len(problems)
    made.returns = resolver.resolve(annotation, declared.place, f"{what}, result")
    if declared.kind == "view" and not _is_rows(made) and len(problems) == before:
        problems.append(
            f"{declared.place}: {what}: a view gives rows: write `-> list[Item]`, "
            f"`-> Item | None` or `-> Query[Item]`"
        )
    if declared.kind == "view" and made.fields:
        problems.append(f"{declared.place}: {what}: a view takes the context and nothing else")


def _is_rows(made: FunctionModel) -> bool:
    returns = made.returns
    if made.is_query:
        return isinstance(returns, ProductType)
    if isinstance(returns, ListType):
        return isinstance(returns.item, ProductType)
    return isinstance(returns, OptionType) and isinstance(returns.some, ProductType)


def _place_function(module: Module, made: FunctionModel) -> None:
    if made.declared.kind == "view":
        (module.anonymous_views if made.anonymous else module.views).append(made)
    else:
        (module.reducers if made.declared.kind == "reducer" else module.procedures).append(made)


def _check_names(module: Module) -> None:
    """Names are identifiers, and each stands for one thing."""
    things: list[tuple[str, str, object]] = []
    for table in module.tables:
        names = {table.declared.accessor, table.declared.name or table.declared.accessor}
        things += [(f"table {name}", name, table.declared.place) for name in sorted(names)]
    for function in module.functions():
        kind = "view" if function.declared.kind == "view" else "function"
        things.append((f"{kind} {function.name}", function.name, function.declared.place))
    first: dict[str, object] = {}
    for label, name, place in things:
        # A view is read like a table.
        key = label.replace("view ", "table ")
        if not name.isidentifier():
            module.problems.append(f"{place}: {label}: a name has letters, digits and _ only")
        elif name.startswith("st_") and key.startswith("table "):
            module.problems.append(f"{place}: {label}: names with st_ are the database's own")
        if key in first:
            module.problems.append(
                f"{place}: {label} is there already, at {first[key]}: give one of them another name"
            )
        first.setdefault(key, place)


def _check_schedules(module: Module) -> None:
    functions = {one.name: one for one in [*module.reducers, *module.procedures]}
    for table in module.tables:
        declared = table.declared
        if declared.scheduled is None:
            continue
        what = f"{declared.place}: table {declared.accessor}"
        function = functions.get(declared.scheduled)
        if function is None:
            module.problems.append(
                f"{what}: there is no reducer {declared.scheduled!r} to be scheduled: "
                f"define it, or name another one"
            )
        elif [one.type for one in function.fields] != [table.row]:
            cls = declared.cls.__name__
            module.problems.append(
                f"{function.declared.place}: reducer {function.name} is scheduled by table "
                f"{declared.accessor}, so it takes its row: write `(ctx, row: {cls})`"
            )
        times = [
            place
            for place, one in enumerate(table.row.fields)
            if isinstance(one.type, ScheduleAtType)
        ]
        if len(times) != 1:
            module.problems.append(
                f"{what} is scheduled, so it has one column of type ScheduleAt, not {len(times)}"
            )
        else:
            table.schedule_column = times[0]
        if table.primary_key is None or not is_scalar(
            table.row.fields[table.primary_key].type, lambda name: name == "u64"
        ):
            module.problems.append(
                f"{what} is scheduled, so its primary key is a u64: "
                f"write `scheduled_id: PrimaryKey[u64] = auto_inc()`"
            )


def _check_abi(module: Module, abi: tuple[int, int]) -> None:
    """What servers of version 1 do not have."""
    if abi >= (10, 5):
        return
    found = [(one.declared.place, f"{one.declared.kind} {one.name}") for one in module.functions()]
    found = [item for item in found if not item[1].startswith("reducer")]
    for table in module.tables:
        what = f"table {table.declared.accessor}"
        if table.declared.event:
            found.append((table.declared.place, f"event {what}"))
        if any(one.algorithm == "hash" for one in table.indexes):
            found.append((table.declared.place, f"hash index of {what}"))
    for place, what in found:
        module.problems.append(
            f'{place}: {what} needs SpacetimeDB 2.x: put `abi = "10.5"` into [tool.spacetime] '
            f"of pyproject.toml, or do without it"
        )


def view_caller(made: FunctionModel) -> Callable[..., bytes]:
    """The view as the runtime calls it: it gives the bytes of the whole answer."""
    function, is_query = made.declared.function, made.is_query
    row = made.returns
    is_option = isinstance(row, OptionType)
    if isinstance(row, OptionType):
        row = row.some
    rows = ListType(row).codec() if not isinstance(row, ListType) else row.codec()

    def call(*args: Any) -> bytes:
        result = function(*args)
        if is_query:
            sql = result.sql.encode()
            return b"\x01" + len(sql).to_bytes(4, "little") + bytes(sql)
        if is_option:
            result = [] if result is None else [result]
        return b"\x00" + _guest.encode(rows, result)

    return call


def procedure_caller(made: FunctionModel) -> Callable[..., bytes]:
    """The procedure as the runtime calls it: it gives the bytes of its result."""
    function = made.declared.function
    if isinstance(made.returns, UnitType):

        def call_for_nothing(*args: Any) -> bytes:
            function(*args)
            return b""

        return call_for_nothing
    codec = made.returns.codec()

    def call(*args: Any) -> bytes:
        return _guest.encode(codec, function(*args))

    return call
