"""What no module can have: one message each, with file, line and what to do."""

from __future__ import annotations

import re
import sys

import pytest

from .programs import problems

# (source, the line that the message names, what the message says); the program starts at line 3.
CASES = {
    "untyped parameter": (
        "@reducer\ndef f(ctx, name): pass",
        3,
        "reducer f: parameter 'name' has no type: write `name: str`",
    ),
    "unsupported type": (
        "@table\nclass A:\n    a: dict[str, int]",
        3,
        "A.a: dict is no type of the database: use a list of a class with @product",
    ),
    "some class": (
        "class B: pass\n@reducer\ndef f(ctx, b: B): pass",
        4,
        "B is no type of the database: put @product over the class",
    ),
    "unknown name": (
        "@table\nclass A:\n    a: Nothing",
        3,
        "A.a: name 'Nothing' is not defined: import it or define it above",
    ),
    "list of u8": ("@table\nclass A:\n    a: list[u8]", 3, "write bytes"),
    "plain list": ("@table\nclass A:\n    a: list", 3, "say of what: list[str]"),
    "two tables": (
        "@table\nclass A:\n    a: u8\n@table(accessor='a')\nclass B:\n    a: u8",
        6,
        "table a is there already, at program.py:3: give one of them another name",
    ),
    "two reducers": (
        "@reducer\ndef f(ctx): pass\n@reducer(name='f')\ndef g(ctx): pass",
        5,
        "function f is there already, at program.py:3",
    ),
    "two types": (
        "@product\nclass P:\n    a: u8\nQ = P\n@product\nclass P:\n    b: u8\n"
        "@reducer\ndef f(ctx, p: P, q: Q): pass",
        3,
        "there are two types named P",
    ),
    "two inits": (
        "@init\ndef f(ctx): pass\n@init\ndef g(ctx): pass",
        5,
        "there is an @init already, f at program.py:3: a module has one",
    ),
    "lifecycle with parameters": (
        "@client_connected\ndef f(ctx, a: u8): pass",
        3,
        "@client_connected f takes the context and nothing else",
    ),
    "auto_inc on text": (
        "@table\nclass A:\n    a: Unique[str] = auto_inc()",
        3,
        "table a has auto_inc on a, which is no integer: make it a u64",
    ),
    "two primary keys": (
        "@table\nclass A:\n    a: PrimaryKey[u8]\n    b: u8 = column(primary_key=True)",
        3,
        "table a has two primary keys, a and b: make one of them unique",
    ),
    "unknown index column": (
        "@table\nclass A:\n    a: u8\n    by_a = index('a', 'b')",
        3,
        "table a has index('a', 'b'), and no column 'b'",
    ),
    "index without a name": (
        "@table(indexes=[index('a', 'b')])\nclass A:\n    a: u8\n    b: u8",
        3,
        "without a name: add name=...",
    ),
    "unknown index algorithm": (
        "@table\nclass A:\n    a: u8 = column(index='tree')",
        5,
        "say True",
    ),
    "direct index on text": (
        "@table\nclass A:\n    a: str = column(index='direct')",
        3,
        "for u8, u16, u32 and u64 only",
    ),
    "unknown scheduled reducer": (
        "@table(scheduled='tick')\nclass A:\n    id: PrimaryKey[u64]\n    at: ScheduleAt",
        3,
        "there is no reducer 'tick' to be scheduled",
    ),
    "scheduled reducer without the row": (
        "@table(scheduled='tick')\nclass A:\n    id: PrimaryKey[u64]\n    at: ScheduleAt\n"
        "@reducer\ndef tick(ctx): pass",
        7,
        "reducer tick is scheduled by table a, so it takes its row: write `(ctx, row: A)`",
    ),
    "scheduled without time": (
        "@table(scheduled='tick')\nclass A:\n    id: PrimaryKey[u64]\n"
        "@reducer\ndef tick(ctx, a: A): pass",
        3,
        "one column of type ScheduleAt, not 0",
    ),
    "scheduled without key": (
        "@table(scheduled='tick')\nclass A:\n    at: ScheduleAt\n"
        "@reducer\ndef tick(ctx, a: A): pass",
        3,
        "its primary key is a u64",
    ),
    "system table": ("@table(accessor='st_a')\nclass A:\n    a: u8", 3, "the database's own"),
    "bad name": (
        "@reducer(name='set-name')\ndef f(ctx): pass",
        3,
        "function set-name: a name has letters, digits and _ only",
    ),
    "no columns": ("@table\nclass A: pass", 3, "table a has no columns"),
    "dataclass as a table": (
        "from dataclasses import dataclass\n@table\n@dataclass\nclass A:\n    a: u8",
        4,
        "table A has @dataclass: leave it out",
    ),
    "slots": ("@table\nclass A:\n    __slots__ = ('a',)\n    a: u8", 3, "has __slots__"),
    "no context": ("@reducer\ndef f(): pass", 3, "the first one is the context, ctx"),
    "wrong context": (
        "@reducer\ndef f(name: str): pass",
        3,
        "the first parameter is the context: write `name: ReducerContext`",
    ),
    "async": ("@reducer\nasync def f(ctx): pass", 3, "use plain def"),
    "generator": ("@view\ndef f(ctx: ViewContext) -> list[A]: yield 1", 3, "has a yield"),
    "star": ("@reducer\ndef f(ctx, *args: u8): pass", 3, "takes *"),
    "default of a parameter": ("@reducer\ndef f(ctx, a: u8 = 1): pass", 3, "default values"),
    "not a function": ("reducer(5)", 3, "@reducer goes over a function, not over 5"),
    "union without a name": (
        "@variant\nclass A: pass\n@variant\nclass B: pass\n@reducer\ndef f(ctx, s: A | B): pass",
        7,
        "the union A | B has no name: write `Shape: TypeAlias = A | B`",
    ),
    "union of types": ("@reducer\ndef f(ctx, s: str | u8): pass", 3, "do not go together"),
    "variant alone": ("@variant\nclass A: pass\n@reducer\ndef f(ctx, s: A): pass", 5, "one case"),
    "variant with fields": ("@variant\nclass A:\n    a: u8", 3, "more than a `value`"),
    "some of a plain type": ("@reducer\ndef f(ctx, s: Some[u8] | None): pass", 3, "T | None"),
    "default that does not fit": (
        "@table\nclass A:\n    a: u8 = column(default='x')",
        3,
        "table a: a default: expected int, got str",
    ),
    "default of a key": ("@table\nclass A:\n    a: Unique[u8] = column(default=1)", 3, "twice"),
    "view of numbers": ("@view\ndef f(ctx: ViewContext) -> list[u16]: ...", 3, "a view gives rows"),
    "view without a result": ("@view\ndef f(ctx: ViewContext): ...", 3, "no type of its result"),
    "view without a context": ("@view\ndef f(ctx) -> list[u8]: ...", 3, "ViewContext or Anony"),
    "empty filter": ("client_visibility_filter('')", 3, "one SQL query"),
}


def places(text: str) -> str:
    """With the lines that the database's Python, 3.11, says: 3.10 names the line of the class."""
    return text if sys.version_info >= (3, 11) else re.sub(r"program\.py:\d+", "program.py:N", text)


@pytest.mark.parametrize(("source", "line", "text"), CASES.values(), ids=CASES.keys())
def test_one_message(source: str, line: int, text: str) -> None:
    first, *_ = found = [places(problem) for problem in problems(source)]
    assert places(text) in first, found
    assert first.startswith(places(f"program.py:{line}: ")), found


def test_all_problems_at_once() -> None:
    source = "@table\nclass A:\n    a: dict\n    b: set\n@reducer\ndef f(ctx, c, d: tuple): pass"
    assert len(problems(source)) == 4


VERSION_2 = {
    "procedure": "@procedure\ndef f(ctx: ProcedureContext) -> u8: return 1",
    "view": "@table\nclass A:\n    a: u8\n@view\ndef f(ctx: ViewContext) -> list[A]: ...",
    "event table": "@table(event=True)\nclass A:\n    a: u8",
    "hash index": "@table\nclass A:\n    a: u8 = column(index='hash')",
}


@pytest.mark.parametrize(("what", "source"), VERSION_2.items(), ids=VERSION_2.keys())
def test_what_version_1_does_not_have(what: str, source: str) -> None:
    assert problems(source) == []
    (problem,) = problems(source, abi=(10, 0))
    assert what in problem
    assert 'needs SpacetimeDB 2.x: put `abi = "10.5"` into [tool.spacetime]' in problem
