"""Bindings made in memory: what they are, how they are found, and whether a schema still fits."""

from __future__ import annotations

import copy
import json
import pickle
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spacetime_py import CodegenError, EncodeError, Identity, from_json, sync, to_json
from spacetime_py.dynamic import Bindings, bindings
from spacetime_py.schema_guard import differences
from spacetime_py.shapes import Schema, schema_of
from tests.codegen.packages import SCHEMAS, load, package_name

CHAT = Path(__file__).parents[1] / "codegen" / "schemas" / "chat.json"
URI = "http://127.0.0.1:1"


@pytest.fixture
def chat() -> Bindings:
    return bindings(CHAT)


@pytest.fixture
def connection(chat: Bindings) -> Any:
    """Not entered."""
    return chat.DbConnection(uri=URI, database="chat")


def test_a_schema_in_every_form(chat: Bindings) -> None:
    text = CHAT.read_text(encoding="utf-8")
    assert bindings(text) is chat
    assert bindings(text.encode()) is chat
    assert bindings(json.loads(text)) is chat


def test_the_order_of_lists_does_not_matter(chat: Bindings) -> None:
    schema = load("chat")
    schema["tables"].reverse()
    schema["reducers"].reverse()
    assert bindings(schema) is chat


def test_private_tables_are_asked_for() -> None:
    public, private = bindings(load("nasty")), bindings(load("nasty"), include_private=True)
    assert public is not private
    assert "Secret" not in dir(public)
    assert private.Secret(1, "x").text == "x"
    assert (public.has_private, private.has_private) == (False, True)


@pytest.mark.parametrize("schema", SCHEMAS, ids=package_name)
def test_every_schema_loads(schema: Path) -> None:
    made = bindings(schema)
    for name in made.__all__:
        assert getattr(made, name) is not None
    assert dir(made) == sorted(made.__all__)
    made.DbConnection(uri=URI, database="x")


def test_rows_are_values(chat: Bindings) -> None:
    row = chat.User(Identity("ab" * 32), "Ada", True)
    assert repr(row).startswith("User(identity=Identity(")
    assert pickle.loads(pickle.dumps(row)) == copy.deepcopy(row) == row
    assert from_json(chat.User, to_json(row)) == row


def test_it_is_made_once_by_many_threads() -> None:
    schema = load("chat")
    schema["reducers"][0]["name"] = "only_here"
    made: list[Bindings] = []
    threads = [threading.Thread(target=lambda: made.append(bindings(schema))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(map(id, made))) == 1


@pytest.mark.parametrize("schema", ["", "{}", "[]", b"\xff", {"tables": 5}])
def test_what_is_no_schema(schema: Any) -> None:
    before = set(sys.modules)
    with pytest.raises(CodegenError):
        bindings(schema)
    assert not {name for name in set(sys.modules) - before if "bindings" in name}


MISSES: list[tuple[Callable[[Any], object], str]] = [
    (
        lambda connection: connection.db.mesage,
        "there is no table `mesage`; did you mean `message`? There are: message, user",
    ),
    (lambda connection: connection.db.zzz, "there is no table `zzz`. There are: message, user"),
    (
        lambda connection: connection.db.user.identty,
        "there is no index or method of table `user` called `identty`; did you mean `identity`? "
        "There are: identity",
    ),
    (
        lambda connection: connection.reducers.send_mesage,
        "there is no reducer `send_mesage`; did you mean `send_message`? "
        "There are: send_message, set_name",
    ),
    (lambda connection: connection.procedures.ask, "there is no procedure `ask`. There are none"),
    (
        lambda connection: connection.bindings.Usr,
        "there is no class in these bindings called `Usr`; did you mean `User`? There are: ",
    ),
    (
        lambda connection: connection.bindings.query.usr,
        "there is no table `usr`; did you mean `user`? There are: message, user",
    ),
    (
        lambda connection: connection.bindings.query.user.where(lambda user: user.onlin),
        "there is no column of `user` for queries called `onlin`; did you mean `online`? "
        "There are: identity, online",
    ),
]


@pytest.mark.parametrize(("look", "text"), MISSES)
def test_a_name_that_is_not_there(
    connection: Any, look: Callable[[Any], object], text: str
) -> None:
    with pytest.raises(AttributeError) as caught:
        look(connection)
    assert str(caught.value).startswith(text)
    shown = traceback.format_exception_only(caught.value)
    assert "Did you mean" not in "".join(shown), "the interpreter's guess would say it twice"


def test_names_for_completion(connection: Any) -> None:
    assert {"message", "user"} <= set(dir(connection.db))
    assert {"iter", "on_insert", "identity"} <= set(dir(connection.db.user))
    assert {"send_message", "set_name"} <= set(dir(connection.reducers))
    assert {"message", "user"} <= set(dir(connection.bindings.query))


def test_what_a_notebook_shows(connection: Any) -> None:
    assert repr(connection.db) == "<tables: message (0), user (0)>"
    assert repr(connection.db.user) == "<table user, 0 rows>"
    assert repr(connection.reducers) == "<reducers: send_message(text), set_name(name)>"
    assert repr(connection.procedures) == "<procedures: >"
    assert repr(connection.bindings.query) == "<queries: message, user>"
    assert repr(connection.bindings).startswith("<bindings: Message, MessageTable, ")
    assert not hasattr(connection.db, "_repr_html_")


def test_a_traceback_shows_the_generated_line(chat: Bindings) -> None:
    with pytest.raises(EncodeError) as caught:
        chat.RemoteReducers(_refuse).send_message("x")
    text = "".join(traceback.format_exception(caught.value))
    assert 'return self._call("send_message", (text,), timeout)' in text


def _refuse(*call: object) -> Any:
    raise EncodeError("no")


def test_arguments_of_the_synchronous_connect(connection: Any) -> None:
    connect: Any = sync.connect
    with pytest.raises(TypeError, match="name of the database"):
        connect(URI)
    with pytest.raises(TypeError, match="given to its DbConnection"):
        connect(connection, token="x")
    with pytest.raises(ValueError, match="uri"):
        connect("ftp://x", "chat")


# ---------------------------------------------------------------- a schema that has changed


def schema(made: Bindings) -> Schema:
    return schema_of(made.DbConnection._module)


def test_a_database_that_is_the_same_or_has_more() -> None:
    chat = bindings(CHAT)
    more = load("chat")
    more["reducers"].append({**_reducer(more, "set_name"), "name": "another"})
    more["tables"].append({**more["tables"][0], "name": "another"})
    assert differences(schema(chat), schema(chat)) == []
    assert differences(schema(chat), schema(bindings(more))) == []
    assert differences(schema(bindings(more)), schema(chat)) == [
        "table `another` is gone",
        "reducer `another` is gone",
    ]


def changed(change: Callable[[Any], object]) -> list[str]:
    new = load("chat")
    change(new)
    return differences(schema(bindings(CHAT)), schema(bindings(new)))


def _type(schema: Any, table: str) -> Any:
    (found,) = (one for one in schema["tables"] if one["name"] == table)
    return schema["typespace"]["types"][found["product_type_ref"]]["Product"]["elements"]


def _reducer(schema: Any, name: str) -> Any:
    (found,) = (one for one in schema["reducers"] if one["name"] == name)
    return found


def _parameters(schema: Any, reducer: str) -> Any:
    return _reducer(schema, reducer)["params"]["elements"]


U32 = {"name": {"some": "extra"}, "algebraic_type": {"U32": []}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda schema: _type(schema, "message").append(U32), "table `message`"),
        (lambda schema: _type(schema, "message").reverse(), "table `message`"),
        (lambda schema: _type(schema, "user")[2].update(U32), "table `user`"),
        (
            lambda schema: _type(schema, "user")[2].update(name={"some": "present"}),
            "table `user`",
        ),
        (lambda schema: _parameters(schema, "set_name").append(U32), "reducer `set_name`"),
        (lambda schema: _parameters(schema, "set_name").pop(), "reducer `set_name`"),
    ],
)
def test_a_database_whose_types_are_others(change: Callable[[Any], object], expected: str) -> None:
    assert changed(change) == [f"{expected} has other types"]


def test_types_that_contain_themselves() -> None:
    nasty = load("nasty")
    assert differences(schema(bindings(nasty)), schema(bindings(nasty))) == []
    twice = copy.deepcopy(nasty)
    twice["reducers"].append({**twice["reducers"][0], "name": "one_more"})
    assert differences(schema(bindings(nasty)), schema(bindings(twice))) == []
