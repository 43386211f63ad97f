"""The runtime's functions on tables, at both ABI levels."""

from __future__ import annotations

from .probe import Probe, text_argument

CLEAN = "[ctx.db[Item].delete(row) for row in list(ctx.db[Item])]\n"


def test_insert_find_update_delete(any_probe: Probe) -> None:
    text = f"""{CLEAN}
items = ctx.db[Item]
one = items.insert(Item(name="a"))
found = ctx.db[Item.id].find(one.id)
found.name = "b"
ctx.db[Item.id].update(found)
again = ctx.db[Item.id].find(one.id)
gone = ctx.db[Item.id].delete(one.id)
(one.id > 0, again.name, again.size, gone, ctx.db[Item.id].find(one.id), len(items))"""
    assert any_probe(text) == (True, "b", 1, True, None, 0)


def test_insert_many_fills_in_what_is_generated(any_probe: Probe) -> None:
    text = f"""{CLEAN}
rows = [Item(name=str(n), size=n % 7) for n in range(500)]
count = ctx.db[Item].insert_many(rows)
ids = [row.id for row in rows]
stored = list(ctx.db[Item])
(count, ids == list(range(ids[0], ids[0] + 500)), len(stored), stored[3].name, len(ctx.db[Item]))"""
    assert any_probe(text) == (500, True, 500, "3", 500)


def test_rows_larger_than_a_chunk(any_probe: Probe) -> None:
    text = f"""{CLEAN}
sizes = [10, 200_000, 5, 70_000, 1_000_000]
ctx.db[Item].insert_many(Item(name="x" * n) for n in sizes)
first = next(iter(ctx.db[Item]))
([len(row.name) for row in ctx.db[Item]] == sizes, len(ctx.db[Item.id].find(first.id).name))"""
    assert any_probe(text) == (True, 10)


def test_ranges(any_probe: Probe) -> None:
    text = f"""{CLEAN}
ctx.db[Item].insert_many(Item(id=n, name="") for n in range(1000, 1010))
index = ctx.db[Item.id]
ids = [row.id for row in index.range(1003, 1006)]
deleted = index.delete_range(1005, None)
(ids, deleted, len(ctx.db[Item]))"""
    assert any_probe(text) == ([1003, 1004, 1005], 5, 5)


def test_refusals_are_exceptions(any_probe: Probe) -> None:
    text = f"""{CLEAN}
from spacetime_py.server import UniqueViolation, NoSuchRow
ctx.db[Item].insert(Item(id=7, name="a"))
try:
    ctx.db[Item].insert(Item(id=7, name="b"))
except UniqueViolation as error:
    first = (error.errno, error.call)
try:
    ctx.db[Item.id].update(Item(id=9, name="b"))
except NoSuchRow as error:
    second = (error.errno, error.call)
(first, second, len(ctx.db[Item]))"""
    assert any_probe(text) == ((12, "insert"), (15, "update"), 1)


def test_names_that_are_not_there(any_probe: Probe) -> None:
    assert "HostError: table_id 'nothing': the database has no such table" in any_probe.error(
        "table_id('nothing')"
    )
    assert "the database has no such index" in any_probe.error("index_id('nothing')")


def test_rows_do_not_outlive_their_call(any_probe: Probe) -> None:
    fill = f"""{CLEAN}
ctx.db[Item].insert_many(Item(name="") for _ in range(10))
keep_rows = iter(ctx.db[Item])
1"""
    assert any_probe(fill) == 1
    assert "of an earlier call" in any_probe.error("next(keep_rows)")
    assert any_probe("list(keep_rows)") == []


def test_an_iteration_may_be_left_early(any_probe: Probe) -> None:
    text = f"""{CLEAN}
ctx.db[Item].insert_many(Item(name="x" * 1000) for _ in range(100))
for _ in range(50):
    for row in ctx.db[Item]:
        break
    next(iter(ctx.db[Item]))
row.name[:2]"""
    assert any_probe(text) == "xx"


def test_wrong_arguments_are_type_errors(any_probe: Probe) -> None:
    wrong = """find(1); insert(1, 2, 3, 4, 5); scan('x', 1); log(1, 2, 3, 4, 5); encode(1, 2)
        decode(codec('u8'), 'x'); codec_define(1, 2); configure(Nothing=1); Codec(); Rows()
        configure(HostError=int)"""
    for text in wrong.replace("\n", ";").split(";"):
        assert any_probe.error(text.strip()).startswith("TypeError"), text


def test_the_clock_and_chance_are_those_of_the_call(any_probe: Probe) -> None:
    text = text_argument("(__import__('time').time(), __import__('posix').urandom(4).hex())")
    seen: list[str] = []
    for timestamp in (1_700_000_000_000_000, 1_700_000_000_000_000, 1_800_000_000_000_000):
        assert any_probe.host.reducer(0, text, timestamp=timestamp).code == 0
        seen.append(any_probe.host.logs[-1].text)
    assert seen[0].startswith("(1700000000.0, '")
    assert seen[0] == seen[1]
    assert seen[0][-11:] != seen[2][-11:]
