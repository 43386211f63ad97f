"""What the cache and the callbacks of a connection have to be, worked out without the client.

Rows are plain tuples here, whether they come from the client, from callbacks or from the server's
SQL, so that the three can be compared.
"""

from __future__ import annotations

import operator
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from spacetime_py import Identity
from tests.server.api import Api

Row: TypeAlias = tuple[object, ...]
Rows: TypeAlias = dict[str, set[Row]]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "item": ("id", "code", "owner", "kind", "level", "note"),
    "tag": ("id", "item_id", "label"),
    "diary": ("text", "n"),
    "bulk": ("id", "value", "name"),
}
KEYS: Mapping[str, int | None] = {"item": 0, "tag": 0, "diary": None, "bulk": 0}
"""The position of the primary key."""

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Query:
    """A query that Python can answer too: a whole table, or one comparison."""

    table: str
    column: str = ""
    comparison: str = "="
    value: int = 0

    @property
    def sql(self) -> str:
        where = f" WHERE {self.column} {self.comparison} {self.value}" if self.column else ""
        return f"SELECT * FROM {self.table}{where}"

    def matches(self, row: Row) -> bool:
        if not self.column:
            return True
        field = row[COLUMNS[self.table].index(self.column)]
        return _OPERATORS[self.comparison](field, self.value)


def random_query(rng: random.Random) -> Query:
    choices = (
        lambda: Query(rng.choice(list(COLUMNS))),
        lambda: Query("item", "kind", "=", rng.randrange(4)),
        lambda: Query("item", "level", ">", rng.randrange(-10, 60)),
        lambda: Query("tag", "item_id", "=", rng.randrange(1, 6)),
        lambda: Query("diary", "n", rng.choice("<>"), rng.randrange(10)),
        lambda: Query("bulk", "id", rng.choice("<>"), rng.randrange(200)),
    )
    return rng.choice(choices)()


def expected(truth: Rows, queries: Iterable[Query]) -> Rows:
    """What is cached: each row of the server that at least one live query covers."""
    rows: Rows = {table: set() for table in COLUMNS}
    for query in queries:
        rows[query.table] |= {row for row in truth[query.table] if query.matches(row)}
    return rows


# ---------------------------------------------------------------- rows as plain tuples


def of_client(table: str, row: Any) -> Row:
    """A row of the cache or of a callback."""
    values = (getattr(row, column) for column in COLUMNS[table])
    return tuple(value.hex if isinstance(value, Identity) else value for value in values)


def of_sql(table: str, row: Mapping[str, Any]) -> Row:
    """A row as the server's SQL gives it."""
    values = {column: row[column] for column in COLUMNS[table]}
    if table == "item":
        values["owner"] = _identity(values["owner"])
        values["note"] = _option(values["note"])
    return tuple(values.values())


def _identity(value: Any) -> str:
    """From a product of one 256-bit number, with or without the field's name."""
    (number,) = value.values() if isinstance(value, dict) else value
    return f"{number:064x}" if isinstance(number, int) else str(number).removeprefix("0x")


def _option(value: Any) -> object:
    """From a sum by tag or by name: `[0, "x"]`, `{"some": "x"}`."""
    tag, payload = next(iter(value.items())) if isinstance(value, dict) else value
    return payload if tag in (0, "some") else None


def read_server(api: Api, database: str) -> Rows:
    """All rows that there are."""
    truth: Rows = {}
    for table in COLUMNS:
        rows = [of_sql(table, row) for row in api.sql(database, f"SELECT * FROM {table}")]
        truth[table] = set(rows)
        assert len(truth[table]) == len(rows), f"the server has the same row of {table} twice"
    return truth


def read_cache(connection: Any) -> Rows:
    cached: Rows = {}
    for table in COLUMNS:
        rows = [of_client(table, row) for row in getattr(connection.db, table)]
        cached[table] = set(rows)
        assert len(cached[table]) == len(rows), f"the same row of {table} is cached twice"
    return cached


def difference(got: Rows, wanted: Rows) -> list[str]:
    """In words; empty when they are the same."""
    words = []
    for table in COLUMNS:
        missing, extra = wanted[table] - got[table], got[table] - wanted[table]
        if missing:
            words.append(f"{table} lacks {sorted(map(repr, missing))[:5]} ({len(missing)})")
        if extra:
            words.append(f"{table} should not have {sorted(map(repr, extra))[:5]} ({len(extra)})")
    return words


# ---------------------------------------------------------------- callbacks


class Watch:
    """Applies the row callbacks of a connection to rows of its own, and notes what is wrong.

    Callbacks run synchronously with the message that changed the cache. So whenever the test's own
    code runs, the rows here and the cache have to be the same.
    """

    def __init__(self, connection: Any) -> None:
        self.rows: Rows = {table: set() for table in COLUMNS}
        self.faults: list[str] = []
        self.counts: Counter[str] = Counter()
        self._connection = connection
        self._context: Any = None
        # Of the message that is being told: what was done to each row.
        self._told: dict[str, dict[str, set[Row]]] = {}
        for table in COLUMNS:
            self._register(table)

    def _register(self, name: str) -> None:
        table = getattr(self._connection.db, name)
        table.on_insert(lambda context, row: self.insert(name, context, of_client(name, row)))
        table.on_delete(lambda context, row: self.delete(name, context, of_client(name, row)))
        table.on_update(
            lambda context, old, new: self.update(
                name, context, of_client(name, old), of_client(name, new)
            )
        )

    def insert(self, table: str, context: Any, row: Row) -> None:
        self._begin(context)
        self.counts["insert"] += 1
        if row in self.rows[table]:
            self._fault(f"insert of a present row of {table}: {row}")
        self.rows[table].add(row)
        self._note(table, "insert", row)

    def delete(self, table: str, context: Any, row: Row) -> None:
        self._begin(context)
        self.counts["delete"] += 1
        if row not in self.rows[table]:
            self._fault(f"delete of an absent row of {table}: {row}")
        self.rows[table].discard(row)
        self._note(table, "delete", row)

    def update(self, table: str, context: Any, old: Row, new: Row) -> None:
        self._begin(context)
        self.counts["update"] += 1
        key = KEYS[table]
        if key is None or old[key] != new[key]:
            self._fault(f"update of {table} that does not keep the primary key: {old} {new}")
        if old == new:
            self._fault(f"update of an unchanged row of {table}: {old}")
        if old not in self.rows[table]:
            self._fault(f"update of an absent row of {table}: {old}")
        if new in self.rows[table]:
            self._fault(f"update of {table} to a present row: {new}")
        self.rows[table].discard(old)
        self.rows[table].add(new)
        self._note(table, "update", old)
        self._note(table, "update", new)

    def _begin(self, context: Any) -> None:
        if context is self._context:
            return
        self._context, self._told = context, {}
        self.counts["messages"] += 1
        if type(context.event).__name__ == "ReconnectedEvent":
            self.counts["reconnected"] += 1
            if self._connection.state.status.name == "CONNECTED":
                self._fault("rows of a reconnect are told after the state became CONNECTED")

    def _note(self, table: str, kind: str, row: Row) -> None:
        """Within one message a row is told of once, and a key that stays is an update."""
        told = self._told.setdefault(table, {"insert": set(), "delete": set(), "update": set()})
        key = KEYS[table]
        name: Row = row if key is None else (row[key],)
        others = [other for other, names in told.items() if other != kind and name in names]
        if others:
            self._fault(f"{kind} and {others[0]} of {name} of {table} in one message")
        elif kind != "update" and name in told[kind]:
            self._fault(f"{kind} of {name} of {table} twice in one message")
        told[kind].add(name)

    def _fault(self, text: str) -> None:
        self.faults.append(f"{text} ({self._context.event!r})")

    def check(self) -> None:
        """At any time: the cache is what the callbacks told of, and nothing was wrong with them."""
        assert not self.faults, "\n".join(self.faults[:10])
        wrong = difference(self.rows, read_cache(self._connection))
        assert not wrong, f"the callbacks told of other rows than the cache has: {wrong}"
        assert missing_deletes(self._connection) == 0


def tables_of(connection: Any) -> list[Any]:
    """The handles of all tables."""
    return [getattr(connection.db, name) for name in connection.db._tables]


def missing_deletes(connection: Any) -> int:
    """How many deletes of the server, in all tables, named a row that was not there."""
    return sum(table._cache.missing_deletes for table in tables_of(connection))


# ---------------------------------------------------------------- calls


class Ledger:
    """Tags with labels of their own tell which calls the server ran, and how often."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self._by_label: dict[str, str] = {}
        self._dropped: set[str] = set()

    def record(self, label: str | None, outcome: str) -> None:
        """`outcome`: "done", "failed", "unsent", or "unknown" when the connection was lost."""
        self.outcomes[outcome] += 1
        if label is not None:
            assert label not in self._by_label, f"the call for {label} ended twice"
            self._by_label[label] = outcome

    def drop(self, label: str) -> None:
        """Somebody asks to drop the tag; it may be gone from now on."""
        self._dropped.add(label)

    def check(self, truth: Rows) -> None:
        """Nothing ran twice, nothing that was never sent ran, what was done is there."""
        present = Counter(str(row[2]) for row in truth["tag"])
        for label, count in present.items():
            assert count == 1, f"the call for {label} ran {count} times"
            outcome = self._by_label.get(label, "done")
            assert outcome in ("done", "unknown"), f"{label} ran, and its call ended as {outcome}"
        for label, outcome in self._by_label.items():
            if outcome == "done" and label not in self._dropped:
                assert label in present, f"{label} was done, and it is not there"
