"""That the model notices what is wrong. No server is needed for it."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from .model import (
    COLUMNS,
    Ledger,
    Query,
    Row,
    Rows,
    Watch,
    difference,
    expected,
    of_sql,
    random_query,
)

A: Row = (1, "a", "00", 2, 10, None)
A_CHANGED: Row = (1, "a", "00", 2, 11, None)
B: Row = (2, "b", "00", 3, 20, "note")
PAGE: Row = ("page", 1)


class Table:
    """Keeps nothing and has no rows."""

    def __init__(self) -> None:
        self._cache = SimpleNamespace(missing_deletes=0)

    def on_insert(self, callback: object) -> None: ...
    def on_delete(self, callback: object) -> None: ...
    def on_update(self, callback: object) -> None: ...
    def __iter__(self) -> Any:
        return iter(())


class ReconnectedEvent:
    pass


def context(event: object = None) -> Any:
    return SimpleNamespace(event=event)


@pytest.fixture
def watch() -> Watch:
    state = SimpleNamespace(status=SimpleNamespace(name="RECONNECTING"))
    db = SimpleNamespace(**{table: Table() for table in COLUMNS})
    return Watch(SimpleNamespace(db=db, state=state))


def test_callbacks_in_order(watch: Watch) -> None:
    first, second, third = context(), context(), context(ReconnectedEvent())
    watch.insert("item", first, A)
    watch.insert("diary", first, PAGE)
    watch.update("item", second, A, A_CHANGED)
    watch.insert("item", third, B)
    watch.delete("item", third, A_CHANGED)
    assert watch.faults == []
    assert watch.rows == {"item": {B}, "tag": set(), "diary": {PAGE}, "bulk": set()}
    assert watch.counts["messages"] == 3
    assert watch.counts["reconnected"] == 1
    with pytest.raises(AssertionError, match="other rows than the cache has"):
        watch.check()


def test_callbacks_that_are_wrong(watch: Watch) -> None:
    def faults(*words: str) -> None:
        assert [fault for fault in watch.faults if any(word in fault for word in words)]
        assert len(watch.faults) == len(words)
        watch.faults.clear()

    watch.delete("item", context(), A)
    faults("delete of an absent row of item")
    watch.insert("item", context(), A)
    watch.insert("item", context(), A)
    faults("insert of a present row of item")
    watch.update("item", context(), A, A)
    faults("unchanged", "to a present row")
    watch.update("item", context(), B, A)
    faults("does not keep the primary key", "update of an absent row", "to a present row")
    watch.update("diary", context(), PAGE, ("other", 1))
    faults("does not keep the primary key", "update of an absent row")
    one = context()
    watch.delete("item", one, A)
    watch.insert("item", one, A_CHANGED)
    faults("insert and delete of (1,)")
    watch.faults.append("x")
    with pytest.raises(AssertionError, match="x"):
        watch.check()


def test_rows_of_a_reconnect_come_before_the_state(watch: Watch) -> None:
    watch._connection.state.status.name = "CONNECTED"
    watch.insert("item", context(ReconnectedEvent()), A)
    assert len(watch.faults) == 1


def test_expected_rows() -> None:
    truth: Rows = {"item": {A, B}, "tag": {(1, 1, "x")}, "diary": {PAGE}, "bulk": {(7, 8, "")}}
    nothing: Rows = {table: set() for table in COLUMNS}
    assert expected(truth, []) == nothing
    assert expected(truth, [Query(table) for table in COLUMNS]) == truth
    assert expected(truth, [Query("item", "kind", "=", 2)])["item"] == {A}
    assert expected(truth, [Query("item", "level", ">", 10)])["item"] == {B}
    both = [Query("item", "level", ">", 10), Query("item", "kind", "=", 2)]
    assert expected(truth, both)["item"] == {A, B}
    assert expected(truth, [Query("diary", "n", "<", 1)])["diary"] == set()
    assert difference(truth, truth) == []
    assert len(difference(nothing, truth)) == 4
    assert "item should not have" in difference(truth, {**truth, "item": {A}})[0]


def test_sql_of_queries() -> None:
    assert Query("item").sql == "SELECT * FROM item"
    assert Query("item", "level", ">", -3).sql == "SELECT * FROM item WHERE level > -3"
    rng = random.Random(0)
    assert len({random_query(rng).sql for _ in range(500)}) > 20


def test_rows_of_the_servers_sql() -> None:
    number = ["0x" + "0" * 63 + "1"]
    row = {"id": 1, "code": "c", "owner": number, "kind": 2, "level": 3, "note": [0, "n"]}
    plain = (1, "c", "0" * 63 + "1", 2, 3, "n")
    assert of_sql("item", row) == plain
    named = {**row, "owner": {"__identity__": 1}, "note": {"some": "n"}}
    assert of_sql("item", named) == plain
    assert of_sql("item", {**row, "note": [1, []]})[-1] is None
    assert of_sql("item", {**row, "note": {"none": []}})[-1] is None


def test_the_ledger() -> None:
    def truth(*labels: str) -> Rows:
        return {"tag": {(number, 1, label) for number, label in enumerate(labels)}}

    ledger = Ledger()
    for outcome in ("done", "failed", "unsent", "unknown"):
        ledger.record(outcome, outcome)
    ledger.check(truth("done"))
    ledger.check(truth("done", "unknown", "of somebody else"))
    with pytest.raises(AssertionError, match="done was done, and it is not there"):
        ledger.check(truth())
    with pytest.raises(AssertionError, match="the call for unknown ran 2 times"):
        ledger.check(truth("done", "unknown", "unknown"))
    for outcome in ("failed", "unsent"):
        with pytest.raises(AssertionError, match=f"{outcome} ran, and its call ended as"):
            ledger.check(truth("done", outcome))
    with pytest.raises(AssertionError, match="ended twice"):
        ledger.record("done", "unknown")
    ledger.drop("done")
    ledger.check(truth())
