"""What streams give: rows that were added, updated and removed, and whole transactions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from ._core import TableDiff
from .callbacks import Changes
from .context import Event

_Row = TypeVar("_Row")
_Row_co = TypeVar("_Row_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Added(Generic[_Row_co]):
    """A row that came, or that was there when the stream began: then without an event."""

    row: _Row_co
    event: Event | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Updated(Generic[_Row_co]):
    """A row that changed and kept its key."""

    old: _Row_co
    new: _Row_co
    event: Event | None = field(default=None, compare=False, repr=False)

    @property
    def row(self) -> _Row_co:
        """The row as it is now."""
        return self.new


@dataclass(frozen=True, slots=True)
class Removed(Generic[_Row_co]):
    """A row that left."""

    row: _Row_co
    event: Event | None = field(default=None, compare=False, repr=False)


Change: TypeAlias = Added[_Row] | Updated[_Row] | Removed[_Row]


@dataclass(frozen=True, slots=True)
class Transaction:
    """One message of the server that changed rows. It keeps the message's bytes alive."""

    event: Event
    changes: Changes


def changes_of(diff: TableDiff, event: Event) -> Iterator[Change[Any]]:
    """In the order of callbacks: inserts, deletes, updates."""
    for row in diff.inserts:
        yield Added(row, event)
    for row in diff.deletes:
        yield Removed(row, event)
    for old, new in diff.updates:
        yield Updated(old, new, event)
