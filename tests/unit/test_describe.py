"""Definitions in words."""

from __future__ import annotations

from typing import Any

import pytest

from spacetime_py.cli.describe import description, type_name
from spacetime_py.http.definition import Definition
from tests.codegen.packages import load

SERVED = ["chat", "schema-1.2.0-version9", "schema-2.8.3-version9", "schema-2.8.3-version10"]


def test_a_type_that_contains_itself() -> None:
    element = {"name": {"some": "children"}, "algebraic_type": {"Array": {"Ref": 0}}}
    types: list[Any] = [{"Product": {"elements": [element]}}]
    assert type_name({"Ref": 0}, types) == "{children: list[...]}"


def test_both_versions_say_the_same() -> None:
    one, other = (Definition(load(f"schema-2.8.3-version{n}")) for n in (9, 10))
    kinds = {function.name: function.kind for function in one.functions()}
    assert kinds == {function.name: function.kind for function in other.functions()}
    assert set(kinds.values()) == {"reducer", "procedure"}


@pytest.mark.parametrize("name", SERVED)
def test_what_servers_give_can_be_described(name: str) -> None:
    lines = [head + rest for head, rest in description(Definition(load(name)))]
    assert any(line.startswith("table ") for line in lines)
    assert any(line.startswith("reducer ") for line in lines)
