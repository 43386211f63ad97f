"""What type checkers make of generated packages. Never run: test_typing.py has it checked.

An error that must be there carries `type: ignore` with its code: without the error, the checkers
complain of the comment.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from typing_extensions import assert_never, assert_type

from spacetime_py import (
    Added,
    Change,
    Err,
    EventContext,
    Identity,
    Index,
    LiveRow,
    LiveRows,
    Ok,
    ProcedureCall,
    ReducerCall,
    Removed,
    ScheduleAt,
    Some,
    Stream,
    SubscriptionHandle,
    Table,
    TimeDuration,
    Timestamp,
    Transaction,
    UniqueIndex,
    Updated,
    asdict,
    connect,
    dynamic,
    from_bsatn,
    from_json,
    into,
    replace,
    sync,
    to_json,
)
from tests.codegen.golden import chat, nasty
from tests.codegen.golden import schema_1_2_0_version9 as all_types
from tests.codegen.golden import schema_2_8_3_version10 as newer


async def connecting() -> None:
    connection = chat.DbConnection(uri="http://127.0.0.1:3000", database="chat", token=None)
    async with connection as entered:
        assert_type(entered, chat.DbConnection)
        assert_type(entered.db, chat.RemoteTables)
        assert_type(entered.reducers, chat.RemoteReducers)
        assert_type(entered.identity, Identity)
        assert_type(await entered.subscribe("SELECT * FROM user"), SubscriptionHandle)
    chat.DbConnection(uri=5, database="chat")  # type: ignore[arg-type]
    chat.DbConnection(database="chat")  # type: ignore[call-arg]
    assert_type(chat.DbConnection.builder().with_uri("x").build(), chat.DbConnection)


def tables(db: chat.RemoteTables, me: Identity) -> None:
    assert_type(db.user, chat.UserTable)
    users: Table[chat.User] = db.user
    assert_type(users.count(), int)
    assert_type(len(db.user), int)
    assert_type(iter(db.user), Iterator[chat.User])
    assert_type(db.user.iter(), Iterator[chat.User])
    assert_type(list(db.message), list[chat.Message])
    for user in db.user:
        assert_type(user, chat.User)
        assert_type(user.name, str | None)
        assert_type(user.identity, Identity)
    assert_type([message.sent for message in db.message], list[Timestamp])
    assert_type(db.user.identity, UniqueIndex[chat.User, Identity])
    assert_type(db.user.identity.find(me), chat.User | None)
    db.user.identity.find("me")  # type: ignore[arg-type]
    print(db.message.sender)  # type: ignore[attr-defined]
    print(db.other)  # type: ignore[attr-defined]


def indexes(db: all_types.RemoteTables, me: Identity) -> None:
    assert_type(db.item.owner, Index[all_types.Item, Identity])
    assert_type(db.item.owner.filter(me), list[all_types.Item])
    assert_type(db.item.owner.count(me), int)
    db.item.owner.filter("me")  # type: ignore[arg-type]
    by_kind = db.item.by_kind_and_level
    assert_type(by_kind, Index[all_types.Item, tuple[int] | tuple[int, int]])
    assert_type(by_kind.filter((3,)), list[all_types.Item])
    assert_type(by_kind.range((3,), (3, 5), include_end=True, limit=2), list[all_types.Item])
    by_kind.filter(3)  # type: ignore[arg-type]
    by_kind.filter((3, "high"))  # type: ignore[arg-type]
    assert_type(db.item.id.range(None, 7, reverse=True), list[all_types.Item])
    db.item.id.range("a")  # type: ignore[arg-type]


def rows(user: chat.User, me: Identity) -> None:
    chat.User(me, "ada", True)
    chat.User(identity=me, name=None, online=True)
    chat.User(me, 5, True)  # type: ignore[arg-type]
    chat.User(me, "ada")  # type: ignore[call-arg]
    chat.User(me, "ada", True, nick="a")  # type: ignore[call-arg]
    user.name = "bob"  # type: ignore[misc]
    print(user.nick)  # type: ignore[attr-defined]
    assert_type(from_bsatn(chat.User, b""), chat.User)
    match user:
        case chat.User(identity, name, online=online):
            assert_type(identity, Identity)
            assert_type(name, str | None)
            assert_type(online, bool)


def callbacks(db: chat.RemoteTables) -> None:
    def inserted(context: chat.EventContext, row: chat.User) -> None:
        assert_type(context, EventContext[chat.DbConnection])
        assert_type(context.connection, chat.DbConnection)
        assert_type(context.db, chat.RemoteTables)
        assert_type(context.reducers, chat.RemoteReducers)
        assert_type(row.name, str | None)

    def updated(context: chat.EventContext, old: chat.User, new: chat.User) -> None:
        assert_type((old, new), tuple[chat.User, chat.User])

    def of_messages(context: chat.EventContext, row: chat.Message) -> None: ...

    db.user.on_insert(inserted)
    db.user.on_delete(inserted)
    db.user.on_update(updated)
    db.user.remove_on_insert(inserted)
    db.user.on_insert(lambda context, row: print(assert_type(row, chat.User)))
    db.user.on_update(lambda context, old, new: print(assert_type(new, chat.User)))
    db.user.on_insert(updated)  # type: ignore[arg-type]
    db.user.on_update(inserted)  # type: ignore[arg-type]
    db.user.on_insert(of_messages)  # type: ignore[arg-type]

    @db.user.on_insert
    def decorated(context: EventContext[Any], row: chat.User) -> None: ...


async def reducers(remote: chat.RemoteReducers, newer_ones: newer.RemoteReducers) -> None:
    call = remote.send_message("hi")
    assert_type(call, ReducerCall)
    await remote.send_message(text="hi", timeout=1.5)
    remote.send_message(5)  # type: ignore[arg-type]
    remote.send_message()  # type: ignore[call-arg]
    remote.send_message("hi", 1.5)  # type: ignore[call-arg]
    remote.send_message("hi", timeout="soon")  # type: ignore[arg-type]
    remote.no_such_reducer()  # type: ignore[attr-defined]
    newer_ones.many_args(1, "b", None, [1.0, 2], newer.ShapeCount(1), newer.Point(1, 2))
    newer_ones.many_args(1, "b", "c", [1.0], newer.ShapeCount(1), newer.Point(1, 2))  # type: ignore[arg-type]
    newer_ones.many_args(1, "b", None, ["x"], newer.ShapeCount(1), newer.Point(1, 2))  # type: ignore[list-item]
    newer_ones.many_args(1, "b", None, [], newer.Point(1, 2), newer.Point(1, 2))  # type: ignore[arg-type]


async def procedures(remote: newer.RemoteProcedures) -> None:
    assert_type(remote.add_numbers(1, 2), ProcedureCall[int])
    assert_type(await remote.add_numbers(1, 2, timeout=3), int)
    assert_type(await remote.add_diary_by_procedure("x", 1), str | None)
    assert_type(await remote.make_answer([], newer.ShapeNothing()), newer.Answer)
    assert_type(await remote.give_nothing(), None)
    remote.add_numbers("1", 2)  # type: ignore[arg-type]


def union(shape: all_types.Shape) -> int:
    """Every variant has its case, so that nothing is left."""
    match shape:
        case all_types.ShapeNothing():
            return 0
        case all_types.ShapeCount(count):
            return assert_type(count, int)
        case all_types.ShapeText(text):
            return len(assert_type(text, str))
        case all_types.ShapeSpot(point):
            return assert_type(point, all_types.Point).x
        case all_types.ShapePath(points):
            return len(assert_type(points, list[all_types.Point]))
        case all_types.ShapeTint(color):
            return assert_type(color, all_types.Color).value
        case all_types.ShapeBlob(data):
            return len(assert_type(data, bytes))
        case all_types.ShapeMaybe(maybe):
            assert_type(maybe, int | None)
            return 0
        case _:
            assert_never(shape)


def forgetful(shape: newer.Shape) -> int:
    match shape:
        case newer.ShapeNothing():
            return 0
        case _:
            assert_never(shape)  # type: ignore[arg-type]


def plain(color: all_types.Color) -> str:
    match color:
        case all_types.Color.RED:
            return "red"
        case all_types.Color.GREEN:
            return "green"
        case all_types.Color.DARK_BLUE:
            return "dark blue"
        case _:
            assert_never(color)


def enums(color: all_types.Color) -> None:
    member: enum.Enum = color
    assert_type(all_types.Color(0), all_types.Color)
    name: str = member.name
    print(name)
    print(all_types.Color.PURPLE)  # type: ignore[attr-defined]


def containers(row: all_types.Containers) -> None:
    assert_type(row.o_point, all_types.Point | None)
    assert_type(row.o_nested, Some[bool | None] | None)
    assert_type(row.l_opt, list[int | None])
    assert_type(row.l_list, list[list[int]])
    assert_type(row.l_shape, list[all_types.Shape])
    if row.o_nested is not None:
        assert_type(row.o_nested.value, bool | None)


def schedules(alarm: all_types.Alarm) -> timedelta | None:
    assert_type(alarm.scheduled_at, ScheduleAt)
    match alarm.scheduled_at:
        case TimeDuration():
            return alarm.scheduled_at.to_timedelta()
        case Timestamp():
            return None
        case _:
            assert_never(alarm.scheduled_at)


def results(row: nasty.Results) -> int:
    match row.plain:
        case Ok(number):
            return assert_type(number, int)
        case Err(text):
            return len(assert_type(text, str))
        case _:
            assert_never(row.plain)


def recursion(tree: nasty.Tree, chain: nasty.Chain) -> int:
    assert_type(tree.children, list[nasty.Tree])
    assert_type(chain.next, nasty.Chain | None)
    return sum(recursion(child, chain) for child in tree.children)


def builtins_keep_their_meaning(row: nasty.Class, remote: nasty.RemoteReducers) -> None:
    assert_type(row.class_, int)
    assert_type(row.from_, str)
    assert_type(row.None_, list[str])
    assert_type(row.Identity__, int)
    assert_type(remote.str_("x", 5, "y"), ReducerCall)


async def streams(connection: chat.DbConnection, db: chat.RemoteTables, me: Identity) -> None:
    assert_type(db.user.changes(), Stream[Change[chat.User]])
    async with db.user.changes(existing=True, overflow="conflate") as changes:
        async for change in changes:
            assert_type(change.row, chat.User)
            match change:
                case Added(row) | Removed(row):
                    assert_type(row, chat.User)
                case Updated(old, new):
                    assert_type((old, new), tuple[chat.User, chat.User])
                case _:
                    assert_never(change)
    async for transaction in connection.transactions():
        assert_type(transaction, Transaction)
    db.user.changes(overflow="block")  # type: ignore[arg-type]
    connection.transactions(overflow="conflate")  # type: ignore[arg-type]


def live_rows(db: chat.RemoteTables, items: all_types.ItemTable, me: Identity) -> None:
    assert_type(db.user.identity.live(me), LiveRow[chat.User])
    assert_type(db.user.identity.live(me).row, chat.User | None)
    online = db.user.live(lambda user: user.online)
    assert_type(online, LiveRows[chat.User])
    assert_type(list(online), list[chat.User])
    assert_type(online.changes(), Stream[Change[chat.User]])
    assert_type(items.owner.live(me), LiveRows[all_types.Item])
    online.on_removed(lambda context, row: print(assert_type(row, chat.User)))
    db.user.identity.live("me")  # type: ignore[arg-type]
    db.user.live(lambda user: user.age > 5)  # type: ignore[attr-defined]


def synchronous(remote: newer.DbConnection) -> None:
    made = chat.DbConnection(uri="http://127.0.0.1:3000", database="chat")
    with sync.connect(made, callbacks="frame_tick") as connection:
        assert_type(connection, sync.SyncConnection[chat.DbConnection])
        assert_type(connection.db, chat.RemoteTables)
        assert_type(connection.db.message, chat.MessageTable)
        assert_type(connection.reducers, chat.RemoteReducers)
        connection.reducers.send_message("hi", timeout=1.5)
        connection.reducers.send_message(5)  # type: ignore[arg-type]
        assert_type(connection.wait(connection.send.send_message("hi")), None)
        assert_type(connection.subscribe("SELECT * FROM user"), sync.SyncSubscriptionHandle)
        assert_type(connection.query(chat.query.user), list[chat.User])
        assert_type(connection.read(lambda: len(connection.db.user)), int)
        assert_type(connection.frame_tick(0.004), int)
        for change in connection.db.user.changes():
            assert_type(change.row, chat.User)
    other = sync.connect(remote)
    assert_type(other.procedures.add_numbers(1, 2).result(), int)
    sync.connect("chat")  # type: ignore[call-overload]
    sync.connect(remote, callbacks="never")  # type: ignore[call-overload]


@dataclass
class Person:
    name: str | None


async def rows_in_other_forms(row: chat.User) -> None:
    assert_type(replace(row, name="x"), chat.User)
    assert_type(asdict(row), dict[str, Any])
    assert_type(from_json(chat.User, to_json(row)), chat.User)
    assert_type(into(row, Person), Person)
    connection = chat.DbConnection(uri="x:1", database="chat")
    assert_type(await connection.query(chat.query.user, into=Person), list[Person])
    assert_type(await connection.query("SELECT * FROM user", into=Person), list[Person])
    assert_type(await connection.query(chat.query.user), list[chat.User])
    assert_type(connection.db.user.iter(into=Person), Iterator[Person])
    assert_type(connection.db.user.iter(), Iterator[chat.User])
    with sync.connect(connection) as blocking:
        assert_type(blocking.query(chat.query.user, into=Person), list[Person])
    into(row)  # type: ignore[call-arg]
    connection.db.user.iter(into=5)  # type: ignore[call-overload]


async def without_generated_code() -> None:
    async with connect("http://127.0.0.1:3000", "chat", token=None) as connection:
        assert_type(connection, dynamic.DynamicConnection)
        assert_type(connection.bindings, dynamic.Bindings)
        assert_type(connection.db.anything.count(), int)
        assert_type(connection.reducers.anything(text="x"), ReducerCall)
        for row in connection.db.anything.iter():
            assert_type(row, Any)
        assert_type(await connection.query("SELECT * FROM user", into=Person), list[Person])
    with sync.connect("http://127.0.0.1:3000", "chat", callbacks="frame_tick") as blocking:
        assert_type(blocking, sync.SyncConnection[dynamic.DynamicConnection])
        assert_type(blocking.db.anything.count(), int)
    assert_type(dynamic.bindings("{}").DbConnection, type[dynamic.DynamicConnection])
