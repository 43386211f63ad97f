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


# What the host says of a call, as its bytes have it: the runtime makes contexts of them natively,
# for in Python this alone would cost more than a small reducer.
_IDENTITY = ("product", Identity, (("_value", "u256"),))
_CONNECTION_ID = ("product", ConnectionId, (("_value", "u128"),))
_TIMESTAMP = ("product", Timestamp, (("_value", "i64"),))


class AnonymousViewContext:
    """The context of a view that is the same for everybody."""

    __slots__ = ()
    db: ClassVar[Database] = handles.database


class ViewContext(AnonymousViewContext):
    """The context of a view that depends on who looks."""

    __slots__ = ("sender",)

    sender: Identity
    """Who looks or calls: a client, or the database itself for scheduled reducers."""


class ReducerContext(ViewContext):
    """Who calls, when, and the database. A transaction is open as long as the reducer runs."""

    __slots__ = ("_connection", "_rng", "_uuids", "timestamp")

    timestamp: Timestamp
    """The time of the transaction: the one clock that a module has."""
    _connection: ConnectionId
    _rng: Rng
    _uuids: int

    @property
    def connection_id(self) -> ConnectionId | None:
        """The connection that called, one for each call over HTTP; None when the database calls."""
        return self._connection if self._connection._value else None

    @property
    def identity(self) -> Identity:
        """The database's own identity."""
        return Identity._of(int.from_bytes(_guest.database_identity(), "little"))

    @property
    def is_internal(self) -> bool:
        """Whether the database itself calls: a scheduled reducer."""
        return self.sender == self.identity

    @property
    def rng(self) -> Rng:
        """Random numbers, seeded by the time of the transaction."""
        try:
            return self._rng
        except AttributeError:  # a context is made without it
            self._rng = Rng(self.timestamp._value)
            return self._rng

    @property
    def jwt(self) -> str | None:
        """The claims of the caller's token, as JSON. ABI 10.5 only."""
        claims = _guest.jwt(int(self._connection).to_bytes(16, "little"))
        return None if claims is None else claims.decode()

    def new_uuid_v4(self) -> UUID:
        """A random UUID. The program has to `import uuid` at its top."""
        return _uuid(self.rng.getrandbits(128), version=4)

    def new_uuid_v7(self) -> UUID:
        """A UUID that sorts by the time of its transaction, then in the order of the calls.

        The program has to `import uuid` at its top.
        """
        count = getattr(self, "_uuids", 0)
        self._uuids = count + 1
        millis = self.timestamp._value // 1000 & (1 << 48) - 1
        high, low = count >> 18 & 0xFFF, count & 0x3FFFF
        return _uuid(millis << 80 | high << 64 | low << 44 | self.rng.getrandbits(44), version=7)


class ProcedureContext(ReducerContext):
    """The context of a procedure: no transaction but those it opens with `with_tx`."""

    __slots__ = ()

    def with_tx(self, work: Callable[[ReducerContext], T]) -> T:
        """Run `work(ctx)` in a transaction: committed at its end, rolled back if it raises."""
        context = ReducerContext()
        context.sender, context._connection = self.sender, self._connection
        context.timestamp = Timestamp(_guest.start_tx())
        try:
            result = work(context)
        except BaseException:
            _guest.abort_tx()
            raise
        _guest.commit_tx()
        return result

    def sleep_until(self, time: Timestamp) -> None:
        """Wait, outside of any transaction."""
        self.timestamp = Timestamp(_guest.sleep_until(time.micros))


def shape(context: type) -> object:
    """The description by which the runtime makes a context."""
    fields: list[tuple[str, object]] = [("sender", _IDENTITY)]
    if context is not ViewContext:
        fields += [("_connection", _CONNECTION_ID), ("timestamp", _TIMESTAMP)]
    return ("product", context, tuple(fields))


def _uuid(number: int, version: int) -> UUID:
    """A number with the marks of a version and of the usual variant."""
    try:
        from uuid import UUID
    except ImportError:
        raise RuntimeError("write `import uuid` at the top of the program for this") from None
    return UUID(int=number & ~(0xF << 76 | 3 << 62) | version << 76 | 2 << 62)
