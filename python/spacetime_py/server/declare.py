"""The decorators for classes: tables, products, variants; and what stands in their bodies."""

# Ruff knows overloads only by the real `typing.overload`.
# ruff: noqa: F811

from __future__ import annotations

from . import _module
from ._light import TYPE_CHECKING, Generic, Key, Row, T
from ._place import Place, caller
from ._rows import UNSET, Attribute, Column, attributes_of, equip
from .errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal, overload

    from typing_extensions import dataclass_transform

    Algorithm = Literal["btree", "hash", "direct"]
else:

    def dataclass_transform(**_):
        return lambda decorator: decorator

    def overload(function):
        return function


ALGORITHMS = ("btree", "hash", "direct")


class UniqueColumn(Generic[Row, Key]):
    """What `Item.id` is for a unique column: the key of its index in `ctx.db`."""

    __slots__ = ("label",)

    def __init__(self, label: str) -> None:
        self.label = label

    def __repr__(self) -> str:
        return self.label


class IndexedColumns(Generic[Row, Key]):
    """What `Item.owner` is for an index that is not unique: its key in `ctx.db`."""

    __slots__ = ("label",)

    def __init__(self, label: str) -> None:
        self.label = label

    def __repr__(self) -> str:
        return self.label


if TYPE_CHECKING:

    class Unique(Generic[T]):
        """Annotation of a column in which no value comes twice: `code: Unique[str]`.

        On a row it is the value; on the class, `ctx.db[Item.code]` is the index.
        """

        @overload
        def __get__(self, instance: None, owner: type[Row]) -> UniqueColumn[Row, T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> T: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...
        def __set__(self, instance: Any, value: T) -> None: ...

    class PrimaryKey(Unique[T]):
        """Annotation of the column that says which row a row is: `id: PrimaryKey[u64]`.

        A unique column that clients use to tell an update from a delete and an insert.
        """

    class Indexed(Generic[T]):
        """Annotation of a column with an index: `owner: Indexed[Identity]`."""

        @overload
        def __get__(self, instance: None, owner: type[Row]) -> IndexedColumns[Row, T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> T: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...
        def __set__(self, instance: Any, value: T) -> None: ...

else:

    class Unique(Generic[T]):
        pass

    class PrimaryKey(Generic[T]):
        pass

    class Indexed(Generic[T]):
        pass


def column(
    *,
    primary_key: bool = False,
    unique: bool = False,
    auto_inc: bool = False,
    index: bool | Algorithm = False,
    default: Any = UNSET,
) -> Any:
    """What a column is beyond its type, for `name: type = column(...)` in a table.

    `primary_key`, `unique`, `index=True` are what the annotations `PrimaryKey[...]`, `Unique[...]`
    and `Indexed[...]` say; only with those do type checkers know the type of `ctx.db[Item.id]`.
    `index` may also name the algorithm: "btree", "hash" or "direct".

    `auto_inc`: 0 is replaced by the next number of a sequence; `auto_inc()` says the same, and
    that the column need not be given. `default`: for rows that are made without it, and for the
    rows that are there when the column is added to a published table (SpacetimeDB 1.4 or later).
    """
    if index not in (True, False, *ALGORITHMS):
        raise DeclarationError(
            f'{caller()}: index={index!r}: say True, "btree", "hash" or "direct"'
        )
    algorithm = ("btree" if index else None) if isinstance(index, bool) else index
    return Column(primary_key, unique, auto_inc, algorithm, default)


def auto_inc() -> Any:
    """A number that the database gives: `id: PrimaryKey[u64] = auto_inc()`.

    Rows are made without it (or with 0); `insert` fills it in.
    """
    return Column(False, False, True, None, UNSET)


class index:
    """An index over several columns: `by_kind_and_level = index("kind", "level")` in a table.

    The attribute is its key in `ctx.db`, and its name for clients. In `@table(indexes=[...])` it
    needs `name`.
    """

    __slots__ = ("algorithm", "columns", "name")

    def __init__(
        self, *columns: str, name: str | None = None, algorithm: Algorithm = "btree"
    ) -> None:
        place = caller()
        if not columns:
            raise DeclarationError(f'{place}: an index needs columns: index("kind", "level")')
        if algorithm not in ALGORITHMS:
            raise DeclarationError(f'{place}: algorithm={algorithm!r}: say "btree" or "hash"')
        self.columns = columns
        self.name = name
        self.algorithm: str = algorithm

    if TYPE_CHECKING:

        def __get__(
            self, instance: object, owner: type[Row]
        ) -> IndexedColumns[Row, tuple[Any, ...]]: ...


class TableDeclaration:
    """A table as its class says it; types come later."""

    def __init__(self, cls: type, place: Place, attributes: list[Attribute]) -> None:
        self.cls = cls
        self.place = place
        self.attributes = attributes
        self.accessor = ""
        self.name: str | None = None
        self.public = False
        self.event = False
        self.scheduled: str | None = None
        self.indexes: list[index] = []


class ProductDeclaration:
    """A class with fields, and the name of its type."""

    def __init__(self, name: str, place: Place, attributes: list[Attribute]) -> None:
        self.name = name
        self.place = place
        self.attributes = attributes


class VariantDeclaration:
    """One case of a sum. Its sum is the union that it is met in."""

    def __init__(self, name: str | None, place: Place, attributes: list[Attribute]) -> None:
        self.name = name
        self.place = place
        self.attributes = attributes


@overload
@dataclass_transform(kw_only_default=True, field_specifiers=(column,))
def table(cls: type[Row], /) -> type[Row]: ...
@overload
@dataclass_transform(kw_only_default=True, field_specifiers=(column,))
def table(
    *,
    accessor: str | None = None,
    name: str | None = None,
    public: bool = False,
    event: bool = False,
    scheduled: str | Callable[..., object] | None = None,
    indexes: Sequence[index] = (),
) -> Callable[[type[Row]], type[Row]]: ...
def table(
    cls: Any = None,
    /,
    *,
    accessor: str | None = None,
    name: str | None = None,
    public: bool = False,
    event: bool = False,
    scheduled: str | Callable[..., object] | None = None,
    indexes: Sequence[index] = (),
) -> Any:
    """A class with annotations becomes a table and the class of its rows.

    `accessor`: the name in `ctx.db` and for clients; without it that of the class in snake_case.
    `name`: the name in SQL, where it is to be another one. `public`: clients may subscribe to it.
    `event`: rows are sent and not kept (SpacetimeDB 2.x). `scheduled`: the reducer that is called
    with each row at the time in its `ScheduleAt` column. `indexes`: see `index`.

    Rows are made by keywords, can be changed, and compare by their columns.
    """
    place = caller()

    def declare(cls: type) -> type:
        for made_by, what in (("__dataclass_fields__", "@dataclass"), ("__slots__", "__slots__")):
            if made_by in cls.__dict__:
                raise DeclarationError(
                    f"{place}: table {cls.__name__} has {what}: leave it out, @table does the work"
                )
        made = TableDeclaration(cls, place, _attributes(cls, place))
        made.accessor = accessor or snake_case(cls.__name__)
        made.name = name
        made.public = public
        made.event = event
        if callable(scheduled):
            made.scheduled = getattr(scheduled, "__name__", "")
        else:
            made.scheduled = scheduled
        made.indexes = [*_indexes_in(cls), *indexes]
        equip(cls, made.attributes, keywords=True)
        _put_keys(cls, made)
        cls.__spacetime__ = made  # type: ignore[attr-defined]
        _module.current.tables.append(made)
        return cls

    return declare if cls is None else declare(cls)


@overload
@dataclass_transform()
def product(cls: type[T], /) -> type[T]: ...
@overload
@dataclass_transform()
def product(*, name: str) -> Callable[[type[T]], type[T]]: ...
def product(cls: Any = None, /, *, name: str | None = None) -> Any:
    """A class with annotations becomes a type for columns and parameters.

    A dataclass is one as it is; this needs no import of `dataclasses`. `name`: the name of the
    type for clients, where it is not that of the class.
    """
    place = caller()

    def declare(cls: type) -> type:
        made = ProductDeclaration(name or cls.__name__, place, _attributes(cls, place))
        equip(cls, made.attributes, keywords=False)
        cls.__spacetime__ = made  # type: ignore[attr-defined]
        return cls

    return declare if cls is None else declare(cls)


@overload
@dataclass_transform()
def variant(cls: type[T], /) -> type[T]: ...
@overload
@dataclass_transform()
def variant(*, name: str) -> Callable[[type[T]], type[T]]: ...
def variant(cls: Any = None, /, *, name: str | None = None) -> Any:
    """One case of a sum type. Its payload, if it has one, is annotated as `value`.

    The sum is the union of its variants, with a name at the top of the program:
    `Shape: TypeAlias = ShapeNothing | ShapeCount`. The variants are then `Nothing` and `Count`:
    what the class has in front of the rest may be the name of the sum. `name` says another one.
    """
    place = caller()

    def declare(cls: type) -> type:
        made = VariantDeclaration(name, place, _attributes(cls, place))
        if [one.name for one in made.attributes] not in ([], ["value"]):
            raise DeclarationError(
                f"{place}: variant {cls.__name__} has more than a `value`: "
                f"put its fields into a class with @product, and that into `value`"
            )
        equip(cls, made.attributes, keywords=False)
        cls.__spacetime__ = made  # type: ignore[attr-defined]
        return cls

    return declare if cls is None else declare(cls)


def client_visibility_filter(sql: str) -> None:
    """Row-level security: clients see of the table only the rows that the query gives.

    `:sender` in it is the identity of the client.
    """
    if not isinstance(sql, str) or not sql.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DeclarationError(f"{caller()}: client_visibility_filter takes one SQL query as text")
    _module.current.filters.append(sql)


def snake_case(name: str) -> str:
    """`RingNote` -> `ring_note`, `HTTPLog` -> `http_log`."""
    words = ""
    for place, letter in enumerate(name):
        after_word = place > 0 and letter.isupper() and name[place - 1] != "_"
        before, after = name[place - 1 : place], name[place + 1 : place + 2]
        if after_word and (not before.isupper() or after.islower()):
            words += "_"
        words += letter.lower()
    return words


def _attributes(cls: type, place: Place) -> list[Attribute]:
    if not isinstance(cls, type):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise DeclarationError(f"{place}: only a class can be a table, a product or a variant")
    return attributes_of(cls, place)


def _put_keys(cls: type, table: TableDeclaration) -> None:
    """Make `Item.id` the key of its index, so that the rest of the program can keep it."""
    for one in table.attributes:
        given = one.default if isinstance(one.default, Column) else None
        mark = _mark(one.annotation)
        label = f"{cls.__name__}.{one.name}"
        if mark in ("PrimaryKey", "Unique") or (given and (given.primary_key or given.unique)):
            setattr(cls, one.name, UniqueColumn(label))
        elif mark == "Indexed" or (given and given.index):
            setattr(cls, one.name, IndexedColumns(label))
    for several in table.indexes:
        if several.name is not None:
            setattr(cls, several.name, IndexedColumns(f"{cls.__name__}.{several.name}"))


def _mark(annotation: object) -> str:
    """`PrimaryKey[u64]` -> `PrimaryKey`, whether it is in quotes or not."""
    if isinstance(annotation, str):
        return annotation.strip("'\" ").partition("[")[0].rpartition(".")[2]
    return getattr(getattr(annotation, "__origin__", None), "__name__", "")


def _indexes_in(cls: type) -> list[index]:
    found = [(name, value) for name, value in vars(cls).items() if isinstance(value, index)]
    for name, value in found:
        value.name = value.name or name
    return [value for _, value in found]
