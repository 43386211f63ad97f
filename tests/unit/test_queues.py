"""Queues of streams: what a slow reader gets under each policy, held to a model."""

from __future__ import annotations

import random

import pytest

from spacetime_py import Added, Change, Removed, StreamOverflow, Updated
from spacetime_py.queues import ConflatingQueue, item_queue, row_queue

Row = tuple[int, int]
"""Key and value."""


def test_a_full_queue_refuses_one_more() -> None:
    queue = item_queue("things", 2, "error")
    queue.put(1)
    queue.put(2)
    with pytest.raises(StreamOverflow, match="things came faster"):
        queue.put(3)
    assert [queue.take(), queue.take(), len(queue)] == [1, 2, 0]


def test_a_full_queue_drops_the_oldest() -> None:
    queue = item_queue("things", 2, "drop_oldest")
    for number in range(5):
        queue.put(number)
    assert ([queue.take(), queue.take()], queue.dropped) == ([3, 4], 3)


def test_wrong_options() -> None:
    with pytest.raises(ValueError, match="1 or more, not 0"):
        item_queue("things", 0, "error")
    with pytest.raises(ValueError, match=r"'error' or 'drop_oldest', not 'conflate'"):
        item_queue("things", 1, "conflate")
    with pytest.raises(ValueError, match=r"'drop_oldest' or 'conflate', not 'block'"):
        row_queue("things", 1, "block")


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ([Added((1, 0)), Updated((1, 0), (1, 1))], [Added((1, 1))]),
        ([Added((1, 0)), Removed((1, 0))], []),
        ([Removed((1, 0)), Added((1, 0))], []),
        ([Removed((1, 0)), Added((1, 1))], [Removed((1, 0)), Added((1, 1))]),
        ([Removed((1, 0)), Added((1, 1)), Updated((1, 1), (1, 0))], []),
        ([Updated((1, 0), (1, 1)), Updated((1, 1), (1, 2))], [Updated((1, 0), (1, 2))]),
        ([Updated((1, 0), (1, 1)), Updated((1, 1), (1, 0))], []),
        ([Updated((1, 0), (1, 1)), Removed((1, 1))], [Removed((1, 0))]),
        ([Updated((1, 0), (1, 1)), Removed((1, 1)), Added((1, 0))], []),
        ([Added((1, 0)), Added((1, 0))], [Added((1, 0))]),
    ],
)
def test_conflating(changes: list[Change[Row]], left: list[Change[Row]]) -> None:
    queue = ConflatingQueue()
    for change in changes:
        queue.put(change)
    assert [queue.take() for _ in range(len(queue))] == left
    assert queue.dropped == len(changes) - len(left)


class Reader:
    """A table as it is made from what a stream gives."""

    def __init__(self) -> None:
        self.rows: set[Row] = set()

    def apply(self, change: Change[Row]) -> None:
        """Each change fits what the reader has."""
        if isinstance(change, Updated):
            self.rows.remove(change.old)
            assert change.old != change.new
        elif isinstance(change, Removed):
            self.rows.remove(change.row)
        if not isinstance(change, Removed):
            assert change.row not in self.rows
            self.rows.add(change.row)


def random_change(table: dict[int, int], draw: random.Random, has_key: bool) -> Change[Row]:
    key, value = draw.randrange(4), draw.randrange(3)
    if key not in table:
        table[key] = value
        return Added((key, value))
    before = table.pop(key)
    if not has_key or value == before or draw.random() < 0.4:
        return Removed((key, before))
    table[key] = value
    return Updated((key, before), (key, value))


@pytest.mark.parametrize("has_key", [True, False])
@pytest.mark.parametrize("seed", range(40))
def test_a_conflating_queue_leads_its_reader_to_the_table_of_now(seed: int, has_key: bool) -> None:
    draw = random.Random(seed)
    queue, reader, table = ConflatingQueue(), Reader(), dict[int, int]()
    put = taken = 0
    for _ in range(300):
        queue.put(random_change(table, draw, has_key))
        put += 1
        assert len(queue) <= 2 * 4, "two entries for a key at most"
        while len(queue) and draw.random() < 0.2:
            reader.apply(queue.take())
            taken += 1
    while len(queue):
        reader.apply(queue.take())
        taken += 1
    assert reader.rows == set(table.items())
    assert queue.dropped == put - taken
