"""What `run` measures: a client at work on the live peer, one thing after the other, in rounds.

The table is `message` of the peer's module `generic`: 100 bytes a row, a primary key, an index.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import anyio

from benches.bindings import bindings_of
from tests.peer.process import Peer

from .collect import Collector, CountingNetwork, Phase, loop_name, tracked_objects
from .histogram import Histogram
from .model import Facts, Run, environment, has_uvloop, say
from .process import resident
from .watch import Watch, watching

IN_FLIGHT = 64
PLACE = "on_update of message"
FIELDS = 4
"""What a callback reads of each row: all of them."""


@dataclass(frozen=True)
class Size:
    """How much is done in each round."""

    rounds: int = 7
    calls: int = 2_000
    rows: int = 50_000
    connections: int = 50


QUICK = Size(rounds=3, calls=100, rows=2_000, connections=5)


def measure(
    size: Size,
    backend: str,
    use_uvloop: bool = False,
    around: AbstractContextManager[object] | None = None,
) -> Run:
    """One run. `backend` is anyio's: asyncio or trio; `around` a profiler for the work itself."""
    options = {"use_uvloop": use_uvloop} if backend == "asyncio" else {}
    with Peer(databases={"load": "generic"}) as peer:
        workload = _Workload(bindings_of(peer, "load"), peer, size)
        with around or nullcontext():
            return anyio.run(workload.run, backend=backend, backend_options=options)


class _Workload:
    def __init__(self, bindings: Any, peer: Peer, size: Size) -> None:
        self._bindings = bindings
        self._peer = peer
        self._size = size
        self._collector = Collector(peer.pid)

    def _connection(self, **options: Any) -> Any:
        return self._bindings.DbConnection(
            uri=self._peer.url, database="load", max_message_size=1 << 30, **options
        )

    async def run(self) -> Run:
        size = self._size
        async with self._connection() as writer:
            await writer.reducers.fill_message(size.rows)
            facts = await self._round(writer)  # warms up: its figures are thrown away
            self._collector = Collector(self._peer.pid)
            for number in range(size.rounds):
                say(f"round {number + 1} of {size.rounds}")
                facts = await self._round(writer)
                self._collector.next_round()
            metrics = self._collector.metrics()
            self._collector = Collector()
            with watching() as watch:
                await self._watched()
        return Run(
            what=f"client on the live peer, {size.rows:,} rows, {size.calls:,} calls a round",
            metrics=metrics,
            facts=self._with_watch(facts, watch),
            environment={**environment(), "loop": facts.loop},
        )

    async def _round(self, writer: Any) -> Facts:
        facts = Facts(loop=loop_name(), is_uvloop_there=has_uvloop())
        facts = await self._calls(writer, facts)
        await self._connects()
        return await self._rows(writer, facts)

    async def _calls(self, writer: Any, facts: Facts) -> Facts:
        """A reducer that does nothing: what is left is the way there and back."""
        add = self._collector.latencies("call, one in flight")
        with self._collector.phase() as phase:
            for _ in range(self._size.calls):
                start = time.perf_counter_ns()
                await writer.reducers.wait(0)
                add.append(time.perf_counter_ns() - start)
        self._collector.put_work("calls, one in flight", phase, self._size.calls, "calls")
        with self._collector.phase() as phase:
            for _ in range(self._size.calls // IN_FLIGHT):
                made = [writer.reducers.wait(0) for _ in range(IN_FLIGHT)]
                for call in made:
                    await call
        count = self._size.calls // IN_FLIGHT * IN_FLIGHT
        self._collector.put_work(f"calls, {IN_FLIGHT} in flight", phase, count, "calls")
        return replace(facts, call_p50=float(sorted(add)[len(add) // 2]))

    async def _connects(self) -> None:
        """Idle connections, held at once; the first of them is not counted."""
        count = self._size.connections
        made = [self._connection() for _ in range(count + 1)]
        add = self._collector.latencies("connect")
        await made[0].__aenter__()
        memory, objects = resident(), tracked_objects()
        for connection in made[1:]:
            start = time.perf_counter_ns()
            await connection.__aenter__()
            add.append(time.perf_counter_ns() - start)
        held = (resident() - memory) / count
        self._collector.put("memory of an idle connection", held, "bytes", "lower")
        objects = tracked_objects() - objects
        self._collector.put("objects of an idle connection", objects / count, "objects", "lower")
        for connection in reversed(made):
            await connection.__aexit__(None, None, None)

    async def _rows(self, writer: Any, facts: Facts) -> Facts:
        network = CountingNetwork()
        # What is compressed says nothing of the rows.
        async with self._connection(transport=network, compression="none") as reader:
            await self._subscribe(reader, network)
            facts = await self._updates(writer, reader, facts)
            self._look_up(reader)
        return facts

    async def _subscribe(self, reader: Any, network: CountingNetwork) -> None:
        rows, put = self._size.rows, self._collector.put
        memory, objects, before = resident(), tracked_objects(), network.received
        with self._collector.phase() as phase:
            await reader.subscribe("SELECT * FROM message")
        assert len(reader.db.message) == rows
        self._collector.put_work("first subscription", phase, rows, "rows")
        wire = network.received - before
        held = resident() - memory
        put("memory of a cached row", held / rows, "bytes", "lower")
        put("bytes held per byte on the wire", held / wire, "bytes", "lower", "of row data")
        put("Python blocks per cached row", phase.blocks / rows, "blocks", "lower")
        objects = tracked_objects() - objects
        put("objects per cached row", objects / rows, "objects", "lower", "that the GC tracks")

    async def _updates(self, writer: Any, reader: Any, facts: Facts) -> Facts:
        """One transaction that changes every row, and one for each of the rows of a call."""
        rows, collector = self._size.rows, self._collector
        read = _Read()
        for name, count, times in (
            ("rows updated, one transaction", rows, 1),
            ("rows updated, one each", 1, self._size.calls),
        ):
            phase = await self._rewrite(writer, reader, read, read, count, times)
            collector.put_work(name, phase, count * times, "rows")
        # Apart from these, since a look at the clock costs more than this callback does.
        timed = collector.timed(PLACE, read)
        phase = await self._rewrite(writer, reader, read, timed, rows, 1)
        called = Histogram(collector.callbacks[PLACE])
        return replace(
            facts,
            work_seconds=phase.seconds,
            callback_seconds=sum(collector.callbacks[PLACE]) / 1e9,
            callback_p99=float(called.percentile(99)),
            slowest_callback=PLACE,
            reads_per_row=FIELDS / 2,  # of the new row, while the old one was made too
        )

    async def _rewrite(
        self,
        writer: Any,
        reader: Any,
        read: _Read,
        callback: Callable[..., object],
        count: int,
        times: int,
    ) -> Phase:
        """So many transactions of so many rows, until the callback has seen all of them."""
        wanted = read.rows + count * times
        reader.db.message.on_update(callback)
        with self._collector.phase() as phase:
            for number in range(times):
                await writer.reducers.rewrite_message(1 + number, count, time.perf_counter_ns())
            while read.rows < wanted:
                await anyio.sleep(0.0005)
        reader.db.message.remove_on_update(callback)
        return phase

    def _look_up(self, reader: Any) -> None:
        """By primary key: half of the keys are those of rows."""
        rows = self._size.rows
        keys = range(1, 2 * rows + 1, 2)
        find = reader.db.message.id.find
        with self._collector.phase() as phase:
            found = sum(find(key) is not None for key in keys)
        assert found == rows // 2
        nanoseconds = phase.seconds / rows * 1e9
        self._collector.put("find by unique column", nanoseconds, "ns", "lower", "half of them hit")
        self._collector.put("cache hits of find", found / rows * 100, "%", "neither")

    async def _watched(self) -> None:
        """The look-ups once more, watched, whose figures are of no use."""
        async with self._connection() as reader:
            await reader.subscribe("SELECT * FROM message")
            self._look_up(reader)

    def _with_watch(self, facts: Facts, watch: Watch) -> Facts:
        tables = self._bindings.RemoteTables._tables.values()
        return replace(
            facts,
            scans=watch.scans_by_table(),
            lookups=watch.lookups_by_table(),
            overflows=watch.overflows,
            indexed=tuple(one._name for one in tables if one._indexes or one._unique),
        )


class _Read:
    """A callback that reads all fields of a row."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, context: object, old: Any, new: Any) -> None:
        self.rows += 1
        _ = (new.id, new.sender, new.sent, new.text)
