"""What waits to be read from a stream, and what happens when that becomes too much."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

from .changes import Added, Change, Removed, Updated
from .exceptions import StreamOverflow

_T = TypeVar("_T")

Overflow: TypeAlias = Literal["error", "drop_oldest"]
RowOverflow: TypeAlias = Literal["error", "drop_oldest", "conflate"]


class Queue(Protocol[_T]):
    """What a stream needs of a queue."""

    dropped: int
    """How many were lost to the policy."""

    def __len__(self) -> int: ...
    def put(self, item: _T) -> None:
        """Raises StreamOverflow."""

    def take(self) -> _T:
        """The oldest; there is one."""
        ...

    def clear(self) -> None: ...


class BoundedQueue(Generic[_T]):
    """Never more than `size`: one more is an error, or costs the oldest."""

    def __init__(self, what: str, size: int, *, drops: bool) -> None:
        self.dropped = 0
        self._what = what
        self._size = size
        self._drops = drops
        self._items: deque[_T] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: _T) -> None:
        if len(self._items) >= self._size:
            if not self._drops:
                raise StreamOverflow(self._what, self._size)
            self._items.popleft()
            self.dropped += 1
        self._items.append(item)

    def take(self) -> _T:
        return self._items.popleft()

    def clear(self) -> None:
        self._items.clear()


class ConflatingQueue:
    """The difference between what its reader has seen and what is now.

    What happens to a row that waits is folded into what waits: of two updates one is left, of an
    insert and its delete nothing. Rows are known by their value, which no other row of a table has;
    an update says which value follows which. So a key has two entries at most (its old row removed,
    a new one added), and the queue is never longer than the table was and is.
    """

    def __init__(self) -> None:
        self.dropped = 0
        # By the row that the reader would have after it, and before it.
        self._arrived: dict[Any, Change[Any]] = {}
        self._removed: dict[Any, Removed[Any]] = {}
        self._order: dict[int, Change[Any]] = {}

    def __len__(self) -> int:
        return len(self._order)

    def put(self, item: Change[Any]) -> None:
        if isinstance(item, Added):
            self._put_added(item)
        elif isinstance(item, Removed):
            self._put_removed(item)
        else:
            self._put_updated(item)

    def take(self) -> Change[Any]:
        item = next(iter(self._order.values()))
        self._forget(item)
        return item

    def clear(self) -> None:
        self._arrived.clear()
        self._removed.clear()
        self._order.clear()

    def _put_added(self, item: Added[Any]) -> None:
        if (left := self._removed.get(item.row)) is not None:
            self._fold(left, 2)  # it is back, and as it was
            return
        if (same := self._arrived.get(item.row)) is not None:
            self._fold(same, 1)  # an event that happened twice
        self._append(item)

    def _put_removed(self, item: Removed[Any]) -> None:
        waiting = self._arrived.get(item.row)
        if waiting is None:
            self._append(item)
        elif isinstance(waiting, Updated):
            self._fold(waiting, 1)
            self._append(Removed(waiting.old, item.event))
        else:
            self._fold(waiting, 2)

    def _put_updated(self, item: Updated[Any]) -> None:
        waiting = self._arrived.get(item.old)
        if waiting is None:
            self._append(item)
        elif isinstance(waiting, Updated):
            is_back = waiting.old == item.new
            self._fold(waiting, 2 if is_back else 1)
            if not is_back:
                self._append(Updated(waiting.old, item.new, item.event))
        else:
            self._fold(waiting, 1)
            self._put_added(Added(item.new, item.event))

    def _append(self, item: Change[Any]) -> None:
        if isinstance(item, Removed):
            self._removed[item.row] = item
        else:
            self._arrived[item.row] = item
        self._order[id(item)] = item

    def _fold(self, item: Change[Any], count: int) -> None:
        self._forget(item)
        self.dropped += count

    def _forget(self, item: Change[Any]) -> None:
        which: dict[Any, Any] = self._removed if isinstance(item, Removed) else self._arrived
        del which[item.row]
        del self._order[id(item)]


def item_queue(what: str, size: int, overflow: str) -> BoundedQueue[Any]:
    """Raises ValueError for a size below 1 and for an unknown policy."""
    if size < 1:
        raise ValueError(f"size is a number of entries, 1 or more, not {size}")
    if overflow not in ("error", "drop_oldest"):
        raise ValueError(f"overflow of {what} is 'error' or 'drop_oldest', not {overflow!r}")
    return BoundedQueue(what, size, drops=overflow == "drop_oldest")


def row_queue(what: str, size: int, overflow: str) -> Queue[Change[Any]]:
    """As `item_queue`, and 'conflate'."""
    if overflow == "conflate":
        return ConflatingQueue()
    if overflow not in ("error", "drop_oldest"):
        policies = "'error', 'drop_oldest' or 'conflate'"
        raise ValueError(f"overflow of {what} is {policies}, not {overflow!r}")
    return item_queue(what, size, overflow)


MakeQueue: TypeAlias = Callable[[str, int, str], Queue[_T]]
