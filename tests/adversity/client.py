"""A client that does random things through a proxy, and a writer that changes rows meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.abc import TaskGroup

from spacetime_py import ConnectionLost, ReducerError

from .model import (
    Ledger,
    Query,
    Rows,
    Watch,
    difference,
    expected,
    of_client,
    random_query,
    read_cache,
    read_server,
)
from .proxy import Ending, Fault, Proxy, random_cut, random_delay, random_stall
from .targets import RECONNECTS, Target, unfinished

# Seconds: for one round, and for the last changes to arrive once everything is quiet.
PATIENCE = 30.0
CALM = 10.0
# How many calls may bring the queued faults to strike.
_PROVOCATIONS = 300

_MOST_SUBSCRIPTIONS = 6
_MOST_TAGS = 60
_ITEMS = 120
_BLOCKS = 20
_BLOCK = 10


async def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Raises TimeoutError when it does not come true."""
    with anyio.fail_after(seconds):
        while not condition():
            await anyio.sleep(0.002)


@dataclass(frozen=True)
class Call:
    reducer: str
    args: tuple[Any, ...]
    label: str | None = None


class Script:
    """Chooses calls of reducers that mostly succeed. Each of the two actors inserts its own ids."""

    def __init__(self, rng: random.Random, name: str, ledger: Ledger) -> None:
        self._random = rng
        self._name = name
        self._parity = 0 if name == "client" else 1
        self._ledger = ledger
        self._labels = 0
        self._tags: dict[int, str] = {}
        self._items: set[int] = set()
        self._blocks: set[int] = set()

    def learn(self, truth: Rows) -> None:
        """What there is now. Until the next time it is a guess."""
        self._tags = {int(str(row[0])): str(row[2]) for row in truth["tag"]}
        self._items = {int(str(row[0])) for row in truth["item"]}
        self._blocks = {int(str(row[0])) // _BLOCK for row in truth["bulk"]}

    def choose(self) -> Call:
        choices = (self._item, self._item, self._tag, self._diary, self._bulk)
        return self._random.choice(choices)()

    def _item(self) -> Call:
        rng = self._random
        free = [n for n in range(1 + self._parity, _ITEMS, 2) if n not in self._items]
        if free and rng.random() < 0.4:
            number = rng.choice(free)
            self._items.add(number)
            note = rng.choice((None, "", "a note"))
            args = (number, f"code-{number}", rng.randrange(4), rng.randrange(-10, 60), note)
            return Call("add_item", args)
        number = rng.choice(sorted(self._items) or [1]) if rng.random() < 0.95 else _ITEMS + 1
        level = rng.randrange(-10, 60)
        return rng.choice(
            (
                Call("set_item", (number, level, rng.choice((None, "changed")))),
                Call("replace_item", (number, level)),
                Call("touch_item", (number,)),
                Call("drop_item", (number,)),
            )
        )

    def _tag(self) -> Call:
        rng = self._random
        if self._tags and (len(self._tags) > _MOST_TAGS or rng.random() < 0.3):
            number = rng.choice(sorted(self._tags))
            self._ledger.drop(self._tags.pop(number))
            return Call("drop_tag", (number,))
        self._labels += 1
        label = f"{self._name}-{self._labels}"
        return Call("add_tag", (rng.randrange(1, 6), label), label)

    def _diary(self) -> Call:
        rng = self._random
        args = (rng.choice(("one", "two", "three", "é 漢")), rng.randrange(10))
        return Call(rng.choice(("add_diary", "add_diary", "drop_diary")), args)

    def _bulk(self) -> Call:
        rng = self._random
        free = [n for n in range(self._parity, _BLOCKS, 2) if n not in self._blocks]
        if free and rng.random() < 0.5:
            block = rng.choice(free)
            self._blocks.add(block)
            return Call("bulk_insert", (block * _BLOCK, _BLOCK, rng.randrange(1000)))
        start, count = rng.randrange(_BLOCKS * _BLOCK), rng.randrange(1, 2 * _BLOCK)
        if rng.random() < 0.7:
            return Call("bulk_update", (start, count, rng.randrange(3)))
        return Call("bulk_delete", (start, count))


class Writer:
    """Changes rows over a connection that nothing happens to."""

    def __init__(self, connection: Any, script: Script) -> None:
        self._connection = connection
        self.script = script

    async def work(self, calls: int) -> None:
        for _ in range(calls):
            call = self.script.choose()
            # It fails when the other actor was faster.
            with suppress(ReducerError):
                await getattr(self._connection.reducers, call.reducer)(*call.args)


@dataclass
class Live:
    """A subscription that nobody ended. Its handle comes when `await subscribe()` returns."""

    queries: tuple[Query, ...]
    handle: Any = None


class RandomClient:
    """Random operations by one connection through the proxy, and the checks of what came of them.

    `options()` are for the connection, which is given by `use()` before it is entered.
    """

    def __init__(self, target: Target, proxy: Proxy, rng: random.Random) -> None:
        self.operations = self.checks = self.reconnects = 0
        self.ledger = Ledger()
        self.script = Script(rng, "client", self.ledger)
        self._target = target
        self._proxy = proxy
        self._random = rng
        self._calls: list[tuple[Call, Any]] = []
        self._started = self._ended = 0
        self._live: list[Live] = []
        self._ended_handles: list[Any] = []
        self._identity: Any = None
        self._connection: Any = None
        self._watch: Watch

    def options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "compression": self._random.choice(("none", "gzip", "brotli")),
        }
        if RECONNECTS:
            options["on_reconnected"] = lambda connection: self._count_reconnect()
        return options

    def use(self, connection: Any) -> None:
        self._connection = connection
        self._watch = Watch(connection)

    def _count_reconnect(self) -> None:
        self.reconnects += 1

    # ------------------------------------------------------------ operations

    async def round(self, operations: int, writer: Writer) -> None:
        """Operations, with faults if the client survives them; then everything is checked."""
        rng = self._random
        with anyio.fail_after(PATIENCE):
            if self._identity is None:
                self._identity = self._connection.identity
            async with anyio.create_task_group() as tasks:
                trouble = self._choose_trouble() if RECONNECTS else None
                tasks.start_soon(writer.work, rng.randrange(1, operations))
                await self._operate(rng.randrange(operations), tasks)
                if trouble is not None:
                    await trouble(tasks)
                await self._operate(operations - operations // 2, tasks)
                await self._provoke()
                self._proxy.clear()
            await self._settle(writer)

    async def _operate(self, operations: int, tasks: TaskGroup) -> None:
        kinds: dict[Callable[[TaskGroup], Any], int] = {
            self._call: 12,
            self._await_call: 3,
            self._subscribe: 2,
            self._unsubscribe: 1,
            self._read: 3,
        }
        if RECONNECTS:
            kinds[self._give_up_subscribing] = 1
        if hasattr(self._connection, "query"):
            kinds[self._query] = 1
        for _ in range(operations):
            operation = self._random.choices(list(kinds), list(kinds.values()))[0]
            await operation(tasks)
            self.operations += 1
            # Mostly several operations make one write.
            if self._random.random() < 0.4:
                await anyio.sleep(self._random.choice((0, 0, 0.0005)))

    async def _call(self, tasks: TaskGroup) -> None:
        self._send(self.script.choose())

    def _send(self, call: Call) -> None:
        self._started += 1
        lost: ConnectionLost | None = None
        try:
            pending = getattr(self._connection.reducers, call.reducer)(*call.args)
            self._calls.append((call, pending))
        except ConnectionLost as error:
            lost = error
        if lost is not None:
            assert not lost.maybe_executed, "a call that raises at once was not sent"
            assert self._connection.state.status.name == "RECONNECTING"
            self._record(call, "unsent")

    async def _await_call(self, tasks: TaskGroup) -> None:
        if self._calls:
            await self._end_call(self._random.randrange(len(self._calls)))

    async def _end_call(self, position: int) -> None:
        call, pending = self._calls.pop(position)
        first = await _outcome(pending)
        again = await _outcome(pending)
        assert pending.is_done
        assert first == again, f"{pending} ended as {first}, then as {again}"
        self._record(call, first)

    def _record(self, call: Call, outcome: str) -> None:
        self._ended += 1
        self.ledger.record(call.label, outcome)

    async def _subscribe(self, tasks: TaskGroup) -> None:
        if len(self._live) >= _MOST_SUBSCRIPTIONS:
            await self._unsubscribe(tasks)
        live = Live(self._queries())
        self._live.append(live)
        if self._random.random() < 0.5:
            tasks.start_soon(self._wait_subscribed, live)
        else:
            builder = self._connection.subscription_builder()
            live.handle = builder.subscribe(*(query.sql for query in live.queries))

    def _queries(self) -> tuple[Query, ...]:
        return tuple(random_query(self._random) for _ in range(self._random.choice((1, 1, 2, 3))))

    async def _wait_subscribed(self, live: Live) -> None:
        live.handle = await self._connection.subscribe(*(query.sql for query in live.queries))
        assert live.handle.is_active

    async def _give_up_subscribing(self, tasks: TaskGroup) -> None:
        """Nobody has the handle then, so the subscription has to end by itself."""
        if len(self._live) >= _MOST_SUBSCRIPTIONS:
            return
        live = Live(self._queries())
        with anyio.move_on_after(self._random.uniform(0, 0.003)):
            await self._wait_subscribed(live)
        if live.handle is not None:
            self._live.append(live)

    async def _unsubscribe(self, tasks: TaskGroup) -> None:
        having_handles = [live for live in self._live if live.handle is not None]
        if having_handles:
            live = self._random.choice(having_handles)
            self._live.remove(live)
            self._ended_handles.append(live.handle)
            tasks.start_soon(self._end_subscription, live.handle)

    async def _end_subscription(self, handle: Any) -> None:
        try:
            await handle.unsubscribe()
        except ConnectionLost:
            # Then it is ended all the same, which `_settle` checks.
            if not RECONNECTS:
                raise

    async def _read(self, tasks: TaskGroup) -> None:
        self._watch.check()
        items = self._watch.rows["item"]
        number = self._random.randrange(1, _ITEMS)
        found = self._connection.db.item.id.find(number)
        wanted = {row for row in items if row[0] == number}
        assert (set() if found is None else {of_client("item", found)}) == wanted
        assert len(self._connection.db.item) == self._connection.db.item.count() == len(items)

    async def _query(self, tasks: TaskGroup) -> None:
        query = random_query(self._random)
        try:
            rows = await self._connection.query(query.sql)
        except ConnectionLost:
            return
        assert all(query.matches(of_client(query.table, row)) for row in rows)

    # ------------------------------------------------------------ trouble

    def _choose_trouble(self) -> Callable[[TaskGroup], Any]:
        kinds = {self._cuts: 65, self._outage: 20, self._silence: 10, self._delays: 5}
        return self._random.choices(list(kinds), list(kinds.values()))[0]

    async def _cuts(self, tasks: TaskGroup) -> None:
        """Also in handshakes and first rows: a cut counts from where the one before it struck."""
        faults = [random_cut(self._random) for _ in range(self._random.choice((1, 1, 2, 3, 4)))]
        self._proxy.inject(*faults)

    async def _delays(self, tasks: TaskGroup) -> None:
        faults: list[Fault] = [random_delay(self._random) for _ in range(3)]
        self._proxy.inject(*faults, random_cut(self._random))

    async def _silence(self, tasks: TaskGroup) -> None:
        """Nothing but keep-alive, or the time that connecting may take, ends it."""
        before: list[Fault] = [random_cut(self._random)] if self._random.random() < 0.25 else []
        self._proxy.inject(*before, random_stall(self._random))
        await self._provoke()
        reconnects = self.reconnects
        if self._proxy.faults_left == 0:
            await until(lambda: self.reconnects > reconnects)

    async def _outage(self, tasks: TaskGroup) -> None:
        """Rows change while the client is down; what it has stays readable."""
        self._proxy.refuse()
        self._proxy.cut(self._random.choice(list(Ending)))
        await until(lambda: self._connection.state.status.name == "RECONNECTING")
        before = read_cache(self._connection)
        await self._operate(self._random.randrange(6), tasks)
        await anyio.sleep(self._random.choice((0, 0.005)))
        assert read_cache(self._connection) == before
        self._proxy.accept()

    async def _provoke(self) -> None:
        """Bytes for the queued faults to count."""
        for _ in range(_PROVOCATIONS):
            if not self._proxy.faults_left:
                return
            self._send(Call("noop", ()))
            await anyio.sleep(0.001)

    # ------------------------------------------------------------ checks

    async def _settle(self, writer: Writer) -> None:
        """Nothing harms the connection any more and nobody writes: now all must be in order."""
        connection = self._connection
        if RECONNECTS:
            await connection.wait_connected()
        while self._calls:
            await self._end_call(0)
        await self._go_through()
        await self._live_are_applied()
        truth = await anyio.to_thread.run_sync(
            read_server, self._target.api, self._target.database.name
        )
        wanted = expected(truth, [query for live in self._live for query in live.queries])
        await self._arrives(wanted)
        self._watch.check()
        self.ledger.check(truth)
        assert self._started == self._ended == sum(self.ledger.outcomes.values())
        assert connection.identity == self._identity
        assert [live for live in self._live if not live.handle.is_active] == [], "not active"
        assert [handle for handle in self._ended_handles if not handle.is_ended] == [], "not ended"
        await until(lambda: unfinished(connection) == (0, len(self._live)), CALM)
        assert self._watch.counts["reconnected"] <= self.reconnects
        self._ended_handles.clear()
        self.script.learn(truth)
        writer.script.learn(truth)
        self.checks += 1

    async def _go_through(self) -> None:
        """A call that is answered: whatever was wrong with the connection has been noticed."""
        while True:
            self._send(Call("noop", ()))
            done = self.ledger.outcomes["done"]
            if self._calls:
                await self._end_call(0)
            if self.ledger.outcomes["done"] > done:
                return
            await self._connection.wait_connected()

    async def _live_are_applied(self) -> None:
        for live in self._live:
            assert live.handle is not None, f"subscribing to {live.queries} did not return"
            await live.handle.applied()

    async def _arrives(self, wanted: Rows) -> None:
        """The last changes may still be under way; nothing else may be missing."""
        wrong = ["nothing was read"]
        with anyio.move_on_after(CALM):
            while wrong := difference(read_cache(self._connection), wanted):
                await anyio.sleep(0.002)
        assert not wrong, f"at rest, {wrong}"


async def _outcome(pending: Any) -> str:
    try:
        await pending
    except ReducerError:
        return "failed"
    except ConnectionLost as error:
        return "unknown" if error.maybe_executed else "unsent"
    return "done"
