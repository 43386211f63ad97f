"""Several clients of one chat."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from spacetime_py import Identity, UnknownTransactionEvent

from .target import Target, is_own, until

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]

ALL = ("SELECT * FROM user", "SELECT * FROM message")


async def test_two_clients_see_each_others_messages(chat: Target) -> None:
    async with chat.connect() as ann, chat.connect() as bob:
        seen_by_ann: list[tuple[Identity, str, bool]] = []
        seen_by_bob: list[tuple[Identity, str, bool]] = []

        def watch(connection: Any, seen: list[tuple[Identity, str, bool]]) -> None:
            connection.db.message.on_insert(
                lambda context, row: seen.append((row.sender, row.text, is_own(context.event)))
            )

        watch(ann, seen_by_ann)
        watch(bob, seen_by_bob)
        await ann.subscribe(*ALL)
        await bob.subscribe(*ALL)
        await ann.reducers.send_message("hello")
        assert seen_by_ann == [(ann.identity, "hello", True)]
        await until(lambda: seen_by_bob)
        await bob.reducers.send_message("hi")
        await until(lambda: len(seen_by_ann) == 2)
        assert seen_by_bob == [(ann.identity, "hello", False), (bob.identity, "hi", True)]
        assert seen_by_ann == [(ann.identity, "hello", True), (bob.identity, "hi", False)]


async def test_who_called_what(chat: Target) -> None:
    async with chat.connect() as ann, chat.connect() as bob:
        events: list[Any] = []
        bob.db.message.on_insert(lambda context, row: events.append((context.event, row)))
        await bob.subscribe(*ALL)
        await ann.reducers.send_message("hello")
        await until(lambda: events)
        ((event, row),) = events
        assert row.sender == ann.identity
        if bob.protocol != "v1":
            assert isinstance(event, UnknownTransactionEvent), "only the caller is told"
            return
        assert (event.name, event.args) == ("send_message", ("hello",))
        assert event.caller_identity == ann.identity
        assert event.caller_connection_id == ann.connection_id
        assert event.timestamp == row.sent


async def test_a_new_name_is_an_update(chat: Target) -> None:
    async with chat.connect() as ann, chat.connect() as bob:
        changes: list[tuple[str | None, str | None]] = []
        others: list[Any] = []
        await bob.subscribe(*ALL)
        bob.db.user.on_update(lambda context, old, new: changes.append((old.name, new.name)))
        bob.db.user.on_insert(lambda context, row: others.append(row))
        bob.db.user.on_delete(lambda context, row: others.append(row))
        await ann.reducers.set_name("Ann")
        await ann.reducers.set_name("Anna")
        await until(lambda: len(changes) == 2)
        assert changes == [(None, "Ann"), ("Ann", "Anna")]
        assert others == []
        assert bob.db.user.identity.find(ann.identity).name == "Anna"


async def test_who_comes_and_goes(chat: Target) -> None:
    async with chat.connect() as ann:
        await ann.subscribe("SELECT * FROM user")
        came: list[Any] = []
        changed: list[tuple[bool, bool]] = []
        ann.db.user.on_insert(lambda context, row: came.append(row))
        ann.db.user.on_update(lambda context, old, new: changed.append((old.online, new.online)))
        async with chat.connect() as bob:
            await until(lambda: came)
            assert came == [chat.bindings.User(identity=bob.identity, name=None, online=True)]
        await until(lambda: changed)
        assert changed == [(True, False)]


async def test_rows_by_unique_column_by_iteration_and_by_count(chat: Target) -> None:
    async with chat.connect() as ann, chat.connect() as bob:
        await ann.subscribe(*ALL)
        await until(lambda: len(ann.db.user) == 2)
        found = ann.db.user.identity.find(bob.identity)
        assert found == chat.bindings.User(identity=bob.identity, name=None, online=True)
        assert ann.db.user.identity.find(Identity("00" * 32)) is None
        assert {user.identity for user in ann.db.user} == {ann.identity, bob.identity}
        assert ann.db.user.count() == len(list(ann.db.user.iter())) == 2
        assert found in ann.db.user
        for number in range(5):
            await ann.reducers.send_message(str(number))
        by_time = sorted(ann.db.message, key=lambda row: row.sent)
        assert [row.text for row in by_time] == ["0", "1", "2", "3", "4"]


async def test_the_token_gives_the_same_identity(chat: Target) -> None:
    async with chat.connect() as first:
        await first.reducers.set_name("Ann")
    async with chat.connect(token=first.token) as again:
        assert again.identity == first.identity
        assert again.connection_id != first.connection_id
        await again.subscribe("SELECT * FROM user")
        assert again.db.user.identity.find(first.identity).name == "Ann"
    async with chat.connect() as stranger:
        assert stranger.identity != first.identity


async def test_one_identity_twice(chat: Target) -> None:
    async with chat.connect() as first, chat.connect(token=first.token) as second:
        events: list[Any] = []
        second.db.message.on_insert(lambda context, row: events.append(context.event))
        await second.subscribe("SELECT * FROM message")
        await first.reducers.send_message("from the first")
        await until(lambda: events)
        # The same identity, yet a call of another connection.
        assert not is_own(events[0])


async def test_a_removed_callback_is_not_called(chat: Target) -> None:
    async with chat.connect() as ann:
        await ann.subscribe(*ALL)
        seen: list[str] = []

        def on_insert(context: object, row: Any) -> None:
            seen.append(f"inserted {row.text}")

        def on_update(context: object, old: object, new: Any) -> None:
            seen.append(f"renamed {new.name}")

        ann.db.message.on_insert(on_insert)
        ann.db.user.on_update(on_update)
        await ann.reducers.send_message("a")
        await ann.reducers.set_name("A")
        ann.db.message.remove_on_insert(on_insert)
        ann.db.user.remove_on_update(on_update)
        await ann.reducers.send_message("b")
        await ann.reducers.set_name("B")
        assert seen == ["inserted a", "renamed A"]
        with pytest.raises(ValueError, match="not registered"):
            ann.db.message.remove_on_insert(on_insert)


async def test_a_callback_may_call_and_subscribe(chat: Target) -> None:
    """An echo: it answers the first message of somebody else."""
    async with chat.connect() as ann, chat.connect() as echo:

        def answer(context: Any, row: Any) -> None:
            if row.sender != context.identity:
                context.reducers.send_message(f"you said {row.text}")

        echo.db.message.on_insert(answer)
        await echo.subscribe("SELECT * FROM message")
        await ann.subscribe("SELECT * FROM message")
        await ann.reducers.send_message("hello")
        await until(lambda: len(ann.db.message) == 2)
        assert {row.text for row in ann.db.message} == {"hello", "you said hello"}


async def test_a_hundred_concurrent_calls(chat: Target) -> None:
    async with chat.connect() as ann:
        await ann.subscribe("SELECT * FROM message")

        made: list[str] = []

        async def say(number: int) -> None:
            made.append(str(number))
            await ann.reducers.send_message(str(number))
            # The rows of a call are cached when its await ends.
            assert str(number) in {row.text for row in ann.db.message}

        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(say, number)
        # The server ran them in the order in which they were made, which trio shuffles.
        by_time = sorted(ann.db.message, key=lambda row: row.sent)
        assert [row.text for row in by_time] == made
        assert len(made) == 100


async def test_ten_clients_at_once(chat: Target) -> None:
    count = 10
    texts: list[set[str]] = []
    ready = 0

    async def take_part(number: int) -> None:
        nonlocal ready
        async with chat.connect() as connection:
            await connection.subscribe("SELECT * FROM message")
            ready += 1
            await until(lambda: ready == count)
            for turn in range(5):
                await connection.reducers.send_message(f"{number} {turn}")
            await until(lambda: len(connection.db.message) == 5 * count)
            texts.append({row.text for row in connection.db.message})

    async with anyio.create_task_group() as group:
        for number in range(count):
            group.start_soon(take_part, number)
    assert texts == [{f"{number} {turn}" for number in range(count) for turn in range(5)}] * count
