"""Classes as tables, products and variants: what they are for the program itself."""

from __future__ import annotations

import dataclasses
import sys
from types import ModuleType
from typing import Any

import pytest

from spacetime_py.server import DeclarationError, _module, _program
from spacetime_py.server._resolve import enum_name
from spacetime_py.server.declare import snake_case

from .plain import plain_v9
from .programs import described, problems


def declared(source: str) -> Any:
    """The program's names, once it has been found in order."""
    assert problems(source) == []
    return sys.modules["program"]


ITEM = """
@table(public=True)
class Item:
    id: PrimaryKey[u64] = auto_inc()
    name: str
    tags: list[str] = []
    grade: u8 = 3
    def shout(self) -> str:
        return self.name.upper()
"""


def test_rows() -> None:
    item_class = declared(ITEM).Item
    item = item_class(name="a")
    assert (item.id, item.grade, item.tags) == (0, 3, [])
    item.tags.append("x")
    assert item_class(name="b").tags == []
    assert repr(item) == "Item(id=0, name='a', tags=['x'], grade=3)"
    assert item == item_class(name="a", tags=["x"])
    assert item != item_class(name="b", tags=["x"])
    assert item.__replace__(name="c").shout() == "C"
    with pytest.raises(TypeError, match="Item has no 'nam'"):
        item.__replace__(nam="c")
    with pytest.raises(TypeError, match="takes 1 positional argument"):
        item_class("a")
    with pytest.raises(TypeError, match="unhashable"):
        hash(item)
    assert repr(item_class.id) == "Item.id"


def test_products_and_variants() -> None:
    program = declared("@product\nclass P:\n    x: i32\n    y: i32\n@variant\nclass A: pass\n")
    point = program.P(1, y=2)
    match point:
        case program.P(x, y):
            assert (x, y) == (1, 2)
    assert program.A() == program.A()
    assert hash(program.A()) == hash(program.A())


def test_columns_can_be_inherited() -> None:
    program = declared(
        "@product\nclass Base:\n    id: PrimaryKey[u64] = auto_inc()\n    a: u8 = 2\n"
        "@table\nclass A(Base):\n    b: u8\n@table\nclass B(Base):\n    a: u16"
    )
    assert repr(program.A(b=3)) == "A(id=0, a=2, b=3)"
    tables = plain_v9(described(9))["tables"]
    assert [tables[name]["primary_key"] for name in "ab"] == [[0], [0]]
    assert described_types()["B"] == ("Product", [("id", "U64"), ("a", "U16")])


def test_keys_can_be_kept() -> None:
    program = declared(
        "@table\nclass A:\n    a: PrimaryKey[u64] = auto_inc()\n    b: u8 = column(index=True)\n"
        "    c: 'Indexed[u8]'\n    d: u8\n    cd = index('c', 'd')\n"
        "KEYS = [A.a, A.b, A.c, A.cd]"
    )
    from spacetime_py.server import handles

    database: Any = handles.database
    assert repr(program.KEYS) == "[A.a, A.b, A.c, A.cd]"
    assert [database[key] for key in program.KEYS] == [
        getattr(database.a, name) for name in ("a", "b", "c", "cd")
    ]
    assert not hasattr(program.A, "d")


def test_two_ways_to_say_a_key() -> None:
    """The annotations of the typed form are the same as the arguments of `column`."""
    typed = "id: PrimaryKey[u64] = auto_inc()\n    b: Unique[u8]\n    c: Indexed[u8]"
    plain = (
        "id: u64 = column(primary_key=True, auto_inc=True)\n    b: u8 = column(unique=True)\n"
        "    c: u8 = column(index=True)"
    )
    found = []
    for columns in (typed, plain):
        declared(f"@table\nclass A:\n    {columns}")
        found.append(plain_v9(described(9)))
    assert found[0] == found[1]
    assert found[0]["tables"]["a"]["primary_key"] == [0]
    assert len(found[0]["tables"]["a"]["indexes"]) == 3


def test_dataclasses_are_products() -> None:
    declared(
        "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass P:\n    x: i32\n"
        "@table\nclass A:\n    p: P\n    q: list[P | None]"
    )
    assert set(described_types()) == {"A", "P"}


def test_types_that_contain_themselves() -> None:
    declared(
        "@product\nclass Node:\n    n: u8\n    next: list[Node]\n@table\nclass A:\n    a: Node"
    )
    assert described_types()["Node"] == ("Product", [("n", "U8"), ("next", ["Node"])])
    ((_, codec),) = [(0, sys.modules["program"].A)]
    from spacetime_py.server import _guest, handles

    row = vars(handles.database)["a"]._row
    node = sys.modules["program"].Node
    value = codec(a=node(1, [node(2, [])]))
    assert _guest.decode(row, _guest.encode(row, value)) == value


def test_quotes_and_older_spellings() -> None:
    declared(
        "from typing import Annotated, List, Optional, Union\n@table\nclass A:\n"
        "    a: 'Optional[u8]'\n    b: List[str]\n    c: Union[u8, None]\n"
        "    d: Annotated[int, 'x']\n    e: None | u16\n    f: list['B']\n"
        "@product\nclass B:\n    from_: u8"
    )
    fields = dict(described_types()["A"][1])
    option: Any = ("Sum", [("some", "U8"), ("none", ("Product", []))])
    assert (fields["a"], fields["c"]) == (option, option)
    assert (fields["b"], fields["d"], fields["f"]) == (["String"], "I64", ["B"])
    assert described_types()["B"] == ("Product", [("from", "U8")])


def test_without_the_future_import() -> None:
    _module.begin()
    module = sys.modules["program"] = ModuleType("program")
    source = (
        "from spacetime_py.server import *\nfrom spacetime_py.server import Uuid\n"
        "@variant\nclass A: pass\n@variant(name='Bee')\nclass SB:\n    value: u8 | None\n"
        "S = A | SB\n@table\nclass T:\n    a: S\n    b: S | None\n    c: Ok[u8] | Err[str]\n"
        "    d: Some[u8 | None] | None\n    e: PrimaryKey[Uuid]\n    f: ScheduleAt | None\n"
    )
    exec(compile(source, "program.py", "exec", dont_inherit=True), module.__dict__)
    assert _program.check() == []
    kind, variants = described_types()["S"]
    assert (kind, [name for name, _ in variants]) == ("Sum", ["A", "Bee"])


def described_types() -> Any:
    return plain_v9(described(9))["types"]


def test_names() -> None:
    names = ["RingNote", "HTTPLog", "Item", "A", "Item2Part", "my_table", "MyHTTP"]
    expected = ["ring_note", "http_log", "item", "a", "item2_part", "my_table", "my_http"]
    assert list(map(snake_case, names)) == expected
    members = ["RED", "DARK_BLUE", "DarkBlue", "V2"]
    assert list(map(enum_name, members)) == ["Red", "DarkBlue", "DarkBlue", "V2"]


def test_filters() -> None:
    declared("client_visibility_filter('SELECT * FROM a')")
    assert described(9)["row_level_security"] == [{"sql": "SELECT * FROM a"}]


def test_a_table_named_for_sql() -> None:
    declared("@table(name='Things', accessor='thing')\nclass Thing:\n    a: Indexed[u8]")
    assert [table["name"] for table in described(9)["tables"]] == ["Things"]
    from spacetime_py.server import handles

    assert vars(handles.database)["thing"].a._name == "Things_a_idx_btree"


def test_describe_refuses_what_is_wrong() -> None:
    assert problems("@table\nclass A:\n    a: set")
    with pytest.raises(DeclarationError, match="set is no type"):
        _program.describe(9)


def test_frozen_dataclasses_come_back() -> None:
    declared(
        "from dataclasses import dataclass\n@dataclass(frozen=True, slots=True)\nclass P:\n"
        "    x: i32\n@table\nclass A:\n    p: P"
    )
    from spacetime_py.server import _guest, handles

    row = vars(handles.database)["a"]._row
    program = sys.modules["program"]
    value = program.A(p=program.P(3))
    back = _guest.decode(row, _guest.encode(row, value))
    assert back == value
    assert dataclasses.is_dataclass(back.p)
