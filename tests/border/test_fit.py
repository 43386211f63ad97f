"""`Module.misfits`: what of the bindings is not so in the database."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from spacetime_py import CodegenError
from spacetime_py._core import Module, describe
from tests.codegen.packages import HERE, load

NAMES = sorted(path.stem for path in (HERE / "schemas").glob("*.json"))
OF_ONE_MODULE = ["schema-2.8.3-version9", "schema-2.8.3-version10", "mod28.extract-schema"]

Schema = dict[str, Any]


def module(schema: Schema) -> Module:
    return Module(describe(json.dumps(schema)))


def misfits(ours: Schema, theirs: Schema) -> list[tuple[str, str, str, bool]]:
    return module(ours).misfits(json.dumps(theirs))


@pytest.mark.parametrize("name", NAMES)
def test_a_module_fits_itself(name: str) -> None:
    assert misfits(load(name), load(name)) == []


@pytest.mark.parametrize("ours", OF_ONE_MODULE)
@pytest.mark.parametrize("theirs", OF_ONE_MODULE)
def test_versions_of_a_description_are_one(ours: str, theirs: str) -> None:
    assert misfits(load(ours), load(theirs)) == []


def test_another_module_has_no_part_of_it() -> None:
    ours = load("chat")
    found = misfits(ours, load("schema-1.2.0-version9"))
    assert len(found) == module(ours).parts == 4
    assert {(problem, is_missing) for _, _, problem, is_missing in found} == {
        ("is not in the database", True)
    }


def test_a_later_module_has_what_it_had() -> None:
    """The module of the recordings got columns between 1.2.0 and 2.8.3."""
    found = misfits(load("schema-1.2.0-version9"), load("schema-2.8.3-version10"))
    assert found == [
        ("table", "containers", "the database has a further column, `r_num`", False),
        ("table", "scalars", "the database has a further column, `v_uuid`", False),
        ("reducer", "put_containers", "parameter `row` has another type in the database", False),
        ("reducer", "put_scalars", "parameter `row` has another type in the database", False),
    ]


def elements(schema: Schema, table: str) -> list[Any]:
    (found,) = (one for one in schema["tables"] if one["name"] == table)
    row: list[Any] = schema["typespace"]["types"][found["product_type_ref"]]["Product"]["elements"]
    return row


def retype(column: int, ty: dict[str, Any]) -> Callable[[list[Any]], None]:
    return lambda columns: columns[column].update(algebraic_type=ty)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (list.pop, "column `online` is not in the database"),
        (list.reverse, "column 1 is `identity` here and `online` in the database"),
        (retype(2, {"U8": []}), "column `online` has another type in the database"),
        (retype(1, {"Array": {"String": []}}), "column `name` has another type in the database"),
        (
            lambda columns: columns[1]["algebraic_type"]["Sum"]["variants"].reverse(),
            "column `name` has another type in the database",
        ),
        (
            lambda columns: columns.append({**columns[0], "name": {"some": "other"}}),
            "the database has a further column, `other`",
        ),
    ],
)
def test_a_table_that_changed(change: Callable[[list[Any]], None], problem: str) -> None:
    schema = load("chat")
    change(elements(schema, "user"))
    assert misfits(load("chat"), schema) == [("table", "user", problem, False)]


def test_what_changed_deep_inside_of_a_type_that_contains_itself() -> None:
    """`nasty` has such types, which both readings must get out of again."""
    ours, theirs = load("nasty"), load("nasty")
    text = json.dumps(theirs).replace('{"F64": []}', '{"I64": []}')
    found = module(ours).misfits(text)
    assert found
    assert all("another type" in problem for _, _, problem, _ in found)


def test_a_schema_that_is_none() -> None:
    with pytest.raises(CodegenError):
        module(load("chat")).misfits("{}")
