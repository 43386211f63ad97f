"""What functions of a module get as their first argument."""

from __future__ import annotations

from . import _guest, handles
from ._light import TYPE_CHECKING
from ._rng import Rng
from .values import ConnectionId, Identity, Timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar
    from uuid import UUID

    from ._light import T
    from .handles import Database


def _identity(data: bytes) -> Identity:
    return Identity._of(int.from_bytes(data, "little"))


class AnonymousViewContext:
    """The context of a view that is the same for everybody."""

    __slots__ = ()
    db: ClassVar[Database] = handles.database


class ViewContext(AnonymousViewContext):
    """The context of a view that depends on who looks."""

    __slots__ = ("_sender",)

    def __init__(self, sender: bytes) -> None:
        self._sender = sender

    @property
    def sender(self) -> Identity:
        """Who looks."""
        return _identity(self._sender)


class ReducerContext(ViewContext):
    """Who calls, when, and the database. A transaction is open as long as the reducer runs."""

    __slots__ = ("_connection_id", "_micros", "_rng", "_uuids")

    def __init__(self, sender: bytes, connection_id: bytes, timestamp: int) -> None:
        self._sender = sender
        self._connection_id = connection_id
        self._micros = timestamp
        self._rng: Rng | None = None
        self._uuids = 0

    @property
    def sender(self) -> Identity:
        """Who calls: the client, or the database itself for scheduled reducers."""
        return _identity(self._sender)

    @property
    def connection_id(self) -> ConnectionId | None:
        """The connection that called; None for scheduled reducers and calls over HTTP."""
        number = int.from_bytes(self._connection_id, "little")
        return ConnectionId._of(number) if number else None

    @property
    def timestamp(self) -> Timestamp:
        """The time of the transaction: the one clock that a module has."""
        return Timestamp(self._micros)

    @property
    def identity(self) -> Identity:
        """The database's own identity."""
        return _identity(_guest.database_identity())

    @property
    def is_internal(self) -> bool:
        """Whether the database itself calls: a scheduled reducer."""
        return self._sender == _guest.database_identity()

    @property
    def rng(self) -> Rng:
        """Random numbers, seeded by the time of the transaction."""
        if self._rng is None:
            self._rng = Rng(self._micros)
        return self._rng

    @property
    def jwt(self) -> str | None:
        """The claims of the caller's token, as JSON. ABI 10.5 only."""
        claims = _guest.jwt(self._connection_id)
        return None if claims is None else claims.decode()

    def new_uuid_v4(self) -> UUID:
        """A random UUID. The program has to `import uuid` at its top."""
        return _uuid(self.rng.getrandbits(128), version=4)

    def new_uuid_v7(self) -> UUID:
        """A UUID that sorts by the time of its transaction, then in the order of the calls.

        The program has to `import uuid` at its top.
        """
        count, self._uuids = self._uuids, self._uuids + 1
        millis = self._micros // 1000 & (1 << 48) - 1
        high, low = count >> 18 & 0xFFF, count & 0x3FFFF
        return _uuid(millis << 80 | high << 64 | low << 44 | self.rng.getrandbits(44), version=7)


class ProcedureContext(ReducerContext):
    """The context of a procedure: no transaction but those it opens with `with_tx`."""

    __slots__ = ()

    def with_tx(self, work: Callable[[ReducerContext], T]) -> T:
        """Run `work(ctx)` in a transaction: committed at its end, rolled back if it raises."""
        now = _guest.start_tx()
        try:
            result = work(ReducerContext(self._sender, self._connection_id, now))
        except BaseException:
            _guest.abort_tx()
            raise
        _guest.commit_tx()
        return result

    def sleep_until(self, time: Timestamp) -> None:
        """Wait, outside of any transaction."""
        self._micros = _guest.sleep_until(time.micros)


def _uuid(number: int, version: int) -> UUID:
    """A number with the marks of a version and of the usual variant."""
    try:
        from uuid import UUID
    except ImportError:
        raise RuntimeError("write `import uuid` at the top of the program for this") from None
    return UUID(int=number & ~(0xF << 76 | 3 << 62) | version << 76 | 2 << 62)
