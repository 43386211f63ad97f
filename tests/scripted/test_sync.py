"""What docs/topics/ways-to-run.md promises of programs that do not await."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

from examples.chat.module_bindings import DbConnection, EventContext, Message, User
from spacetime_py import (
    Added,
    CallTimeout,
    ConnectError,
    ConnectionClosed,
    ConnectionLost,
    ConnectionStatus,
    EncodeError,
    Identity,
    Reconnect,
    SenderError,
    StreamOverflow,
    SubscribeAppliedEvent,
    SubscriptionError,
    sync,
)
from spacetime_py.callbacks import Callback, Guard
from spacetime_py.sync import SyncConnection
from tests.codegen.golden import schema_2_8_3_version10 as newer

from . import wire
from .peer import Peer, Peers, in_memory, in_memory_options
from .test_streams import ALICE, BOB, CAROL, USERS, message, user

THREAD = "spacetime_py"


class Scripted(Peer):
    """Answers as a script says, if there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.script: Callable[[Any], object] | None = None

    def answer(self, message: wire.ClientMessage) -> None:
        if self.script is None:
            super().answer(message)
        else:
            self.script(message)


@contextmanager
def connected(
    callbacks: Literal["thread", "frame_tick"] = "thread", **options: Any
) -> Iterator[tuple[SyncConnection[DbConnection], Scripted]]:
    peer = Scripted()
    with sync.connect(in_memory(peer, **options), callbacks=callbacks) as connection:
        yield connection, peer


def change(connection: SyncConnection[Any], peer: Peer, *rows: Any) -> None:
    """The peer lives in the thread of connections as well."""
    connection.read(lambda: peer.change(*rows))


# ---------------------------------------------------------------- calls and subscriptions


def test_a_call_returns_when_it_is_done() -> None:
    with connected() as (connection, peer):
        heard: list[str] = []
        connection.db.message.on_insert(lambda _, row: heard.append(row.text))
        peer.script = lambda call: peer.commit(call, {"message": [message("hello")]})
        call = connection.reducers.send_message("hello")
        assert (call.is_done, heard) == (True, ["hello"])
        assert call.result() is None


def test_what_a_call_raises() -> None:
    with connected() as (connection, peer):
        with pytest.raises(EncodeError, match="expected str"):
            connection.reducers.send_message(5)  # type: ignore[arg-type]
        peer.script = lambda call: peer.fail(call, "not today")
        with pytest.raises(SenderError, match="not today"):
            connection.reducers.send_message("hello")
        peer.script = lambda call: None
        with pytest.raises(CallTimeout):
            connection.reducers.send_message("hello", timeout=0.01)


def test_a_call_that_is_sent_is_waited_for_later() -> None:
    with connected() as (connection, peer):
        peer.answers = False
        call = connection.send.send_message("hello")
        with pytest.raises(RuntimeError, match="in flight"):
            call.result()
        with pytest.raises(CallTimeout):
            connection.wait(call, timeout=0.01)
        connection.read(lambda: peer.commit(peer.last_call()))
        connection.wait(call)
        assert call.is_done


def test_a_procedure_gives_its_value() -> None:
    peer = Scripted()
    with sync.connect(newer.DbConnection(**in_memory_options(peer))) as connection:
        value = (5).to_bytes(8, "little")
        peer.script = lambda call: peer.send(wire.procedure_result(call.request_id, value=value))
        assert connection.procedures.add_numbers(2, 3).result() == 5


def test_subscribing() -> None:
    with connected() as (connection, peer):
        peer.rows = {"user": [user(ALICE)]}
        handle = connection.subscribe(USERS)
        assert (handle.is_active, list(connection.db.user)) == (True, [user(ALICE)])
        assert connection.db.user.identity.find(ALICE) in connection.db.user
        handle.unsubscribe()
        assert (handle.is_ended, len(connection.db.user)) == (True, 0)
        peer.answers = False
        waiting = connection.subscription_builder().subscribe(USERS)
        with pytest.raises(CallTimeout):
            waiting.applied(timeout=0.01)
        with pytest.raises(ValueError, match="at least one query"):
            connection.subscribe()


def test_what_subscribing_raises() -> None:
    with connected() as (connection, peer):
        peer.script = lambda wish: peer.send(
            wire.subscription_error(wish.request_id, wish.query_set, "no")
        )
        with pytest.raises(SubscriptionError):
            connection.subscribe("nonsense")


# ---------------------------------------------------------------- the thread


def test_callbacks_run_in_the_background_thread_and_are_given_the_synchronous_connection() -> None:
    with connected() as (connection, peer):
        seen: list[Any] = []

        def on_user(context: EventContext, row: User) -> None:
            seen.append((threading.current_thread().name, context.connection))

        connection.db.user.on_insert(on_user)
        change(connection, peer, {"user": [user(ALICE)]})
        assert seen == [(THREAD, connection)]


def test_a_callback_sends_without_waiting_and_must_not_wait() -> None:
    errors: list[Exception] = []
    with connected(on_callback_error=errors.append) as (connection, peer):
        calls: list[Any] = []

        @connection.db.user.on_insert
        def answer(context: Any, row: User) -> None:
            calls.append(context.reducers.send_message("hello"))
            calls.append(context.connection.subscription_builder().subscribe(USERS))
            context.connection.subscribe(USERS)

        change(connection, peer, {"user": [user(ALICE)]})
        connection.wait(calls[0])
        calls[1].applied()
        (error,) = errors
        assert "a callback must not wait" in str(error)


def test_all_connections_share_one_thread() -> None:
    with connected(), connected(), connected() as (connection, _):
        names = [thread.name for thread in threading.enumerate()]
        assert names.count(THREAD) == 1
        connection.reducers.send_message("hello")


def test_it_works_inside_of_a_running_loop() -> None:
    """As in a notebook."""

    async def cell() -> None:
        with connected() as (connection, peer):
            peer.rows = {"user": [user(ALICE)]}
            connection.subscribe(USERS)
            connection.reducers.send_message("hello")
            assert list(connection.db.user) == [user(ALICE)]

    asyncio.run(cell())


def test_threads_read_whole_transactions() -> None:
    """Any number of threads read while messages are applied, with the interpreter free as well."""
    people = [Identity.from_bytes(number.to_bytes(32, "big")) for number in range(200)]
    with connected() as (connection, peer):

        def crowd(turn: int) -> list[User]:
            # A message of more than 32 KiB is applied while other threads run.
            return [user(one, f"{turn:300}") for one in people]

        change(connection, peer, {"user": crowd(0)})
        everybody = connection.db.user.live(lambda row: True)
        is_over = threading.Event()
        faults: list[BaseException] = []

        def read() -> None:
            try:
                while not is_over.is_set():
                    names = {row.name for row in connection.db.user}
                    assert len(names) == 1, "no half of a transaction"
                    assert len(connection.db.user) == len(people)
                    assert connection.db.user.identity.find(people[7]) is not None
                    assert len(connection.db.user.identity.range()) == len(people)
                    assert len({row.identity for row in everybody}) <= len(people)
            except BaseException as error:
                faults.append(error)

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for turn in range(100):
            change(connection, peer, {"user": crowd(turn + 1)}, {"user": crowd(turn)})
        is_over.set()
        for reader in readers:
            reader.join()
        assert faults == []


def test_an_exit_in_a_callback_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with connected() as (connection, peer):
        connection.db.user.on_insert(lambda *_: sys.exit(1))
        loop = connection._thread._loop
        loop.call_soon_threadsafe(lambda: peer.change({"user": [user(ALICE)]}))
        connection.reducers.send_message("hello")
        assert any("SystemExit" in record.getMessage() for record in caplog.records)


def test_a_blocking_call_is_interrupted() -> None:
    with connected() as (connection, peer):
        peer.script = lambda call: os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            connection.reducers.send_message("hello")
        assert connection.is_active
        peer.script = None
        connection.reducers.send_message("it goes on")


# ---------------------------------------------------------------- frame_tick


def test_callbacks_wait_for_the_tick_and_run_in_its_thread() -> None:
    with connected("frame_tick") as (connection, peer):
        seen: list[tuple[str, str]] = []
        here = threading.current_thread().name

        @connection.db.message.on_insert
        def on_message(context: EventContext, row: Message) -> None:
            seen.append((threading.current_thread().name, row.text))

        connection.on_transaction(lambda *_: seen.append((threading.current_thread().name, "all")))
        change(connection, peer, {"message": [message("a")]})
        change(connection, peer, {"message": [message("b")]})
        assert (len(connection.db.message), seen) == (2, [])
        assert connection.frame_tick() == 0
        assert seen == [(here, "a"), (here, "all"), (here, "b"), (here, "all")]


def test_the_callbacks_of_a_message_begin_to_wait_together() -> None:
    with connected("frame_tick") as (connection, peer):
        call, queue = connection._inner._guard.call, connection._queue
        assert queue is not None
        is_waiting: deque[Any] = queue
        visible: list[int] = []

        class Spy(Guard):
            __slots__ = ()

            def call(self, place: str, callback: Callback, *args: object) -> None:
                call(place, callback, *args)
                visible.append(len(is_waiting))

        connection._inner._guard.__class__ = Spy
        connection.db.user.on_insert(lambda *_: None)
        connection.on_transaction(lambda *_: None)
        change(connection, peer, {"user": [user(ALICE), user(BOB)]})
        assert (visible, len(queue)) == ([0, 0, 0], 3)


def test_a_budget_that_is_used_up_leaves_the_rest() -> None:
    with connected("frame_tick") as (connection, peer):
        seen: list[str] = []
        connection.db.message.on_insert(lambda _, row: seen.append(row.text))
        for text in "abc":
            change(connection, peer, {"message": [message(text)]})
        assert [connection.frame_tick(budget=0) for _ in range(4)] == [2, 1, 0, 0]
        assert seen == ["a", "b", "c"]


def test_what_a_tick_causes_is_for_the_next_one() -> None:
    with connected("frame_tick") as (connection, peer):
        seen: list[str] = []

        @connection.db.message.on_insert
        def on_message(context: EventContext, row: Message) -> None:
            seen.append(row.text)
            if len(seen) < 3:
                change(connection, peer, {"message": [message(row.text + "!")]})

        change(connection, peer, {"message": [message("a")]})
        assert [connection.frame_tick() for _ in range(3)] == [1, 1, 0]
        assert seen == ["a", "a!", "a!!"]


def test_a_tick_may_wait() -> None:
    errors: list[Exception] = []
    with connected("frame_tick", on_callback_error=errors.append) as (connection, peer):
        done: list[bool] = []

        @connection.db.user.on_insert
        def answer(context: EventContext, row: User) -> None:
            done.append(context.reducers.send_message("hello").is_done)

        change(connection, peer, {"user": [user(ALICE)]})
        connection.frame_tick()
        assert (done, errors) == ([True], [])


def test_all_kinds_of_callbacks_wait_for_the_tick() -> None:
    heard: list[str] = []
    names = ("on_connect", "on_disconnect")
    options = {name: lambda *_, name=name: heard.append(name) for name in names}
    with connected("frame_tick", **options) as (connection, peer):
        online = connection.db.user.live(lambda row: row.online)
        online.on_removed(lambda *_: heard.append("removed"))
        connection.subscription_builder().on_applied(
            lambda context: heard.append(type(context.event).__name__)
        ).subscribe(USERS).applied()
        change(connection, peer, {"user": [user(ALICE)]})
        change(connection, peer, {}, {"user": [user(ALICE)]})
        assert (heard, len(online)) == ([], 0)
        connection.frame_tick()
    assert heard == ["on_connect", SubscribeAppliedEvent.__name__, "removed"]
    assert connection.frame_tick() == 0, "also after the end"
    assert heard[-1] == "on_disconnect"


def test_a_callback_that_raises_in_a_tick(caplog: pytest.LogCaptureFixture) -> None:
    with connected("frame_tick") as (connection, peer):
        seen: list[object] = []
        connection.db.user.on_insert(lambda *_: 1 / 0)
        connection.db.user.on_insert(lambda _, row: seen.append(row))
        change(connection, peer, {"user": [user(ALICE)]})
        with caplog.at_level(logging.ERROR):
            connection.frame_tick()
        assert seen == [user(ALICE)]
        assert "on_insert of table `user`, raised" in caplog.text


def test_a_tick_needs_the_option() -> None:
    with connected() as (connection, _), pytest.raises(RuntimeError, match="frame_tick"):
        connection.frame_tick()
    with pytest.raises(ValueError, match="'thread' or 'frame_tick', not 'never'"):
        sync.connect(in_memory(Peer()), callbacks="never")  # type: ignore[call-overload]


@pytest.mark.parametrize("callbacks", ["thread", "frame_tick"])
def test_connecting_fails(callbacks: Literal["thread", "frame_tick"]) -> None:
    told: list[object] = []
    peer = Peer()
    peer.refusal = wire.refusal("503 Service Unavailable", "")
    connection = in_memory(peer, on_connect_error=lambda _, error: told.append(error))
    with pytest.raises(ConnectError, match="503") as caught:
        sync.connect(connection, callbacks=callbacks)
    assert told == [caught.value]
    with pytest.raises(RuntimeError, match="used once"):
        sync.connect(connection)


# ---------------------------------------------------------------- streams


def test_streams_are_read_by_for() -> None:
    with connected() as (connection, peer):
        peer.rows = {"user": [user(ALICE)]}
        connection.subscribe(USERS)
        changes = connection.db.user.changes(existing=True)
        transactions = connection.transactions()
        change(connection, peer, {"user": [user(BOB)]})
        assert [changes.next(timeout=1), next(changes)] == [Added(user(ALICE)), Added(user(BOB))]
        with pytest.raises(CallTimeout, match="nothing came within"):
            changes.next(timeout=0.01)
        connection.close()
        assert list(changes) == []
        assert [len(transaction.changes) for transaction in transactions] == [1]


def test_a_stream_raises_where_it_is_read() -> None:
    with connected(reconnect=False) as (connection, peer):
        narrow = connection.db.user.changes(size=1)
        wide = connection.db.user.changes()
        change(connection, peer, {"user": [user(ALICE), user(BOB)]})
        connection.read(peer.end)
        assert next(narrow).row in (user(ALICE), user(BOB))
        with pytest.raises(StreamOverflow):
            next(narrow)
        assert len([wide.next(), wide.next()]) == 2
        with pytest.raises(ConnectionLost):
            wide.next()
        with pytest.raises(ConnectionLost):
            connection.wait_closed()


def test_streams_made_meanwhile_have_no_gap_and_no_duplicate() -> None:
    """The thread that makes them is not that of messages."""
    people = [Identity.from_bytes(number.to_bytes(32, "big")) for number in range(300)]
    with connected() as (connection, peer):

        def come() -> None:
            for one in people:
                change(connection, peer, {"user": [user(one)]})

        writer = threading.Thread(target=come)
        writer.start()
        streams = [connection.db.user.changes(existing=True) for _ in range(20)]
        writer.join()
        connection.close()
        for stream in streams:
            assert sorted(one.row.identity for one in stream) == sorted(people)


def test_states() -> None:
    before, after = Peer(), Peer()
    after.rows = {"user": [user(CAROL)]}
    options = in_memory_options(before, reconnect=Reconnect(base=0))
    with sync.connect(DbConnection(**{**options, "transport": Peers(before, after)})) as connection:
        connection.subscribe(USERS)
        states = connection.states()
        assert next(states).status is ConnectionStatus.CONNECTED
        connection.read(before.end)
        assert next(states).status is ConnectionStatus.RECONNECTING
        assert next(states).status is ConnectionStatus.CONNECTED
        connection.wait_connected(timeout=1)
        assert list(connection.db.user) == [user(CAROL)]
        connection.close()
        assert [state.status for state in states] == [ConnectionStatus.CLOSED]


# ---------------------------------------------------------------- the end


def test_after_the_end_rows_are_readable_and_calls_raise() -> None:
    with connected() as (connection, peer):
        change(connection, peer, {"user": [user(ALICE)]})
    assert list(connection.db.user) == [user(ALICE)]
    assert not connection.is_active
    connection.close()
    connection.wait_closed()
    with pytest.raises(ConnectionClosed, match="this side closed"):
        connection.reducers.send_message("hello")
    with pytest.raises(ConnectionClosed, match="this side closed"):
        connection.subscribe(USERS)


LEFT_OPEN = """
from spacetime_py import sync
from tests.scripted.peer import Peer, in_memory
peer = Peer()
told = lambda connection, error: print("closed", error, flush=True)
connection = sync.connect(in_memory(peer, on_disconnect=told))
connection.reducers.send_message("hello")
"""

INTERRUPTED = """
import os, signal
from spacetime_py import sync
from tests.scripted.peer import Peer, in_memory
peer = Peer()
told = lambda connection, error: print("closed", error, flush=True)
try:
    with sync.connect(in_memory(peer, on_disconnect=told)) as connection:
        loop = connection._thread._loop
        # While it waits, not as it begins to: Python would notice with the next signal.
        interrupt = lambda: os.kill(os.getpid(), signal.SIGINT)
        loop.call_soon_threadsafe(loop.call_later, 0.2, interrupt)
        connection.wait_closed()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize(
    ("program", "output"),
    [(LEFT_OPEN, "closed None\n"), (INTERRUPTED, "closed None\ninterrupted\n")],
    ids=["left open", "interrupted"],
)
def test_a_program_ends_in_order(program: str, output: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == (output, "", 0)
