"""Reducers at work on the fake runtime: rows, indexes, errors, contexts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from spacetime_py.server import (
    ReducerError,
    Some,
    TimeDuration,
    Timestamp,
    UniqueViolation,
    _program,
)
from spacetime_py.server.errors import NoSuchRow

from . import fake
from .programs import ALL_TYPES, described, program


class Caller:
    """Calls the reducers of a program by name, as the runtime does."""

    def __init__(self, modules: list[Any]) -> None:
        self.modules = modules
        description = described(9)
        fake.load(description)
        self.numbers = {one["name"]: n for n, one in enumerate(description["reducers"])}
        self.db: Any = self.context().db

    def context(self, sender: int = 5, connection: int = 9, time: int = 77) -> Any:
        who = sender.to_bytes(32, "little") + connection.to_bytes(16, "little")
        return fake.decode(_program.new_context, who + time.to_bytes(8, "little"))

    def __call__(self, name: str, *args: object, **context: int) -> None:
        function, codec = _program.reducers[self.numbers[name]]
        assert (codec is None) == (not args)
        # Through bytes and back, as arguments come.
        given = fake.decode(codec, fake.encode(codec, args)) if codec else ()
        function(self.context(**context), *given)


@pytest.fixture
def call() -> Iterator[Caller]:
    with program("all_types_py", "all_types") as modules:
        yield Caller(modules)


@pytest.fixture
def chat() -> Iterator[Caller]:
    with program("chat_py", "chat") as modules:
        yield Caller(modules)


def test_the_chat(chat: Caller) -> None:
    chat("init")
    assert [line[4] for line in fake.LOG] == ["the chat is open"]
    chat("client_connected")
    chat("client_connected", sender=6)
    chat("set_name", "Ann")
    chat("send_message", "hello")
    chat("client_disconnected")
    user = chat.db.user.identity.find(chat.context().sender)
    assert (user.name, user.online) == ("Ann", False)
    (message,) = chat.db.message
    assert (message.text, message.sent) == ("hello", Timestamp(77))
    with pytest.raises(ReducerError, match="a name must not be empty"):
        chat("set_name", "")
    with pytest.raises(ReducerError, match="only a connected user"):
        chat("set_name", "x", sender=99)


def test_log_has_file_and_line(chat: Caller) -> None:
    chat("client_disconnected", sender=1)
    ((level, target, file, line, text),) = fake.LOG
    assert (level, target) == (1, "chat")
    assert file is not None
    assert file.endswith("chat_py/src/chat.py")
    assert line is not None
    assert text.startswith("0" * 63 + "1 left")


def test_insert_fills_in_numbers(call: Caller) -> None:
    call("add_tag", 7, "a")
    call("add_tag", 7, "b")
    call("add_tag", 8, "c")
    assert [tag.id for tag in call.db.tag] == [1, 2, 3]
    assert [tag.label for tag in call.db.tag.item_id.filter(7)] == ["a", "b"]
    assert call.db.tag.item_id.count(7) == 2
    assert call.db.tag.item_id.delete(7) == 2
    assert len(call.db.tag) == 1


def test_all_values_come_back(call: Caller) -> None:
    types = call.modules[0].reducers
    shapes = [types.Point(1, 2)]
    call("set_options", 3, 5, "x", types.Point(1, 2), Some(None), call.context().sender)
    call("set_lists", 3, [1], ["y"], shapes, [None, 3], [[1], []], [types.Color.DARK_BLUE], [])
    row = call.db.containers.id.find(3)
    assert (row.o_num, row.o_nested, row.o_point) == (5, Some(None), types.Point(1, 2))
    assert (row.l_opt, row.l_list) == ([None, 3], [[1], []])
    assert row.l_color == [types.Color.DARK_BLUE]
    call("set_signed", 1, -1, -2, -3, -4, -(2**127), -(2**255))
    call("set_special", 1, *special(call))
    scalars = call.db.scalars.id.find(1)
    assert scalars.v_i256 == -(2**255)
    assert scalars.v_when == Timestamp(4)
    call("many_args", 1, "b", None, [0.5], call.modules[0].arguments.ShapeNothing(), shapes[0])
    assert fake.LOG[-1][4] == "1 b None [0.5] ShapeNothing() Point(x=1, y=2)"


def special(call: Caller) -> tuple[Any, ...]:
    context = call.context()
    return context.sender, context.connection_id, Timestamp(-1), TimeDuration(3), Timestamp(4)


def test_ranges(call: Caller) -> None:
    for number in range(12):
        call("add_item", number, f"c{number}", number // 4, number, None)
    item = call.db.item

    def numbers(rows: Any) -> list[int]:
        return [row.id for row in rows]

    assert numbers(item.id.range(3, 6)) == [3, 4, 5]
    assert numbers(item.id.range(3, 6, include_start=False, include_end=True)) == [4, 5, 6]
    assert numbers(item.id.range(9)) == [9, 10, 11]
    assert numbers(item.id.range(None, 2)) == [0, 1]
    assert len(numbers(item.id.range())) == 12
    both = item.by_kind_and_level
    assert numbers(both.filter((1,))) == [4, 5, 6, 7]
    assert numbers(both.filter((1, 6))) == [6]
    assert numbers(both.range((1, 6), (1,), include_end=True)) == [6, 7]
    assert numbers(both.range((1, 6), (1,))) == []
    assert numbers(both.range((1, 5), (1, 7))) == [5, 6]
    assert numbers(both.range((1,), (3,))) == list(range(4, 12))
    assert numbers(both.range((0,), (1,), include_start=False, include_end=True)) == [4, 5, 6, 7]
    assert both.delete_range((1, 5), (1,), include_end=True) == 3
    assert both.delete((1,)) == 1
    assert both.delete((2, 8)) == 1
    assert numbers(both.range()) == [0, 1, 2, 3, 9, 10, 11]
    for key in ((), (1, 2, 3)):
        with pytest.raises(ValueError, match="1 to 2 values"):
            both.filter(key)
    with pytest.raises(ValueError, match="must be the same"):
        both.range((1, 5), (2, 7))
    with pytest.raises(ValueError, match="must be the same"):
        both.range((1, 5))
    with pytest.raises(TypeError, match="is a tuple"):
        both.filter(1)


def test_errors_say_where(call: Caller) -> None:
    call("add_item", 1, "a", 0, 0, None)
    with pytest.raises(UniqueViolation, match="item: a row with the same value") as caught:
        call("add_item", 2, "a", 0, 0, None)
    assert (caught.value.errno, caught.value.table) == (12, "item")
    with pytest.raises(ReducerError, match="no item 9"):
        call("set_item", 9, 1, None)
    with pytest.raises(NoSuchRow, match=r"Gate\.id: there is no row"):
        call("set_gate", True)
    with pytest.raises(TypeError, match="expected int"):
        call.db.item.id.find("x")
    assert _program.error_text(ReducerError("no")) == "no"
    assert _program.error_text(KeyError("x")) == "KeyError: 'x'"
    assert _program.error_text(RuntimeError()) == "RuntimeError"


def test_changes(call: Caller) -> None:
    call("bulk_insert", 0, 10, 1)
    call("bulk_update", 0, 5, 2**64 - 1)
    call("bulk_delete", 5, 3)
    assert len(call.db.bulk) == 7
    assert call.db.bulk.id.find(0).value == 0
    call("add_item", 1, "a", 2, 3, "note")
    call("replace_item", 1, 8)
    call("touch_item", 1)
    assert call.db.item.id.find(1).level == 8
    call("add_diary", "x", 1)
    call("drop_diary", "x", 2)
    assert call.db.diary.count() == 1
    call("drop_diary", "x", 1)
    assert call.db.diary.count() == 0
    call("on_init")
    call("wipe")
    assert [len(table) for table in vars(call.db).values()].count(0) == 12 + 1


def test_context(call: Caller) -> None:
    context = call.context(sender=1, connection=0, time=1_700_000_000_000_000)
    assert context.sender.hex == f"{1:064x}"
    assert context.connection_id is None
    assert call.context(connection=3).connection_id.hex == f"{3:032x}"
    assert context.timestamp.to_datetime().year == 2023
    assert not context.is_internal
    again = call.context(time=1_700_000_000_000_000)
    assert [context.rng.below(100) for _ in range(5)] == [again.rng.below(100) for _ in range(5)]
    ordered = [context.new_uuid_v7() for _ in range(5)]
    assert ordered == sorted(ordered)
    assert {one.version for one in ordered} == {7}
    assert context.new_uuid_v4().version == 4
    with pytest.raises(AttributeError, match=r"no table 'itme'; there are .*item"):
        context.db.itme  # noqa: B018
    with pytest.raises(KeyError, match="int is no table"):
        context.db[int]


def test_views_and_procedures() -> None:
    with program("all_types_py", ALL_TYPES, "tests.server_modules.extras28"):
        described(10)
        names = [function.__qualname__ for function, _ in _program.procedures]
        assert len(names) == 6
        context = fake.decode(_program.new_procedure_context, bytes(56))
        add, codec = _program.procedures[0]
        assert codec is not None
        assert add(context, 2, 3) == (5).to_bytes(8, "little")
        nothing, codec = _program.procedures[4]
        assert codec is None
        assert nothing(context) == b""
        anonymous = _program.new_anonymous_view_context()
        query, _ = _program.anonymous_views[0]
        sql = b"SELECT * FROM item WHERE kind = 3"
        assert query(anonymous) == b"\1" + len(sql).to_bytes(4, "little") + sql


def test_transactions_of_procedures() -> None:
    context = fake.decode(_program.new_procedure_context, bytes(56))
    assert context.with_tx(lambda tx: tx.timestamp) == Timestamp(1_000_000)
    with pytest.raises(ZeroDivisionError):
        context.with_tx(lambda tx: 1 // 0)
    assert fake.TRANSACTIONS == ["start", "commit", "start", "abort"]


def test_tracebacks() -> None:
    try:
        try:
            dict[str, int]()["a"]
        except KeyError as error:
            raise ValueError("worse") from error
    except ValueError as error:
        _program.log_exception(error)
    ((level, _, file, _, text),) = fake.LOG
    assert (level, file) == (0, __file__)
    assert "KeyError: 'a'\n\nwhich directly caused:\n\nTraceback" in text
    assert text.endswith("ValueError: worse")
