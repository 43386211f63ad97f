"""Queries built of typed columns instead of text: nothing a value contains can become SQL.

Generated packages have a `query` with one `Query` for each table; see docs/topics/queries.md.
Source: SpacetimeDB's SQL for subscriptions, https://spacetimedb.com/docs/sql.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from typing_extensions import Self

from ._core import ConnectionId, Identity, Timestamp
from .names import no_such

T = TypeVar("T")
Row = TypeVar("Row")
OtherRow = TypeVar("OtherRow")
C = TypeVar("C", bound="Columns")
OtherC = TypeVar("OtherC", bound="Columns")

_OPPOSITES = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class Condition:
    """What a row must satisfy. `&`, `|` and `~` combine conditions."""

    __slots__ = ()

    def sql(self) -> str:
        """The condition in SQL."""
        raise NotImplementedError

    def __invert__(self) -> Condition:
        raise NotImplementedError

    def __and__(self, other: Condition | Column[bool]) -> Condition:
        return _Pair("AND", self, condition_of(other))

    def __or__(self, other: Condition | Column[bool]) -> Condition:
        return _Pair("OR", self, condition_of(other))

    def __bool__(self) -> bool:
        raise TypeError("conditions are combined by & and |, in parentheses: not by `and` and `or`")

    def __repr__(self) -> str:
        return f"<{self.sql()}>"


class Comparison(Condition):
    """A column and a value, or two columns."""

    __slots__ = ("_left", "_operator", "_right")

    def __init__(self, left: Column[Any], operator: str, right: Any) -> None:
        self._left = left
        self._operator = operator
        self._right = right

    def sql(self) -> str:
        right = self._right
        text = right.sql() if isinstance(right, Column) else literal(right)
        return f"{self._left.sql()} {self._operator} {text}"

    def __invert__(self) -> Condition:
        return Comparison(self._left, _OPPOSITES[self._operator], self._right)

    @property
    def joins(self) -> bool:
        """Whether it says that two columns are equal."""
        return self._operator == "=" and isinstance(self._right, Column)


class _Pair(Condition):
    __slots__ = ("_left", "_right", "_word")

    def __init__(self, word: str, left: Condition, right: Condition) -> None:
        self._word = word
        self._left = left
        self._right = right

    def sql(self) -> str:
        return f"({self._left.sql()} {self._word} {self._right.sql()})"

    def __invert__(self) -> Condition:
        return _Pair("OR" if self._word == "AND" else "AND", ~self._left, ~self._right)


class Column(Generic[T]):
    """A column of a table in a query. Comparing it gives a `Condition`.

    A column of bools is a condition by itself: `where(lambda user: user.online)`.
    """

    __slots__ = ("_name", "_table")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, table: str, name: str) -> None:
        self._table = table
        self._name = name

    def sql(self) -> str:
        """The column in SQL."""
        return f"{quoted(self._table)}.{quoted(self._name)}"

    def __eq__(self, other: T | Column[T]) -> Comparison:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return Comparison(self, "=", other)

    def __ne__(self, other: T | Column[T]) -> Comparison:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return Comparison(self, "<>", other)

    def __lt__(self, other: T | Column[T]) -> Comparison:
        return Comparison(self, "<", other)

    def __le__(self, other: T | Column[T]) -> Comparison:
        return Comparison(self, "<=", other)

    def __gt__(self, other: T | Column[T]) -> Comparison:
        return Comparison(self, ">", other)

    def __ge__(self, other: T | Column[T]) -> Comparison:
        return Comparison(self, ">=", other)

    def __invert__(self: Column[bool]) -> Condition:
        return ~condition_of(self)

    def __and__(self: Column[bool], other: Condition | Column[bool]) -> Condition:
        return condition_of(self) & other

    def __or__(self: Column[bool], other: Condition | Column[bool]) -> Condition:
        return condition_of(self) | other

    def __bool__(self) -> bool:
        raise TypeError("conditions are combined by & and |, in parentheses: not by `and` and `or`")

    def __repr__(self) -> str:
        return f"<column {self.sql()}>"


class Columns:
    """The columns of a table that queries can compare. Generated classes name them.

    There is nothing else here that a column could be called.
    """

    _table: ClassVar[str]
    _names: ClassVar[Mapping[str, str]]

    def __init__(self) -> None:
        for attribute, name in self._names.items():
            setattr(self, attribute, Column[Any](self._table, name))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_such(self, f"column of `{self._table}` for queries called", name, self._names)


@dataclass(frozen=True)
class Query(Generic[Row, C]):
    """All rows of a table, or those that satisfy conditions. `str()` is the SQL.

    Take it to `subscribe` or `connection.query`; `where` and the semijoins give new ones.
    """

    _columns: C
    _conditions: tuple[Condition, ...] = ()
    _join: str = ""

    def where(self, condition: Callable[[C], Condition | Column[bool]]) -> Self:
        """The rows that also satisfy what `condition` makes of the columns."""
        made = condition_of(condition(self._columns))
        return replace(self, _conditions=(*self._conditions, made))

    def left_semijoin(
        self, other: Query[OtherRow, OtherC], on: Callable[[C, OtherC], Comparison]
    ) -> Query[Row, C]:
        """The rows of this query for which the other one has a match by equal columns.

        The columns must have an index on each side.
        """
        return Query(self._columns, *self._joined(other, on))

    def right_semijoin(
        self, other: Query[OtherRow, OtherC], on: Callable[[C, OtherC], Comparison]
    ) -> Query[OtherRow, OtherC]:
        """The rows of the other query for which this one has a match by equal columns."""
        return Query(other._columns, *self._joined(other, on))

    def _joined(
        self, other: Query[Any, OtherC], on: Callable[[C, OtherC], Comparison]
    ) -> tuple[tuple[Condition, ...], str]:
        if self._join or other._join:
            raise ValueError("a query joins two tables at most")
        match = on(self._columns, other._columns)
        if not match.joins:
            raise ValueError("a semijoin is by two equal columns: lambda a, b: a.id == b.other_id")
        left, right = quoted(self._columns._table), quoted(other._columns._table)
        return (*self._conditions, *other._conditions), f"{left} JOIN {right} ON {match.sql()}"

    def __str__(self) -> str:
        table = quoted(self._columns._table)
        where = " AND ".join(condition.sql() for condition in self._conditions)
        return f"SELECT {table}.* FROM {self._join or table}{f' WHERE {where}' if where else ''}"

    def __repr__(self) -> str:
        return f"Query({str(self)!r})"


class Queries:
    """A query for each table and view. Generated classes name them."""

    _tables: ClassVar[Mapping[str, type[Columns]]]

    def __init__(self) -> None:
        for attribute, columns in self._tables.items():
            setattr(self, attribute, Query[Any, Any](columns()))

    def __repr__(self) -> str:
        return f"<queries: {', '.join(self._tables)}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_such(self, "table", name, self._tables)


def sql_of(query: str | Query[Any, Any]) -> str:
    """The text of a query. Raises TypeError for what is none."""
    if isinstance(query, str):
        return query
    if isinstance(query, Query):  # pyright: ignore[reportUnnecessaryIsInstance]
        return str(query)
    raise TypeError(f"a query is SQL text or a Query, got {type(query).__name__}")


def condition_of(condition: Condition | Column[bool]) -> Condition:
    """A column of bools is the condition that it is true."""
    if isinstance(condition, Column):
        return Comparison(condition, "=", True)
    if isinstance(condition, Condition):  # pyright: ignore[reportUnnecessaryIsInstance]
        return condition
    raise TypeError(f"expected a comparison of columns, got {condition!r}")


def quoted(name: str) -> str:
    """A name in SQL, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A value in SQL. Raises TypeError, ValueError for what SQL has no literal for."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"SQL has no literal for {value}")
        return repr(float(value))
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, Identity | ConnectionId):
        return f"0x{value}"
    if isinstance(value, Timestamp):
        return f"'{value.to_datetime().isoformat()}'"
    raise TypeError(f"a query cannot compare with a value of type {type(value).__name__}")
