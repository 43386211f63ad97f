"""From the declaration of a table to its columns, indexes and handles."""

from __future__ import annotations

from . import _guest
from ._light import TYPE_CHECKING, GenericAlias
from ._rows import UNSET, Column
from ._types import INTEGERS, Field, ProductType, Type, is_scalar, tuple_shape
from .declare import Indexed, IndexedColumns, PrimaryKey, Unique, UniqueColumn
from .handles import Database, Index, Table, UniqueIndex

if TYPE_CHECKING:
    from typing import Any

    from ._resolve import Resolver
    from ._rows import Attribute
    from .declare import TableDeclaration

DIRECT = ("u8", "u16", "u32", "u64")


class IndexModel:
    """An index: its name for programs, its columns, whether it is unique."""

    def __init__(self, accessor: str, places: list[int], algorithm: str, unique: bool) -> None:
        self.accessor = accessor
        self.places = places
        self.algorithm = algorithm
        self.unique = unique


class TableModel:
    """A table with its types."""

    def __init__(self, declared: TableDeclaration, row: ProductType) -> None:
        self.declared = declared
        self.row = row
        self.primary_key: int | None = None
        self.unique: list[int] = []
        self.sequences: list[int] = []
        self.indexes: list[IndexModel] = []
        self.defaults: list[tuple[int, object]] = []
        self.schedule_column: int | None = None

    def index_name(self, index: IndexModel) -> str:
        """The name that hosts give too; those of version 1 with the table's name in SQL."""
        names = [self.row.fields[place].name for place in index.places]
        return f"{self.declared.accessor}_{'_'.join(names)}_idx_{index.algorithm}"

    def default_bytes(self) -> list[tuple[int, bytes]]:
        return [
            (place, _guest.encode(self.row.fields[place].type.codec(), value))
            for place, value in self.defaults
        ]

    def install(self, database: Database, *, by_accessor: bool) -> None:
        """Make the handles, and put them where `ctx.db` finds them.

        Servers of version 2 take the accessor for tables and their indexes, and may have given
        them other names; those of version 1 know the names in SQL only.
        """
        declared = self.declared
        name = (None if by_accessor else declared.name) or declared.accessor
        columns = [self.row.fields[place] for place in self.sequences]
        generated = _guest.codec(tuple_shape(columns)) if columns else None
        table: Table[Any] = Table(
            name, self.row.codec(), generated, tuple(one.attribute for one in columns)
        )
        # At run time a Database is a dict with attributes.
        keyed: Any = database
        keyed[declared.cls] = table
        setattr(database, declared.accessor, table)
        for index in self.indexes:
            index_name = name + self.index_name(index).removeprefix(declared.accessor)
            self._install_index(keyed, table, index, index_name)

    def _install_index(self, keyed: Any, table: Table[Any], index: IndexModel, name: str) -> None:
        fields = [self.row.fields[place] for place in index.places]
        label = f"{self.declared.cls.__name__}.{index.accessor}"
        codecs = [field.type.codec() for field in fields]
        names = tuple(field.name for field in fields)
        kind: Any = UniqueIndex if index.unique else Index
        handle = kind(table, name, label, codecs, names)
        key_kind: Any = UniqueColumn if index.unique else IndexedColumns
        key = vars(self.declared.cls).get(index.accessor)
        if type(key) is not key_kind:  # an annotation of some other spelling
            key = key_kind(label)
            setattr(self.declared.cls, index.accessor, key)
        keyed[key] = handle
        if not hasattr(type(table), index.accessor):
            setattr(table, index.accessor, handle)


def build_table(declared: TableDeclaration, resolver: Resolver) -> TableModel:
    """A table without columns yet: those of others may be of its type."""
    return TableModel(declared, resolver.row(declared))


def fill_table(table: TableModel, resolver: Resolver, problems: list[str]) -> None:
    """Resolve the columns, and what is said about them."""
    declared = table.declared
    noted: list[str] = []
    if not declared.attributes:
        noted.append("has no columns: annotate them in the class, `name: str`")
    for place, attribute in enumerate(declared.attributes):
        marker, inner = _marker(attribute, resolver)
        label = f"{declared.cls.__name__}.{attribute.name}"
        type_ = resolver.resolve(inner, attribute.place, label)
        table.row.fields.append(Field(attribute.name, attribute.wire_name, type_))
        given = attribute.default
        column = given if isinstance(given, Column) else Column(False, False, False, None, UNSET)
        noted += _column(table, place, column, marker, type_)
    noted += _indexes(table)
    problems += [f"{declared.place}: table {declared.accessor} {text}" for text in noted]


def _marker(attribute: Attribute, resolver: Resolver) -> tuple[object, object]:
    """`PrimaryKey[u64]` apart: the marker, and the type within."""
    annotation = resolver.attempt(attribute.annotation, attribute.place)
    if isinstance(annotation, GenericAlias) and annotation.__origin__ in (
        PrimaryKey,
        Unique,
        Indexed,
    ):
        return annotation.__origin__, annotation.__args__[0]
    return None, annotation


def _column(
    table: TableModel, place: int, column: Column, marker: object, type_: Type
) -> list[str]:
    """Enter what is said about one column; gives what is wrong with it."""
    name = table.row.fields[place].name
    problems: list[str] = []
    if column.primary_key or marker is PrimaryKey:
        if table.primary_key is not None:
            first = table.row.fields[table.primary_key].name
            problems.append(f"has two primary keys, {first} and {name}: make one of them unique")
        table.primary_key = place
    unique = column.primary_key or column.unique or marker in (PrimaryKey, Unique)
    if unique:
        table.unique.append(place)
    if column.auto_inc:
        if not is_scalar(type_, INTEGERS.__contains__):
            problems.append(f"has auto_inc on {name}, which is no integer: make it a u64")
        table.sequences.append(place)
    if unique or column.index or marker is Indexed:
        algorithm = column.index or "btree"
        if algorithm == "direct" and not is_scalar(type_, DIRECT.__contains__):
            problems.append(f"has a direct index on {name}: that is for u8, u16, u32 and u64 only")
        table.indexes.append(
            IndexModel(table.row.fields[place].attribute, [place], algorithm, unique)
        )
    if column.default is not UNSET:
        if column.auto_inc or unique:
            problems.append(f"has a default for {name}, which would come twice: leave it out")
        table.defaults.append((place, column.default))
    return problems


def _indexes(table: TableModel) -> list[str]:
    """Enter the indexes over several columns; gives what is wrong with them."""
    places = {field.attribute: place for place, field in enumerate(table.row.fields)}
    problems: list[str] = []
    for index in table.declared.indexes:
        shown = ", ".join([repr(name) for name in index.columns])
        unknown = [name for name in index.columns if name not in places]
        if index.name is None:
            problems.append(f"has index({shown}) without a name: add name=...")
        elif unknown:
            problems.append(f"has index({shown}), and no column {unknown[0]!r}")
        elif len(set(index.columns)) < len(index.columns):
            problems.append(f"has index({shown}), with a column twice")
        elif index.algorithm == "direct":
            problems.append(f"has a direct index({shown}): only one column can have that")
        elif index.name in [one.accessor for one in table.indexes]:
            problems.append(f"has two indexes named {index.name!r}: rename one")
        else:
            columns = [places[name] for name in index.columns]
            table.indexes.append(IndexModel(index.name, columns, index.algorithm, False))
    return problems
