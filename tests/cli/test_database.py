"""`call`, `sql`, `logs` and `describe` on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.api import Database

from .conftest import Command

pytestmark = pytest.mark.real_server


@pytest.fixture
def project(tmp_path: Path, all_types_database: Database) -> Database:
    """The test's folder is a project with this database."""
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.spacetime]\nuri = "{all_types_database.url}"\n'
        f'database = "{all_types_database.name}"  # kept\n'
    )
    return all_types_database


def test_call_then_sql(succeed: Callable[..., str], project: Database) -> None:
    assert succeed("call", "add_item", "1", "one", "2", "-3", "null") == ""
    assert succeed("call", "add_item", "2", '"two"', "2", "-3", '{"some": "a note"}') == ""
    # A number, yet the parameter is text.
    assert succeed("call", "add_item", "3", "33", "2", "-3", "null") == ""
    table = succeed("sql", "SELECT id, code, note FROM item WHERE kind = 2")
    head, rule, *rows, count = table.splitlines()
    assert head.split() == ["id", "code", "note"]
    assert set(rule) == {"-", " "}
    assert sorted(row.split() for row in rows) == [
        ["1", "one"],
        ["2", "two", "a", "note"],
        ["3", "33"],
    ]
    assert count == "(3 rows)"
    (row,) = json.loads(succeed("sql", "--json", "SELECT id, note FROM item WHERE id = 2"))
    assert row == {"id": 2, "note": "a note"}


def test_values_that_are_no_json_of_their_own(
    succeed: Callable[..., str], project: Database
) -> None:
    succeed("call", "set_plain", "1", "true", "two\nlines", '"00ff"')
    (row,) = json.loads(succeed("sql", "--json", "SELECT * FROM scalars"))
    assert (row["v_text"], row["v_bytes"]) == ("two\nlines", "00ff")
    assert len(row["v_identity"]) == 64
    assert "two\\nlines" in succeed("sql", "SELECT v_text FROM scalars")


def test_what_goes_wrong_with_a_call(
    command: Command, refused: Callable[..., str], project: Database
) -> None:
    assert "reducer `fail` refused: no luck" in refused("call", "fail", "no luck")
    assert "`level` is no JSON: 'high'" in refused(
        "call", "add_item", "1", "a", "1", "high", "null"
    )
    for arguments, text in [
        (["call", "nothing"], "there is no reducer or procedure `nothing`; there are add_diary,"),
        (["call", "drop_item"], "`drop_item` takes (id: u64), 0 arguments were given"),
    ]:
        done = command(*arguments)
        assert done.code == 2
        assert text in " ".join(done.err.split())


def test_what_goes_wrong_with_a_query(refused: Callable[..., str], project: Database) -> None:
    assert "SELEKT" in refused("sql", "SELEKT 1")
    missing = refused("sql", "-d", "no-such-database", "SELECT * FROM item")
    assert f"there is no database `no-such-database` at {project.url}" in missing


def test_without_a_database(command: Command) -> None:
    done = command("sql", "SELECT 1")
    assert done.code == 2
    assert "set database in [tool.spacetime]" in " ".join(done.err.split())


def test_logs_are_for_the_owner(
    succeed: Callable[..., str], refused: Callable[..., str], chat_database: Database
) -> None:
    uri, name, owner = chat_database.url, chat_database.name, chat_database.owner.token
    where = ("--uri", uri, "-d", name)
    lines = succeed("logs", *where, SPACETIMEDB_TOKEN=owner).splitlines()
    assert any("INFO" in line and line.endswith("the chat is open") for line in lines)
    (last,) = succeed("logs", *where, "-n", "1", "--json", "--token", owner).splitlines()
    assert json.loads(last)["message"] in lines[-1]
    assert "HTTP 4" in refused("logs", *where)


def test_describe(succeed: Callable[..., str], project: Database) -> None:
    text = succeed("describe")
    assert "table item\n  id: u64\n  code: str\n  owner: Identity\n  kind: u8\n" in text
    assert "  note: str | None\n" in text
    assert "table secret (private)\n" in text
    assert "reducer add_tag(item_id: u64, label: str)\n" in text
    assert "shape: Nothing | Count(u32) | Text(str)" in text
    assert "tables" in json.loads(succeed("describe", "--json"))
