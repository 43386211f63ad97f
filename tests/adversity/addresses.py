"""Recorded messages under other ids: those that the client under test chose.

A listener's messages only, of one query set: the request id and the query set in the answer to a
subscription, and the query set in each transaction, which version 1 does not tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.scripted.wire import Reader, Subscribe, client_message, u32


@dataclass(frozen=True)
class Version:
    """What a listener sees of a version of the protocol."""

    folder: str
    """Of `tests/recordings`."""
    bindings: str
    """Of `tests/codegen/golden`."""
    subprotocol: str
    subscribe: int
    """The tag of what a client sends to subscribe to several queries."""
    applied: int
    """The tag of the answer."""
    listened_to: tuple[int, ...]
    """Tags that come to a client which only subscribes: transactions, greeting, first rows."""
    read_subscribe: Callable[[bytes], Subscribe]
    readdress: Callable[[bytes, Subscribe], bytes]


def _readdress_v1(message: bytes, subscribe: Subscribe) -> bytes:
    """SubscribeMultiApplied: tag, request id, 8 bytes of duration, query set id, rows."""
    if message[0] != VERSIONS["v1"].applied:
        return message
    ids = u32(subscribe.request_id), u32(subscribe.query_set)
    return message[:1] + ids[0] + message[5:13] + ids[1] + message[17:]


def _read_subscribe_v1(data: bytes) -> Subscribe:
    message = client_message(data)
    assert isinstance(message, Subscribe)
    return message


def _read_subscribe_v2(data: bytes) -> Subscribe:
    reader = Reader(data[1:])
    request_id, query_set = reader.u32(), reader.u32()
    return Subscribe([reader.string() for _ in range(reader.u32())], request_id, query_set)


def _readdress_v2(payload: bytes, subscribe: Subscribe) -> bytes:
    """A payload of versions 2 and 3: one message, or several in a row."""
    reader = Reader(payload)
    out = b""
    while reader.rest:
        tag = reader.take(1)
        out += tag
        if tag == b"\0":
            out += reader.take(32 + 16) + _sized(reader)
        elif tag == b"\1":
            reader.take(8)
            out += u32(subscribe.request_id) + u32(subscribe.query_set)
            out += _several(reader, _table_rows)
        else:
            assert tag == b"\4", f"unexpected message {tag[0]}"
            out += _several(reader, lambda reader: _query_set(reader, subscribe.query_set))
    return out


def _query_set(reader: Reader, query_set: int) -> bytes:
    reader.take(4)
    return u32(query_set) + _several(reader, _table_update)


def _table_update(reader: Reader) -> bytes:
    return _sized(reader) + _several(reader, _update_rows)


def _update_rows(reader: Reader) -> bytes:
    tag = reader.take(1)
    lists = 2 if tag == b"\0" else 1
    return tag + b"".join(_row_list(reader) for _ in range(lists))


def _table_rows(reader: Reader) -> bytes:
    return _sized(reader) + _row_list(reader)


def _row_list(reader: Reader) -> bytes:
    hint = reader.take(1)
    size = reader.take(2) if hint == b"\0" else _several(reader, lambda reader: reader.take(8))
    return hint + size + _sized(reader)


def _several(reader: Reader, take: Callable[[Reader], bytes]) -> bytes:
    count = reader.u32()
    return u32(count) + b"".join(take(reader) for _ in range(count))


def _sized(reader: Reader) -> bytes:
    count = reader.u32()
    return u32(count) + reader.take(count)


def _version_2(folder: str, subprotocol: str) -> Version:
    return Version(
        folder=folder,
        bindings="schema_2_8_3_version10",
        subprotocol=subprotocol,
        subscribe=0,
        applied=1,
        listened_to=(0, 1, 4),
        read_subscribe=_read_subscribe_v2,
        readdress=_readdress_v2,
    )


VERSIONS = {
    "v1": Version(
        folder="v1-1.2.0",
        bindings="schema_1_2_0_version9",
        subprotocol="v1.bsatn.spacetimedb",
        subscribe=4,
        applied=8,
        listened_to=(1, 2, 3, 8),
        read_subscribe=_read_subscribe_v1,
        readdress=_readdress_v1,
    ),
    "v2": _version_2("v2-2.8.3", "v2.bsatn.spacetimedb"),
    "v3": _version_2("v3-2.8.3", "v3.bsatn.spacetimedb"),
}
