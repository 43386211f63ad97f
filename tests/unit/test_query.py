"""The SQL of built queries, and what cannot be built."""

from __future__ import annotations

from typing import Any

import pytest

from spacetime_py import Identity, Timestamp
from spacetime_py.query import literal, sql_of
from tests.codegen.golden.schema_1_2_0_version9 import query

ITEM = 'SELECT "item".* FROM "item"'


def test_text_of_queries() -> None:
    assert str(query.item) == ITEM
    one = query.item.where(lambda item: item.id == 1)
    assert str(one) == f'{ITEM} WHERE "item"."id" = 1'
    assert repr(one) == f"Query({str(one)!r})"
    both = one.where(lambda item: (item.kind < 2) | (item.code >= "a"))
    assert (
        str(both)
        == f'{ITEM} WHERE "item"."id" = 1 AND ("item"."kind" < 2 OR "item"."code" >= \'a\')'
    )
    assert str(one) == f'{ITEM} WHERE "item"."id" = 1', "queries do not change"


def test_not_turns_each_part_around() -> None:
    inverted = query.item.where(
        lambda item: ~(((item.id < 1) & (item.id <= 2)) | (item.id > 3)) & ~(item.id != 4)
    )
    assert str(inverted).partition(" WHERE ")[2] == (
        '((("item"."id" >= 1 OR "item"."id" > 2) AND "item"."id" <= 3) AND "item"."id" = 4)'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "TRUE"),
        (False, "FALSE"),
        (-5, "-5"),
        (1.5, "1.5"),
        ("a'b", "'a''b'"),
        (b"\0\xff", "0x00ff"),
        (Identity("01" * 32), "0x" + "01" * 32),
        (Timestamp(0), "'1970-01-01T00:00:00+00:00'"),
    ],
)
def test_literals(value: Any, text: str) -> None:
    assert literal(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_sql_lacks(value: float) -> None:
    with pytest.raises(ValueError, match="no literal"):
        literal(value)


def test_values_that_sql_lacks() -> None:
    with pytest.raises(TypeError, match="value of type list"):
        literal([])


def test_words_of_python_in_the_place_of_operators() -> None:
    with pytest.raises(TypeError, match="combined by &"):
        query.item.where(lambda item: item.id == 1 and item.kind == 2)
    with pytest.raises(TypeError, match="combined by &"):
        query.scalars.where(lambda row: not row.v_bool)  # type: ignore[arg-type, return-value]


def test_conditions_that_are_none() -> None:
    wrong: Any = lambda item: item.id  # noqa: E731
    assert str(query.item.where(wrong)).endswith('"item"."id" = TRUE'), "the server says it"
    wrong = lambda item: "id = 1"  # noqa: E731
    with pytest.raises(TypeError, match="expected a comparison"):
        query.item.where(wrong)


def test_joins_that_are_none() -> None:
    with pytest.raises(ValueError, match="two equal columns"):
        query.item.left_semijoin(query.tag, lambda item, tag: item.id == 1)
    joined = query.item.left_semijoin(query.tag, lambda item, tag: item.id == tag.item_id)
    with pytest.raises(ValueError, match="two tables at most"):
        joined.left_semijoin(query.tag, lambda item, tag: item.id == tag.item_id)


def test_what_is_no_query() -> None:
    wrong: Any = 5
    with pytest.raises(TypeError, match="got int"):
        sql_of(wrong)
