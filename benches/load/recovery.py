"""What a program sees when its server or its network fails, and how long until its rows are right.

    python -m benches.load.recovery [killed wiped cut silent] [--place server] [--quick]

`killed`: the server's process dies and starts again with its data (the peer has none: it starts
empty). `wiped`: it starts without its data; the database is published again. `cut`: all
connections are reset, and refused for a while. `silent`: nothing is closed and nothing moves.
Meanwhile another client changes rows, where it can. At the end the rows of the client are those
that the server gives to a new one, or the command fails.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.to_thread

from benches.metrics.collect import Collector
from benches.metrics.model import Run, environment, say
from spacetime_py import (
    AuthenticationError,
    ConnectionClosed,
    ConnectionStatus,
    Reconnect,
    SpacetimeDBError,
)
from tests.adversity.proxy import Proxy
from tests.server.server import Server

from . import command
from .places import Place, place, wasm_of
from .workloads import check, until

PATIENCE = 120.0
DOWN = 0.3
"""Seconds for which the network is away."""
POLICY = Reconnect(base=0.05, cap=0.2)


@dataclass(frozen=True)
class Size:
    rounds: int = 5
    rows: int = 10_000


QUICK = Size(rounds=1, rows=200)


@dataclass
class Seen:
    """What the program was told."""

    states: list[str] = field(default_factory=list[str])
    in_flight: str = ""
    """What the call raised that was on its way."""
    while_down: str = ""
    """What a call raised meanwhile."""
    inserted: int = 0
    deleted: int = 0
    updated: int = 0

    def __str__(self) -> str:
        calls = f"call in flight: {self.in_flight or 'answered'}; later: {self.while_down or '-'}"
        rows = f"+{self.inserted} -{self.deleted} ~{self.updated} rows told"
        return f"{' > '.join(self.states)}; {calls}; {rows}"


class Scene:
    """A client behind a proxy, a second one that is not, and what happens to them."""

    def __init__(self, where: Place, proxy: Proxy, size: Size) -> None:
        self.where = where
        self.proxy = proxy
        self.size = size
        self.seen = Seen()
        self.struck = 0.0
        self.is_back = 0.0

    def client(self) -> Any:
        return self.where.connection(
            uri=self.proxy.url, reconnect=POLICY, ping_interval=0.5, ping_timeout=0.5
        )

    def listen(self, connection: Any) -> None:
        """From now on, what comes and goes is counted."""
        seen = self.seen

        def inserted(*_: object) -> None:
            seen.inserted += 1

        def deleted(*_: object) -> None:
            seen.deleted += 1

        def updated(*_: object) -> None:
            seen.updated += 1

        connection.db.reading.on_insert(inserted)
        connection.db.reading.on_delete(deleted)
        connection.db.reading.on_update(updated)

    async def change_elsewhere(self) -> None:
        """Another client deletes a row, changes one and adds one."""
        async with self.where.connection() as other:
            rows = {row.id: row for row in await other.query("SELECT * FROM reading")}
            last = max(rows, default=0)
            await other.reducers.insert_reading(last + 1, 1, 0.5)
            if len(rows) > 1:
                await other.reducers.delete_reading(last)
                await other.reducers.update_reading(
                    self.where.bindings.Reading(id=min(rows), sensor=9, value=last / 4)
                )

    async def truth(self) -> list[Any]:
        async with self.where.connection() as other:
            rows: list[Any] = await other.query("SELECT * FROM reading")
            return sorted(rows, key=lambda row: int(row.id))

    def cached(self, connection: Any) -> list[Any]:
        return sorted(connection.db.reading, key=lambda row: int(row.id))


async def in_thread(function: Callable[[], object]) -> None:
    """Without holding up the clients."""
    await anyio.to_thread.run_sync(function)


async def killed(scene: Scene) -> None:
    server = scene.where.server
    os.kill(server.pid, signal.SIGKILL)
    await in_thread(server.stop)
    await lost(scene)
    await in_thread(server.start)


async def wiped(scene: Scene) -> None:
    server = scene.where.server
    await in_thread(server.stop)
    await lost(scene)
    if isinstance(server, Server):
        shutil.rmtree(server.log.parent / "data")
        await in_thread(server.start)
        server.__dict__.pop("owner", None)  # the identity that published is unknown there
        await in_thread(lambda: server.publish(scene.where.database, wasm_of("load")))
    else:
        await in_thread(server.start)


async def cut(scene: Scene) -> None:
    scene.proxy.refuse()
    scene.proxy.cut()
    await lost(scene)
    await scene.change_elsewhere()
    await anyio.sleep(DOWN)
    scene.proxy.accept()


async def silent(scene: Scene) -> None:
    scene.proxy.stall()
    await scene.change_elsewhere()
    await lost(scene)


async def lost(scene: Scene) -> None:
    """Wait until the client knows."""
    await until(lambda: scene.seen.states[-1] != ConnectionStatus.CONNECTED.value)


SCENARIOS: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "killed": killed,
    "wiped": wiped,
    "cut": cut,
    "silent": silent,
}


async def one_round(scene: Scene, name: str, collector: Collector) -> Seen:
    """Rows, the fault, and back to right rows."""
    await fill(scene)
    seen = scene.seen
    connection = scene.client()
    async with connection, anyio.create_task_group() as tasks:
        tasks.start_soon(follow, connection, seen)
        await until(lambda: bool(seen.states))
        await connection.subscribe("SELECT * FROM reading")
        check("rows before", len(connection.db.reading), len(await scene.truth()))
        scene.listen(connection)
        scene.struck = time.perf_counter()
        tasks.start_soon(call_in_flight, connection, seen)
        tasks.start_soon(call_while_down, scene, connection)
        await SCENARIOS[name](scene)
        scene.is_back = time.perf_counter()
        try:
            await right(scene, connection)
        except AuthenticationError as error:
            # A server without its keys knows nobody: only a new identity helps.
            seen.states.append(type(error).__name__)
            await start_anew(scene)
        now = time.perf_counter()
        collector.put(
            f"{name}, from the fault to right rows", (now - scene.struck) * 1e9, "ns", "lower"
        )
        after = (now - scene.is_back) * 1e9
        collector.put(f"{name}, from the server's return to right rows", after, "ns", "lower")
        tasks.cancel_scope.cancel()
    return seen


async def fill(scene: Scene) -> None:
    async with scene.where.connection() as writer:
        have = len(await writer.query("SELECT * FROM reading"))
        calls = (
            [
                writer.reducers.insert_reading(number, number % 10, number / 4)
                for number in range(have + 1, scene.size.rows + 1)
            ]
            if have == 0
            else []
        )
        for call in calls:
            await call


async def follow(connection: Any, seen: Seen) -> None:
    async for state in connection.states():
        word = state.status.value
        if not seen.states or seen.states[-1] != word:
            seen.states.append(word)


async def call_in_flight(connection: Any, seen: Seen) -> None:
    try:
        await connection.reducers.insert_reading(1, 1, 0.0)  # refused: the id is taken
    except ConnectionClosed as error:
        seen.in_flight = f"{type(error).__name__}(maybe_executed={error.maybe_executed})"
    except SpacetimeDBError as error:
        seen.in_flight = type(error).__name__


async def call_while_down(scene: Scene, connection: Any) -> None:
    await lost(scene)
    try:
        await connection.reducers.delete_reading(0)
    except ConnectionClosed as error:
        scene.seen.while_down = f"{type(error).__name__}(maybe_executed={error.maybe_executed})"
    except SpacetimeDBError as error:
        scene.seen.while_down = type(error).__name__


async def right(scene: Scene, connection: Any) -> None:
    """Until the client has what the server has. Raises what ended the connection for good."""
    while connection.state.status is not ConnectionStatus.CONNECTED:
        if connection.state.status is ConnectionStatus.CLOSED:
            await connection.wait_closed()
        await anyio.sleep(0.001)
    check("rows", scene.cached(connection), await scene.truth())


async def start_anew(scene: Scene) -> None:
    async with scene.client() as connection:
        await connection.subscribe("SELECT * FROM reading")
        check("rows", scene.cached(connection), await scene.truth())


async def measure(where: Place, name: str, size: Size) -> tuple[Run, list[Seen]]:
    """All rounds. Raises SystemExit when the rows are not right."""
    collector = Collector()
    seen: list[Seen] = []
    for number in range(size.rounds):
        say(f"{name} on {where.name}: round {number + 1} of {size.rounds}")
        with Proxy(where.server.port) as proxy, anyio.fail_after(PATIENCE):
            seen.append(await one_round(Scene(where, proxy, size), name, collector))
        collector.next_round()
    return Run(f"{name} on {where.name}", collector.metrics(), environment=environment()), seen


def main() -> None:
    assert __doc__ is not None
    parser = command.parser(__doc__, tuple(SCENARIOS))
    options = parser.parse_args()
    size = QUICK if options.quick else Size()
    if options.rounds is not None:
        size = Size(options.rounds, size.rows)
    backend, backend_options = command.backend_of(options.loop)
    for name in options.names or SCENARIOS:
        if name not in SCENARIOS:
            parser.error(f"no scenario {name!r}; there are {', '.join(SCENARIOS)}")
        with place(options.place) as where:
            run, seen = anyio.run(
                measure, where, name, size, backend=backend, backend_options=backend_options
            )
        command.tell(run, name, options)
        for text in dict.fromkeys(map(str, seen)):
            print(f"the program saw: {text}")


if __name__ == "__main__":
    main()
