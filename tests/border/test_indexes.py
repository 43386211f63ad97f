"""Indexes of cached rows: equality, ranges, prefixes, order, and the errors of wrong keys."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from spacetime_py import EncodeError, Identity, Index
from spacetime_py._core import Connection
from spacetime_py.listeners import RowCallbacks
from spacetime_py.table import Table
from tests.codegen.golden.schema_2_8_3_version10 import Item, RemoteTables
from tests.codegen.golden.schema_2_8_3_version10._module import MODULE
from tests.scripted import wire

CALLBACKS = {name: RowCallbacks(name) for name in MODULE.table_names}
ADA, BOB = Identity("aa" * 32), Identity("bb" * 32)


def item(id: int, kind: int = 0, level: int = 0, owner: Identity = ADA) -> Item:
    return Item(id=id, code=f"code {id}", owner=owner, kind=kind, level=level, note=None)


class Cache:
    """Tables over a core that a server has greeted."""

    def __init__(self, *items: Item) -> None:
        self.core = Connection(MODULE, authority="localhost:3000", database="test")
        self.core.receive_data(wire.upgrade_answer(self.core.data_to_send()))
        self._receive(wire.identity_token())
        self.db = RemoteTables(self.core, CALLBACKS)
        self.change(items, ())

    def change(self, inserts: Any, deletes: Any) -> None:
        rows = wire.committed({"item": inserts}, {"item": deletes})
        self._receive(wire.transaction_update(rows, reducer="any"))

    def _receive(self, message: bytes) -> None:
        self.core.receive_data(wire.frame(2, b"\0" + message))
        assert self.core.next_event() is not None


def ids(rows: list[Item]) -> list[int]:
    return [row.id for row in rows]


def test_equality() -> None:
    items = Cache(item(1, owner=BOB), item(2), item(3, owner=BOB)).db.item
    assert set(items.owner.filter(BOB)) == {item(1, owner=BOB), item(3, owner=BOB)}
    assert items.owner.filter(Identity("cc" * 32)) == []
    assert (items.owner.count(BOB), items.owner.count(ADA)) == (2, 1)


def test_a_prefix_of_several_columns() -> None:
    items = Cache(item(1, 5, 7), item(2, 5, -7), item(3, 6, 0), item(4, 255, 0)).db.item
    by_kind = items.by_kind_and_level
    assert ids(by_kind.filter((5, 7))) == [1]
    assert ids(by_kind.filter((5,))) == [2, 1]
    assert ids(by_kind.filter((255,))) == [4]
    assert (by_kind.count((5,)), by_kind.count((5, 7)), by_kind.count((7,))) == (2, 1, 0)


@pytest.mark.parametrize(
    ("ends", "options", "expected"),
    [
        ((None, None), {}, [1, 2, 3, 4, 5]),
        (((1, 0), (2, 0)), {}, [2, 3]),
        (((1, 0), (2, 0)), {"include_start": False}, [3]),
        (((1, 0), (2, 0)), {"include_end": True}, [2, 3, 4]),
        (((1,), (2,)), {}, [1, 2, 3]),
        (((1,), (2,)), {"include_end": True}, [1, 2, 3, 4, 5]),
        (((1,), None), {"include_start": False}, [4, 5]),
        ((None, (1, 1)), {}, [1, 2]),
        (((2,), (1,)), {}, []),
        (((1, 0), (1, 0)), {}, []),
        (((1, 0), (1, 0)), {"include_end": True}, [2]),
        (((1,), None), {"limit": 2}, [1, 2]),
        (((1,), None), {"reverse": True, "limit": 2}, [5, 4]),
        ((None, (2,)), {"reverse": True}, [3, 2, 1]),
        ((None, None), {"limit": 0}, []),
    ],
)
def test_ranges(ends: Any, options: Any, expected: list[int]) -> None:
    items = Cache(item(3, 1, 1), item(5, 2, 1), item(1, 1, -1), item(2, 1, 0), item(4, 2, 0))
    assert ids(items.db.item.by_kind_and_level.range(*ends, **options)) == expected


def test_a_unique_column_has_ranges() -> None:
    items = Cache(*(item(id) for id in (300, 2, 1, 256))).db.item
    assert ids(items.id.range()) == [1, 2, 256, 300]
    assert ids(items.id.range(2, 300)) == [2, 256]
    assert ids(items.id.range(2, None, include_start=False, reverse=True)) == [300, 256]
    assert ids(items.code.range("code 2", "code 3", limit=2)) == [2, 256]


def test_an_index_follows_its_table() -> None:
    order = random.Random(5)
    cache = Cache()
    model: dict[int, Item] = {}
    by_kind = cache.db.item.by_kind_and_level
    for _ in range(50):
        changed = order.sample(range(40), 8)
        gone = [model.pop(id) for id in changed if id in model]
        came = [item(id, order.randrange(3), order.randrange(-4, 4)) for id in changed[2:]]
        model.update((row.id, row) for row in came)
        cache.change(came, gone)
        rows = by_kind.range()
        assert sorted(rows, key=lambda row: row.id) == sorted(
            model.values(), key=lambda row: row.id
        )
        keys = [(row.kind, row.level) for row in rows]
        assert keys == sorted(keys)


@pytest.mark.parametrize(
    ("key", "error", "parts"),
    [
        (("a",), EncodeError, ["column `kind` of table `item`", "expected", "u8"]),
        ((1, "high"), EncodeError, ["column `level` of table `item`", "i32"]),
        ((256,), EncodeError, ["column `kind`", "256"]),
        (5, EncodeError, ["`kind`, `level` of table `item`", "tuple", "int"]),
        ([5], EncodeError, ["tuple", "list"]),
        ((), ValueError, ["`kind`, `level` of table `item`", "1 to 2 values", "0 were given"]),
        ((1, 2, 3), ValueError, ["1 to 2 values", "3 were given"]),
    ],
)
def test_wrong_keys(key: Any, error: type[Exception], parts: list[str]) -> None:
    index: Index[Any, Any] = Cache(item(1)).db.item.by_kind_and_level
    uses: list[Callable[[Any], object]] = [
        index.filter,
        index.count,
        index.range,
        lambda key: index.range(None, key),
    ]
    for use in uses:
        with pytest.raises(error) as caught:
            use(key)
        for part in parts:
            assert part in str(caught.value)


def test_a_wrong_key_of_one_column() -> None:
    items = Cache(item(1)).db.item
    wrong: Any = "ada"
    with pytest.raises(EncodeError, match=r"column `owner` of table `item`.*Identity"):
        items.owner.filter(wrong)
    with pytest.raises(EncodeError, match="column `id` of table `item`"):
        items.id.range(wrong)
    with pytest.raises(ValueError, match="limit"):
        items.owner.range(limit=-1)


def test_only_what_the_module_has_an_index_for() -> None:
    cache, listeners = Cache(item(1)).db.item._cache, RowCallbacks("item")
    index: Index[Any, Any] = Index(cache, (0, 1), listeners)
    with pytest.raises(ValueError, match=r"table `item` has no index over the columns \[0, 1\]"):
        index.filter((1, "a"))
    beyond: Index[Any, Any] = Index(cache, (99,), listeners)
    with pytest.raises(ValueError, match="no index"):
        beyond.range()


def test_a_column_that_is_not_unique() -> None:
    column = Cache(item(1)).db.item._cache.unique(3)
    with pytest.raises(ValueError, match="column 3 of table `item` is not unique"):
        column.find(5)


def test_keys_that_begin_alike() -> None:
    texts = [*("\0" * length for length in range(40)), *("same so " * 5)[:34], "same so "]
    texts += ["same so far", "same so far, and longer than a short key", "same so far, and longer"]
    codes = sorted(set(texts))
    rows = [
        Item(id=n, code=code, owner=ADA, kind=0, level=0, note=None) for n, code in enumerate(codes)
    ]
    random.Random(3).shuffle(rows)
    cache = Cache(*rows)
    by_code = cache.db.item.code
    assert [row.code for row in by_code.range()] == codes
    for code in codes:
        found = by_code.find(code)
        assert found is not None
        assert by_code.range(code, code, include_end=True) == [found]
    cache.change((), rows[::2])
    assert by_code.range() == sorted(rows[1::2], key=lambda row: row.code)


def test_identities_that_begin_or_end_alike() -> None:
    numbers = [0, 1, 255, 256, 1 << 64, 1 << 192, (1 << 192) + 1, 0xC2 << 248, (1 << 256) - 1]
    owners = [Identity(f"{number:064x}") for number in numbers]
    rows = [item(id, owner=owners[id % len(owners)]) for id in range(2 * len(owners))]
    index = Cache(*rows[::-1]).db.item.owner
    assert [row.owner for row in index.range()] == sorted([*owners, *owners])
    for place, owner in enumerate(owners):
        assert sorted(ids(index.filter(owner))) == [place, place + len(owners)]
        assert index.count(owner) == 2


def test_a_key_that_looks_something_up_meanwhile() -> None:
    items = Cache(item(1, 5), item(2, 6)).db.item

    class Five:
        def __index__(self) -> int:
            assert ids(items.by_kind_and_level.filter((6, 0))) == [2]
            assert items.id.find(2) is not None
            return 5

    key: Any = (5, 0)
    odd: Any = (Five(), 0)
    assert (
        items.by_kind_and_level.filter(odd) == items.by_kind_and_level.filter(key) == [item(1, 5)]
    )
    assert items.by_kind_and_level.count(odd) == 1


def test_a_class_that_was_generated_without_indexes() -> None:
    class OldTable(Table[Any]):
        _name = "item"
        _unique = {"id": 0}  # noqa: RUF012 - as the generator writes it

    cache = Cache(item(1))
    table = OldTable(cache.core, CALLBACKS)
    assert len(table) == 1
    assert not hasattr(table, "owner")
