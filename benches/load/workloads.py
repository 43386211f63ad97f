"""Programs as people write them, with many clients at once; who is the limit, client or server.

    python -m benches.load.workloads [chat game sensors book jobs] [--place server] [--quick]

`chat`: everybody talks and everybody hears all of it. `game`: 1,000 units move 20 times a second
before the eyes of some players. `sensors`: many small rows come in, a dashboard has the last of
each. `book`: orders are placed, changed and taken back, and a trader asks an index for the best
ones after each change. `jobs`: agents take work from a queue and answer.

All clients are in this process, the server is another one. Each workload ends with a look at every
client's rows: they are those of a model, or the command fails.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import anyio

from benches.metrics.collect import Collector
from benches.metrics.model import Facts, Run, environment, has_uvloop, say

from . import command
from .places import Place, place

PATIENCE = 600.0
"""Seconds after which a round hangs."""


TICKS_WANTED = 20


@dataclass(frozen=True)
class Size:
    """How much of everything there is."""

    rounds: int = 5
    clients: int = 120
    messages: int = 10
    """Of each client of the chat."""
    units: int = 1_000
    players: int = 10
    ticks: int = 100
    tick_seconds: float = 1 / TICKS_WANTED
    sensors: int = 100
    readings: int = 200
    """Of each sensor."""
    orders: int = 5_000
    agents: int = 20
    jobs: int = 2_000


QUICK = Size(
    rounds=1,
    clients=12,
    messages=2,
    units=50,
    players=2,
    ticks=5,
    tick_seconds=0.01,
    sensors=5,
    readings=20,
    orders=100,
    agents=3,
    jobs=30,
)

Workload = Callable[[Place, Size, Collector, int], Awaitable[None]]


async def connected(stack: AsyncExitStack, where: Place, count: int) -> list[Any]:
    """So many clients, one after the other."""
    return [await stack.enter_async_context(where.connection()) for _ in range(count)]


async def until(is_done: Callable[[], bool]) -> None:
    while not is_done():
        await anyio.sleep(0.001)


def check(what: str, found: object, expected: object) -> None:
    """The rows of a client are those of the model."""
    if found != expected:
        raise SystemExit(f"{what}: {_short(found)} instead of {_short(expected)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 200 else f"{text[:200]}..."


async def chat(where: Place, size: Size, collector: Collector, number: int) -> None:
    """Every message goes to every client: the rows that are heard are their product."""
    said = [
        f"round {number}, client {client}, message {message}"
        for client in range(size.clients)
        for message in range(size.messages)
    ]
    heard = 0
    delays = collector.latencies("from the call to the last client that hears it")
    sent: dict[str, int] = {}
    hearers: dict[str, int] = {}

    def on_message(context: object, row: Any) -> None:
        nonlocal heard
        heard += 1
        hearers[row.text] = hearers.get(row.text, 0) + 1
        if hearers[row.text] == size.clients:
            delays.append(time.perf_counter_ns() - sent[row.text])

    async with AsyncExitStack() as stack:
        with collector.phase() as joining:
            clients = await connected(stack, where, size.clients)
            for client in clients:
                await client.subscribe("SELECT * FROM user", "SELECT * FROM message")
        collector.put("clients that join", size.clients / joining.seconds, "clients/s", "higher")
        before = [len(client.db.message) for client in clients]
        for client in clients:
            client.db.message.on_insert(on_message)

        async def talk(client: Any, mine: Sequence[str]) -> None:
            for text in mine:
                sent[text] = time.perf_counter_ns()
                await client.reducers.send_message(text)

        with collector.phase() as phase:
            async with anyio.create_task_group() as tasks:
                for place_of, client in enumerate(clients):
                    first = place_of * size.messages
                    tasks.start_soon(talk, client, said[first : first + size.messages])
            await until(lambda: heard == len(said) * size.clients)
        collector.put_work("messages heard", phase, heard, "rows")
        collector.put("messages said", len(said) / phase.seconds, "calls/s", "higher")
        ours = sorted(said)
        for client, known in zip(clients, before, strict=True):
            texts = [row.text for row in client.db.message]
            check("rows of message", len(texts), known + len(said))
            mine = sorted(text for text in texts if text.startswith(f"round {number},"))
            check("texts of message", mine, ours)
            # Those of the round before may take their leave late.
            me = {one.identity for one in clients}
            online = {row.identity for row in client.db.user if row.online}
            check("users who are not online", me - online, set())


async def game(where: Place, size: Size, collector: Collector, number: int) -> None:
    """One transaction a tick, which changes every unit; each player draws all of them."""
    delays = collector.latencies("from a tick to the last player who has drawn it")
    late = collector.latencies("a tick begins too late")
    drawn = [0] * size.players
    ticked: list[int] = []

    def draw(player: int) -> Callable[..., None]:
        def on_transaction(context: object, changes: Any) -> None:
            updates = changes["unit"].updates
            sum(new.x - old.x + new.y for old, new in updates)
            drawn[player] += 1
            if min(drawn) == drawn[player]:
                delays.append(time.perf_counter_ns() - ticked[drawn[player] - 1])

        return on_transaction

    async with AsyncExitStack() as stack:
        referee, *players = await connected(stack, where, size.players + 1)
        await referee.reducers.rewrite_unit(0, size.units, 10_000 + number)
        for index, player in enumerate(players):
            await player.subscribe("SELECT * FROM unit")
            player.on_transaction(draw(index))
        with collector.phase() as phase:
            start = time.perf_counter()
            for tick in range(size.ticks):
                due = start + tick * size.tick_seconds
                await anyio.sleep(max(due - time.perf_counter(), 0))
                late.append(int((time.perf_counter() - due) * 1e9))
                ticked.append(time.perf_counter_ns())
                # A tick that takes too long holds up the next one: so does a game's.
                await referee.reducers.rewrite_unit(0, size.units, tick)
            await until(lambda: min(drawn) == size.ticks)
        collector.put_work("units drawn", phase, sum(drawn) * size.units, "rows")
        ticks = size.ticks / phase.seconds
        collector.put("ticks", ticks, "ticks/s", "higher", f"of {1 / size.tick_seconds:g}")
        truth = sorted(await referee.query("SELECT * FROM unit"), key=by_id)
        check("units", [unit.id for unit in truth], list(range(size.units)))
        if not where.is_peer:
            turns = [float((unit * 31 + (size.ticks - 1) * 17) % 360) for unit in range(size.units)]
            check("places of units", [unit.x for unit in truth], turns)
        for player in players:
            check("units of a player", sorted(player.db.unit, key=by_id), truth)


async def sensors(where: Place, size: Size, collector: Collector, number: int) -> None:
    """Each sensor sends without waiting for answers; the dashboard hears all of it."""
    chance = random.Random(number)
    base = number * 10_000_000
    latest: dict[int, Any] = {}

    def on_reading(context: object, row: Any) -> None:
        latest[row.sensor] = row.value

    expected: dict[int, tuple[int, float]] = {}
    async with AsyncExitStack() as stack:
        dashboard, *clients = await connected(stack, where, min(size.sensors, 20) + 1)
        await dashboard.subscribe("SELECT * FROM reading")
        known = len(dashboard.db.reading)
        dashboard.db.reading.on_insert(on_reading)

        async def send(sensor: int, rows: Sequence[tuple[int, float]]) -> None:
            client = clients[sensor % len(clients)]
            calls = [client.reducers.insert_reading(id, sensor, value) for id, value in rows]
            for call in calls:
                await call

        with collector.phase() as phase:
            async with anyio.create_task_group() as tasks:
                for sensor in range(size.sensors):
                    first = base + sensor * size.readings
                    rows = [(first + n, chance.randrange(1_000) / 4) for n in range(size.readings)]
                    expected.update({id: (sensor, value) for id, value in rows})
                    tasks.start_soon(send, sensor, rows)
            await until(lambda: len(dashboard.db.reading) == known + len(expected))
        collector.put_work("readings", phase, len(expected), "rows")
        new = [row for row in dashboard.db.reading if row.id >= base]
        check("readings", {row.id: (row.sensor, row.value) for row in new}, expected)
        counts = {sensor: dashboard.db.reading.sensor.count(sensor) for sensor in latest}
        each = (known + len(expected)) // size.sensors
        check("readings by sensor", counts, dict.fromkeys(range(size.sensors), each))


async def book(where: Place, size: Size, collector: Collector, number: int) -> None:
    """A market maker works on the book; a trader has the best price after each change."""
    chance = random.Random(number)
    asked = collector.latencies("best offers by the index")
    seen = 0
    async with AsyncExitStack() as stack:
        maker, trader = await connected(stack, where, 2)
        offers = trader.db.offer

        def best(*_: object) -> None:
            nonlocal seen
            seen += 1
            start = time.perf_counter_ns()
            offers.by_side_and_price.range((0,), (0,), include_end=True, reverse=True, limit=1)
            offers.by_side_and_price.range((1,), (1,), include_end=True, limit=1)
            asked.append(time.perf_counter_ns() - start)

        await trader.subscribe("SELECT * FROM offer")
        model = {row.id: row for row in offers}
        offers.on_insert(best)
        offers.on_update(best)
        offers.on_delete(best)
        make = where.bindings.Offer
        with collector.phase() as phase:
            calls: list[Any] = []
            for id in range(number * 1_000_000, number * 1_000_000 + size.orders):
                calls.append(_trade(maker, make, model, id, chance))
                if len(calls) >= 64:
                    await calls.pop(0)
            for call in calls:
                await call
            await until(lambda: seen == size.orders)
        collector.put_work("changes of the book", phase, size.orders, "calls")
        check("the book", sorted(offers, key=by_id), sorted(model.values(), key=by_id))
        for side, pick in ((0, max), (1, min)):
            prices = [row.price for row in model.values() if row.side == side]
            reverse = side == 0
            found = offers.by_side_and_price.range(
                (side,), (side,), include_end=True, reverse=reverse, limit=1
            )
            check("the best price", [row.price for row in found], [pick(prices)] if prices else [])


def _trade(maker: Any, make: Any, model: dict[int, Any], id: int, chance: random.Random) -> Any:
    """One of three: place an order, change one, take one back."""
    turn = chance.random()
    if turn < 0.5 or not model:
        side, price = chance.randrange(2), chance.randrange(9_000, 11_000)
        model[id] = make(id=id, side=side, price=price, quantity=chance.randrange(1, 100))
        row = model[id]
        return maker.reducers.insert_offer(id, row.side, row.price, row.quantity)
    one = model[chance.choice(list(model)[-50:])]
    if turn < 0.8:
        price = one.price + chance.choice((-1, 1))
        changed = make(id=one.id, side=one.side, price=price, quantity=one.quantity)
        model[one.id] = changed
        return maker.reducers.update_offer(changed)
    del model[one.id]
    return maker.reducers.delete_offer(one.id)


async def jobs(where: Place, size: Size, collector: Collector, number: int) -> None:
    """A job is seen by its agent only, goes from waiting to done, and back to who asked."""
    base = number * 1_000_000
    whole = collector.latencies("from a question to its answer")
    asked: dict[int, int] = {}
    done = 0
    async with AsyncExitStack() as stack:
        boss, *agents = await connected(stack, where, size.agents + 1)
        make = where.bindings.Job

        def on_job(agent: Any) -> Callable[..., None]:
            def take(context: object, row: Any) -> None:
                if row.state == 0:
                    answer = row.prompt.upper()
                    # Not awaited: a callback cannot. The connection reports what fails.
                    agent.reducers.update_job(
                        make(
                            id=row.id, worker=row.worker, state=2, prompt=row.prompt, answer=answer
                        )
                    )

            return take

        def on_answer(context: object, old: Any, new: Any) -> None:
            nonlocal done
            if new.state == 2:
                done += 1
                whole.append(time.perf_counter_ns() - asked[new.id])

        for worker, agent in enumerate(agents):
            agent.db.job.on_insert(on_job(agent))
            await agent.subscribe(f"SELECT * FROM job WHERE worker = {worker}")
        await boss.subscribe("SELECT * FROM job")
        boss.db.job.on_update(on_answer)
        with collector.phase() as phase:
            for id in range(base, base + size.jobs):
                asked[id] = time.perf_counter_ns()
                worker = id % size.agents
                await boss.reducers.insert_job(id, worker, 0, f"question {id}", "")
            await until(lambda: done == size.jobs)
        collector.put_work("jobs", phase, size.jobs, "jobs")
        rows = {row.id: row for row in boss.db.job if row.id >= base}
        check("jobs", sorted(rows), list(range(base, base + size.jobs)))
        check("answers", {row.answer for row in rows.values()}, {f"QUESTION {id}" for id in rows})
        for worker, agent in enumerate(agents):
            mine = {row.id for row in boss.db.job if row.worker == worker}
            check("jobs of an agent", {row.id for row in agent.db.job}, mine)


def by_id(row: Any) -> int:
    number: int = row.id
    return number


WORKLOADS: dict[str, Workload] = {
    "chat": chat,
    "game": game,
    "sensors": sensors,
    "book": book,
    "jobs": jobs,
}


async def measure(where: Place, name: str, size: Size) -> Run:
    """All rounds, in one database. Raises SystemExit when rows are not those of the model."""
    collector = Collector(where.server.pid)
    for number in range(size.rounds):
        say(f"{name} on {where.name}: round {number + 1} of {size.rounds}")
        with anyio.fail_after(PATIENCE):
            await WORKLOADS[name](where, size, collector, number)
        collector.next_round()
    metrics = collector.metrics()
    return Run(
        what=f"{name} on {where.name}",
        metrics=metrics,
        facts=Facts(is_uvloop_there=has_uvloop()),
        environment=environment(),
    )


def limit(run: Run) -> str:
    """Which side would be the limit on an idle machine, by the CPU time that each of them took."""
    took = {
        side: sum(
            one.median for one in run.metrics if one.name.endswith(f"CPU seconds of the {side}")
        )
        for side in ("client", "server")
    }
    figures = ", ".join(f"{side} {seconds:.2f} s" for side, seconds in took.items())
    ticks = run.metric("ticks")
    if ticks is not None and ticks.median > 0.98 * TICKS_WANTED:
        return f"neither is the limit, all ticks were in time; CPU a round: {figures}"
    return f"the {max(took, key=lambda side: took[side])} is the limit; CPU a round: {figures}"


def main() -> None:
    assert __doc__ is not None
    parser = command.parser(__doc__, tuple(WORKLOADS))
    options = parser.parse_args()
    size = QUICK if options.quick else Size()
    if options.rounds is not None:
        size = Size(**{**size.__dict__, "rounds": options.rounds})
    backend, backend_options = command.backend_of(options.loop)
    for name in options.names or WORKLOADS:
        if name not in WORKLOADS:
            parser.error(f"no workload {name!r}; there are {', '.join(WORKLOADS)}")
        with place(options.place, "chat" if name == "chat" else "load") as where:
            run = anyio.run(
                measure, where, name, size, backend=backend, backend_options=backend_options
            )
        command.tell(run, name, options)
        print(limit(run), end="\n\n")


if __name__ == "__main__":
    main()
