"""Whichever await is cancelled at whichever step: the connection works on, and nothing is left."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio
import pytest
import trio

from spacetime_py.bindings import DbConnection
from spacetime_py.event_loop import on_asyncio
from tests.adversity.client import until
from tests.adversity.model import missing_deletes, tables_of
from tests.adversity.proxy import Proxy
from tests.adversity.targets import (
    KINDS,
    RECONNECTS,
    TARGETS,
    Target,
    reconnecting,
    unfinished,
)

from .driver import MOST_STEPS, Outcome, Steps, cancel_at

pytestmark = pytest.mark.anyio

# Seconds: for a whole test, and after which an await that nothing will end counts as endless.
PATIENCE = 120.0
ENDLESS = 0.1

QUERY = "SELECT * FROM item"
# The steps of a subscription that waits for a reconnect depend on when that comes.
BACK_OFF = 0.02


@dataclass
class Stage:
    """A connection by way of a proxy, and what is done to it."""

    target: Target
    proxy: Proxy
    connection: Any
    numbers: Any = field(default_factory=itertools.count)
    abandoned: int = 0

    async def is_in_order(self) -> None:
        """A subscription and a call work, and nothing else is left."""
        connection, text = self.connection, f"call {next(self.numbers)}"
        handle = await connection.subscribe("SELECT * FROM diary")
        await connection.reducers.add_diary(text, 1)
        assert [row.text for row in connection.db.diary] == [text]
        await connection.reducers.drop_diary(text, 1)
        await handle.unsubscribe()
        assert len(connection.db.diary) == 0
        # Before there is reconnecting, a subscription goes on when the await is cancelled.
        left = 0 if RECONNECTS else self.abandoned
        await until(lambda: unfinished(connection) == (0, left))
        if not left:
            tables = tables_of(connection)
            await until(lambda: not any(len(table) for table in tables))
        assert missing_deletes(connection) == 0

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """The server cannot be reached, until some moment after the block has begun."""
        self.proxy.refuse()
        self.proxy.cut()
        await until(lambda: self.connection.state.status.name == "RECONNECTING")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._end_outage)
            yield
        await self.connection.wait_connected()

    async def _end_outage(self) -> None:
        await anyio.sleep(BACK_OFF)
        self.proxy.accept()


Case: TypeAlias = Callable[[Stage, int, bool], Awaitable[Outcome[Any] | None]]


async def cancel(
    step: int, late: bool, start: Callable[[], Awaitable[Any]], values: list[Any] | None = None
) -> Outcome[Any]:
    """What the awaitable gives is in `values` even when the task is cancelled right after it."""

    async def body(steps: Steps) -> None:
        value = await steps.count(start())
        if values is not None:
            values.append(value)

    return await cancel_at(step, body, late)


# ---------------------------------------------------------------- subscriptions


async def subscribe(stage: Stage, step: int, late: bool, timeout: float | None = None) -> Any:
    handles: list[Any] = []
    start = lambda: stage.connection.subscribe(QUERY, timeout=timeout)  # noqa: E731
    outcome = await cancel(step, late, start, handles)
    for handle in handles:
        assert handle.is_active
        await handle.unsubscribe()
    stage.abandoned += not handles
    return outcome


async def subscribe_with_timeout(stage: Stage, step: int, late: bool) -> Any:
    return await subscribe(stage, step, late, timeout=PATIENCE)


async def applied(stage: Stage, step: int, late: bool, timeout: float | None = None) -> Any:
    handle = stage.connection.subscription_builder().subscribe(QUERY)
    outcome = await cancel(step, late, lambda: handle.applied(timeout))
    await handle.applied()
    assert handle.is_active, "whoever holds the handle still has the subscription"
    await handle.unsubscribe()
    return outcome


async def applied_with_timeout(stage: Stage, step: int, late: bool) -> Any:
    return await applied(stage, step, late, timeout=PATIENCE)


async def unsubscribe(stage: Stage, step: int, late: bool) -> Any:
    handle = await stage.connection.subscribe(QUERY)
    outcome = await cancel(step, late, handle.unsubscribe)
    await until(lambda: handle.is_ended)
    return outcome


async def unsubscribe_before_applied(stage: Stage, step: int, late: bool) -> Any:
    handle = stage.connection.subscription_builder().subscribe(QUERY)
    outcome = await cancel(step, late, handle.unsubscribe)
    await until(lambda: handle.is_ended)
    return outcome


# ---------------------------------------------------------------- calls


async def reducer(stage: Stage, step: int, late: bool, timeout: float | None = None) -> Any:
    call = stage.connection.reducers.noop(timeout=timeout)
    outcome = await cancel(step, late, lambda: call)
    assert await call is None, "the call goes on"
    return outcome


async def reducer_with_timeout(stage: Stage, step: int, late: bool) -> Any:
    return await reducer(stage, step, late, timeout=PATIENCE)


async def procedure(stage: Stage, step: int, late: bool) -> Any:
    call = stage.connection.procedures.add_numbers(2, 3)
    outcome = await cancel(step, late, lambda: call)
    assert await call == 5
    return outcome


async def query(stage: Stage, step: int, late: bool) -> Any:
    answers: list[Any] = []
    outcome = await cancel(step, late, lambda: stage.connection.query(QUERY), answers)
    assert all(answer == [] for answer in answers)
    return outcome


# ---------------------------------------------------------------- the connection


async def wait_closed(stage: Stage, step: int, late: bool) -> Any:
    with anyio.move_on_after(ENDLESS):
        return await cancel(step, late, stage.connection.wait_closed)
    return None


async def wait_connected_while_down(stage: Stage, step: int, late: bool) -> Any:
    async with stage.outage():
        return await cancel(step, late, stage.connection.wait_connected)


async def states(stage: Stage, step: int, late: bool) -> Any:
    stream = stage.connection.states()
    assert (await stream.__anext__()).status.name == "CONNECTED"
    found: list[Any] = []
    stage.proxy.cut()
    outcome = await cancel(step, late, stream.__anext__, found)
    assert all(state.status.name == "RECONNECTING" for state in found)
    await until(lambda: stage.proxy.open_clients == 1)
    await stage.connection.wait_connected()
    return outcome


async def subscribe_while_down(stage: Stage, step: int, late: bool) -> Any:
    async with stage.outage():
        return await subscribe(stage, step, late)


async def unsubscribe_while_down(stage: Stage, step: int, late: bool) -> Any:
    handle = await stage.connection.subscribe(QUERY)
    async with stage.outage():
        outcome = await cancel(step, late, handle.unsubscribe)
    await until(lambda: handle.is_ended)
    return outcome


async def set_token(stage: Stage, step: int, late: bool) -> Any:
    """The reconnect goes on without the one who began it."""
    token = stage.connection.token
    outcome = await cancel(step, late, lambda: stage.connection.set_token(token))
    await stage.connection.wait_connected()
    await until(lambda: stage.proxy.open_clients == 1)
    return outcome


# ---------------------------------------------------------------- streams


async def read_changes(stage: Stage, step: int, late: bool) -> Any:
    """What comes while a read is cancelled is neither lost nor told twice."""
    handle = await stage.connection.subscribe("SELECT * FROM diary")
    changes = stage.connection.db.diary.changes()
    texts = [f"change {next(stage.numbers)}" for _ in range(3)]
    found: list[Any] = []
    call = stage.connection.reducers.add_diary(texts[0], 1)
    outcome = await cancel(step, late, changes.__anext__, found)
    await call
    for text in texts[1:]:
        await stage.connection.reducers.add_diary(text, 1)
    found += [await changes.__anext__() for _ in range(changes.waiting)]
    assert [change.row.text for change in found] == texts
    for text in texts:
        await stage.connection.reducers.drop_diary(text, 1)
    await handle.unsubscribe()
    changes.close()
    return outcome


async def read_transactions(stage: Stage, step: int, late: bool) -> Any:
    transactions = stage.connection.transactions()
    found: list[Any] = []
    handle = stage.connection.subscription_builder().subscribe("SELECT * FROM presence")
    outcome = await cancel(step, late, transactions.__anext__, found)
    await handle.applied()
    found += [await transactions.__anext__() for _ in range(transactions.waiting)]
    assert len(found) == 1
    transactions.close()
    await handle.unsubscribe()
    return outcome


def cases() -> list[Case]:
    """Those for which today's client has what is cancelled."""
    cases: list[Case] = [
        subscribe,
        subscribe_with_timeout,
        applied,
        applied_with_timeout,
        unsubscribe,
        unsubscribe_before_applied,
        reducer,
        reducer_with_timeout,
        wait_closed,
        read_changes,
        read_transactions,
    ]
    if hasattr(DbConnection, "query"):
        cases.append(query)
    if RECONNECTS:
        cases += [wait_connected_while_down, states]
        cases += [subscribe_while_down, unsubscribe_while_down]
        cases.append(set_token)
    return cases


def timings() -> tuple[bool, ...]:
    return (False, True) if on_asyncio() else (False,)


async def cancel_everywhere(case: Case, target: Target) -> None:
    """At one step after the other, until it ends before it is cancelled."""
    with anyio.fail_after(PATIENCE), Proxy(target.port) as proxy:
        async with target.connect(proxy.url, **reconnecting(BACK_OFF)) as connection:
            stage = Stage(target, proxy, connection)
            for late in timings():
                for step in range(MOST_STEPS):
                    print(f"cancelled at step {step}, late: {late}")
                    outcome = await case(stage, step, late)
                    await stage.is_in_order()
                    if outcome is None or not outcome.is_cancelled:
                        assert step > 0, "nothing was cancelled"
                        break
                assert outcome is None or outcome.error is None
        await until(lambda: proxy.open_clients == 0)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.__name__)
async def test_the_connection_works_on(case: Case, target: Target) -> None:
    await cancel_everywhere(case, target)


PEERS = [
    pytest.param(name, marks=pytest.mark.real_server) for name in TARGETS if KINDS[name].is_peer
]
if PEERS:
    # The real server of our targets has no procedures.
    @pytest.mark.parametrize("target_name", PEERS, indirect=True)
    async def test_the_connection_works_on_after_a_procedure(target: Target) -> None:
        await cancel_everywhere(procedure, target)


# ---------------------------------------------------------------- entering, closing, leaving


def tasks() -> object:
    """What runs on the event loop, to be the same before and after."""
    if on_asyncio():
        return asyncio.all_tasks()
    return trio.lowlevel.current_statistics().tasks_living


async def enter(target: Target, proxy: Proxy, step: int, late: bool) -> Outcome[None]:
    connection = target.connect(proxy.url, **reconnecting(BACK_OFF))

    async def body(steps: Steps) -> None:
        await steps.count(connection.__aenter__())
        await connection.__aexit__(None, None, None)

    return await cancel_at(step, body, late)


async def enter_with_a_function(
    target: Target, proxy: Proxy, step: int, late: bool
) -> Outcome[None]:
    """It is asked at first, and by a task that waits for the token's expiry."""

    async def give() -> str:
        await anyio.sleep(0)
        return target.api.short_lived_token(target.api.owner.token)

    connection = target.connect(proxy.url, token=give, **reconnecting(BACK_OFF))

    async def body(steps: Steps) -> None:
        await steps.count(connection.__aenter__())
        await connection.__aexit__(None, None, None)

    return await cancel_at(step, body, late)


async def leave(target: Target, proxy: Proxy, step: int, late: bool) -> Outcome[None]:
    connection = target.connect(proxy.url, **reconnecting(BACK_OFF))

    async def body(steps: Steps) -> None:
        await connection.__aenter__()
        await steps.count(connection.__aexit__(None, None, None))

    return await cancel_at(step, body, late)


async def close(target: Target, proxy: Proxy, step: int, late: bool) -> Outcome[None]:
    async with target.connect(proxy.url, **reconnecting(BACK_OFF)) as connection:
        outcome = await cancel(step, late, connection.close)
        await until(lambda: proxy.open_clients == 0)
        assert not connection.is_active
    return outcome


async def close_while_down(target: Target, proxy: Proxy, step: int, late: bool) -> Outcome[None]:
    async with target.connect(proxy.url, **reconnecting(BACK_OFF)) as connection:
        stage = Stage(target, proxy, connection)
        proxy.refuse()
        proxy.cut()
        await until(lambda: connection.state.status.name == "RECONNECTING")
        outcome = await cancel(step, late, stage.connection.close)
        proxy.accept()
        await until(lambda: connection.state.status.name == "CLOSED")
    return outcome


Ending: TypeAlias = Callable[[Target, Proxy, int, bool], Awaitable[Outcome[None]]]
ENDINGS: list[Ending] = [enter, enter_with_a_function, leave, close]
if RECONNECTS:
    ENDINGS.append(close_while_down)


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
async def test_nothing_stays_open(ending: Ending, target: Target) -> None:
    with anyio.fail_after(PATIENCE), Proxy(target.port) as proxy:
        before = tasks()
        for late in timings():
            for step in range(MOST_STEPS):
                print(f"cancelled at step {step}, late: {late}")
                outcome = await ending(target, proxy, step, late)
                await until(lambda: proxy.open_clients == 0)
                await until(lambda: tasks() == before)
                async with target.connect(proxy.url) as connection:
                    await Stage(target, proxy, connection).is_in_order()
                if not outcome.is_cancelled:
                    break
            assert outcome.error is None
