"""The server's half of versions 2 and 3 of the protocol, as far as tests need it.

Written from the protocol's description, as `wire.py` is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .wire import (
    ME,
    MY_CONNECTION,
    TOKEN,
    Reader,
    Rows,
    array,
    option,
    row_list,
    sized,
    string,
    u32,
    u64,
)


@dataclass
class Subscribe:
    request_id: int
    query_set: int
    queries: list[str]


@dataclass
class Unsubscribe:
    request_id: int
    query_set: int
    flags: int


@dataclass
class Query:
    """OneOffQuery."""

    request_id: int
    query: str


@dataclass
class Call:
    """CallReducer."""

    request_id: int
    flags: int
    reducer: str
    args: bytes


@dataclass
class CallProcedure:
    request_id: int
    flags: int
    procedure: str
    args: bytes


ClientMessage = Subscribe | Unsubscribe | Query | Call | CallProcedure


def client_messages(payload: bytes) -> list[ClientMessage]:
    """One in version 2, one or more in version 3."""
    reader = Reader(payload)
    messages = [_client_message(reader)]
    while reader.rest:
        messages.append(_client_message(reader))
    return messages


def _client_message(reader: Reader) -> ClientMessage:
    tag = reader.u8()
    if tag == 0:
        ids = reader.u32(), reader.u32()
        return Subscribe(*ids, [reader.string() for _ in range(reader.u32())])
    if tag == 1:
        return Unsubscribe(reader.u32(), reader.u32(), reader.u8())
    if tag == 2:
        return Query(reader.u32(), reader.string())
    if tag == 3:
        return Call(reader.u32(), reader.u8(), reader.string(), reader.take(reader.u32()))
    assert tag == 4, f"unexpected client message {tag}"
    return CallProcedure(reader.u32(), reader.u8(), reader.string(), reader.take(reader.u32()))


def initial_connection(identity: bytes = ME) -> bytes:
    return b"\0" + identity + MY_CONNECTION + string(TOKEN)


def query_rows(rows: Rows) -> bytes:
    return array([string(table) + row_list(some) for table, some in rows.items()])


def subscribe_applied(message: Subscribe, rows: Rows) -> bytes:
    return b"\1" + u32(message.request_id) + u32(message.query_set) + query_rows(rows)


def unsubscribe_applied(message: Unsubscribe, rows: Rows | None) -> bytes:
    dropped = option(None if rows is None else query_rows(rows))
    return b"\2" + u32(message.request_id) + u32(message.query_set) + dropped


def subscription_error(request_id: int | None, query_set: int, text: str) -> bytes:
    asked = option(None if request_id is None else u32(request_id))
    return b"\3" + asked + u32(query_set) + string(text)


@dataclass
class Change:
    """What happens to one table."""

    inserts: Iterable[object] = ()
    deletes: Iterable[object] = ()


@dataclass
class Events:
    """What happens in an event table."""

    rows: Iterable[object]


Update = Mapping[int, Mapping[str, Change | Events]]
"""By query set, then by table."""


def _table_update(table: str, change: Change | Events) -> bytes:
    if isinstance(change, Events):
        return string(table) + array([b"\1" + row_list(change.rows)])
    rows = b"\0" + row_list(change.inserts) + row_list(change.deletes)
    return string(table) + array([rows])


def _query_sets(update: Update) -> bytes:
    sets = [
        u32(query_set) + array([_table_update(*item) for item in tables.items()])
        for query_set, tables in update.items()
    ]
    return array(sets)


def transaction_update(update: Update) -> bytes:
    return b"\4" + _query_sets(update)


def one_off_result(message: Query, rows: Rows | None, error: str = "") -> bytes:
    result = b"\1" + string(error) if rows is None else b"\0" + query_rows(rows)
    return b"\5" + u32(message.request_id) + result


def ok(update: Update) -> bytes:
    return b"\0" + sized(b"") + _query_sets(update)


OK_EMPTY = b"\1"


def err(message: str) -> bytes:
    """The value that the reducer returned, which is a string."""
    return b"\2" + sized(string(message))


def internal_error(message: str) -> bytes:
    return b"\3" + string(message)


def reducer_result(message: Call, outcome: bytes) -> bytes:
    return b"\6" + u32(message.request_id) + u64(1_000_000) + outcome


def procedure_result(message: CallProcedure, value: bytes, error: str | None = None) -> bytes:
    status = b"\0" + sized(value) if error is None else b"\1" + string(error)
    return b"\7" + status + u64(0) + u64(0) + u32(message.request_id)
