"""What a collector and a watch count, on a client that is in this process."""

from __future__ import annotations

import gc
import os
import time
from array import array
from typing import Any

import anyio
import pytest

from benches.metrics.collect import Collector, CountingNetwork, GarbagePauses, loop_name
from benches.metrics.process import cpu_seconds, resident, resident_of
from benches.metrics.watch import watching
from benches.python import peer
from benches.python.rows import identity, item, items
from spacetime_py import StreamOverflow, Updated
from spacetime_py.callbacks import Guard
from spacetime_py.dispatch import Dispatcher
from spacetime_py.reducer import new_calls
from tests.codegen.golden import schema_1_2_0_version9 as all_types
from tests.codegen.golden.schema_2_8_3_version10 import DbConnection as Mod28
from tests.peer.process import Peer

pytestmark = pytest.mark.slow


def tables(count: int) -> tuple[Any, all_types.RemoteTables, Dispatcher]:
    module = all_types.DbConnection._module
    core = peer.subscribed(module, "item", items(count))
    dispatcher = Dispatcher(object(), module, Guard(None), new_calls(core, None, print))
    return core, all_types.RemoteTables(core, dispatcher.rows), dispatcher


def test_a_watch_counts_what_is_asked() -> None:
    _, db, _ = tables(100)
    with watching() as watch:
        assert db.item.id.find(5) is not None
        assert db.item.code.find("item-7") is not None
        assert db.item.id.find(1_000) is None
        assert len(db.item.owner.filter(identity(3))) == 1
        assert db.item.by_kind_and_level.count((99,)) == 0
        assert sum(1 for _ in db.item) == 100
        assert any(row.id == 0 for row in db.item)
    assert watch.lookups_by_table() == {"item": (3, 2)}
    assert watch.hits == 3 / 5
    times, rows = watch.scans_by_table()["item"]
    assert times == 2
    assert 101 <= rows <= 200


def test_a_watch_ends_with_its_block() -> None:
    _, db, _ = tables(10)
    with watching() as watch:
        pass
    assert db.item.id.find(5) is not None
    assert len(list(db.item)) == 10
    assert (watch.hits, watch.scans_by_table()) == (None, {})


def test_a_watch_sees_full_queues() -> None:
    core, db, dispatcher = tables(10)
    patient, hasty = db.item.changes(size=50), db.item.changes(size=5)
    with watching() as watch:
        for number in range(10):
            old, new = bytes_of(item(number)), bytes_of(item(number, "new"))
            for event in peer.receive(core, peer.transaction("item", [old], [new])):
                dispatcher.dispatch(event)  # type: ignore[arg-type]
    assert watch.overflows == 1
    assert watch.longest_queue == 10
    assert len(list(db.item)) == 10

    async def read() -> None:
        assert isinstance(await anext(patient), Updated)
        for _ in range(5):
            await anext(hasty)
        with pytest.raises(StreamOverflow):
            await anext(hasty)

    anyio.run(read)


def bytes_of(row: Any) -> bytes:
    return bytes(row)


def test_a_phase_measures_its_block() -> None:
    collector = Collector()
    kept: list[object] = []
    gc.collect()
    with collector.phase() as phase:
        kept += [object() for _ in range(10_000)]
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass
        gc.collect()
    assert phase.cpu >= 0.02
    assert phase.seconds > 0
    assert phase.blocks >= 9_000
    assert len(phase.pauses) >= 1
    assert not any(isinstance(call, GarbagePauses) for call in gc.callbacks)


def test_figures_by_round() -> None:
    collector = Collector()
    for number in range(3):
        collector.latencies("call").append(1_000 * (number + 1))
        collector.put("rows", number, "rows", "higher", "a note")
        collector.next_round()
    p50, *_, rows = collector.metrics()
    assert p50.name == "call, p50"
    assert p50.rounds == pytest.approx((1_000, 2_000, 3_000), rel=0.001)
    assert (rows.name, rows.rounds, rows.note) == ("rows", (0.0, 1.0, 2.0), "a note")


def test_a_timed_callback() -> None:
    collector = Collector()
    seen: list[object] = []

    def callback(row: object) -> None:
        seen.append(row)
        raise KeyError(row)

    timed = collector.timed("on_insert", callback)
    with pytest.raises(KeyError):
        timed("a row")
    assert seen == ["a row"]
    assert len(collector.callbacks["on_insert"]) == 1
    assert isinstance(collector.callbacks["on_insert"], array)


def test_memory_and_cpu_of_processes() -> None:
    before = resident()
    kept = [bytes(100_000) for _ in range(300)]
    assert resident() - before > 20_000_000
    del kept
    assert resident_of(os.getpid()) > 1_000_000
    assert cpu_seconds(os.getpid()) > 0


@pytest.mark.real_server
def test_bytes_of_the_network() -> None:
    """All that is received, among it the rows."""
    network = CountingNetwork()

    async def main(uri: str, database: str) -> str:
        async with Mod28(uri=uri, database=database, transport=network, compression="none") as one:
            await one.subscribe("SELECT * FROM diary")
            before = network.received, network.sent
            await one.reducers.add_diary("x" * 5_000, 1)
            assert 5_000 < network.received - before[0] < 12_000
            assert 5_000 < network.sent - before[1] < 6_000
        return loop_name()

    with Peer() as peer_process:
        database = peer_process.publish("network", native="mod28")
        assert anyio.run(main, peer_process.url, database.name) == "asyncio"
