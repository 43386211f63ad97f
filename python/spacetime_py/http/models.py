"""What the HTTP API answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from .._core import Identity, Timestamp


@dataclass(frozen=True)
class IdentityToken:
    """An identity that the server made, and the token that proves it."""

    identity: Identity
    token: str = field(repr=False)


@dataclass(frozen=True)
class Published:
    """A module is in place: `op` tells whether the database is new."""

    database_identity: Identity
    name: str | None
    op: Literal["created", "updated"]


@dataclass(frozen=True)
class Migration:
    """What publishing would do to a database that exists (servers from 1.6 on).

    `is_automatic` is False when the server cannot do it: `plan` is the reason then.
    """

    is_automatic: bool
    plan: str
    breaks_clients: bool
    token: str | None = field(repr=False)


@dataclass(frozen=True)
class DatabaseInfo:
    """Whose database it is, and what runs in it."""

    database_identity: Identity
    owner_identity: Identity
    host_type: str
    initial_program: str


@dataclass(frozen=True)
class SqlResult:
    """The rows of one SQL statement, as tuples in the order of `columns`.

    Values are Python's, by the type of the column; products are dicts, variants of a sum are
    `Variant`s. For a statement that writes, `stats` has the numbers of rows where the server tells.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    duration: timedelta
    stats: Mapping[str, int]

    def dicts(self) -> list[dict[str, Any]]:
        """Rows by the names of their columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class LogLine:
    """One line of a database's log."""

    level: str
    """Error, Warn, Info, Debug, Trace or Panic."""
    timestamp: Timestamp
    message: str
    target: str | None = None
    filename: str | None = None
    line_number: int | None = None

    def __str__(self) -> str:
        when = self.timestamp.to_datetime().isoformat(sep=" ", timespec="milliseconds")
        line = "" if self.line_number is None else f":{self.line_number}"
        place = f"{self.filename}{line}: " if self.filename else ""
        return f"{when} {self.level.upper()} {place}{self.message}"


@dataclass(frozen=True)
class CallResult:
    """A call over HTTP that was committed: what the host measured of it."""

    value: Any
    """What a procedure returned, as JSON; None for a reducer."""
    execution_duration: timedelta | None
    energy_used: int | None
