"""Objects of generated classes behave as frozen dataclasses do, and as the bytes that they are."""

from __future__ import annotations

import copy
import enum
import functools
import inspect
import os
import pickle
import subprocess
import sys
import sysconfig
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spacetime_py import DecodeError, EncodeError, Ok, Some, from_bsatn, to_bsatn
from spacetime_py.bindings import Module, product

from . import things
from .classes import declare
from .describe import Described
from .things import (
    MODULE,
    Boxes,
    Chain,
    Color,
    Empty,
    Point,
    Scalars,
    ShapeCount,
    ShapeNothing,
    ShapePath,
    ShapeSpot,
    ShapeText,
    SingleOnly,
    Tree,
    User,
    user,
)

ROOT = Path(__file__).parents[2]


def wrong(value: object) -> Any:
    """A value that the type checker is not to see."""
    return value


SCALARS: dict[str, Any] = {
    "a_string": "",
    "a_bool": False,
    **{f"a_{sign}{bits}": 0 for bits in (8, 16, 32, 64, 128, 256) for sign in "iu"},
    "a_f32": 0.0,
    "a_f64": 0.0,
}


def scalars(**changes: object) -> Scalars:
    return Scalars(**{**SCALARS, **changes})


def test_equality_and_hash_are_by_value() -> None:
    assert user() == user()
    assert user() != user("bob")
    assert hash(user()) == hash(user())
    assert len({user(), user(), user("bob")}) == 2
    assert {user(): 1}[user()] == 1
    assert wrong(Point(1, 2)) != (1, 2)
    assert wrong(ShapeCount(1)) != ShapeText("1")
    assert user().__eq__(5) is NotImplemented


def test_hashes_differ_between_processes_unless_python_is_told_a_seed() -> None:
    """Rows come from others, who must not know which of them meet in a dict."""

    def hashed(seed: str) -> int:
        program = "from tests.border.things import Point; print(hash(Point(1, 2)))"
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        return int(done.stdout)

    assert hashed("1") == hashed("1")
    assert hashed("1") != hashed("2")
    assert hashed("random") != hashed("random")


def test_classes_with_equal_bytes_are_not_equal() -> None:
    assert to_bsatn(Empty()) == b""
    assert wrong(Point(1, 0)) != Chain(1, None)
    assert wrong(ShapeNothing()) != Color.RED


def test_rows_have_no_order() -> None:
    with pytest.raises(TypeError, match="'<' not supported"):
        _ = wrong(Point(1, 2)) < Point(2, 3)


def test_nan_is_equal_by_its_bytes() -> None:
    nan = float("nan")
    assert scalars(a_f64=nan) == scalars(a_f64=nan)
    assert scalars(a_f64=0.0) != scalars(a_f64=-0.0)


def test_repr_is_the_call_that_makes_it() -> None:
    row = User("ada", ["x"], Point(1, -2), ShapePath([ShapeCount(3), ShapeNothing()]), Color.RED)
    text = (
        "User(name='ada', tags=['x'], spot=Point(x=1, y=-2), "
        "shape=ShapePath(value=[ShapeCount(value=3), ShapeNothing()]), color=<Color.RED: 0>)"
    )
    assert repr(row) == str(row) == text
    names = {**vars(things)}
    assert eval(text.replace("<Color.RED: 0>", "Color.RED"), names) == row
    assert repr(Empty()) == "Empty()"


def test_match_statement() -> None:
    match wrong(Point(1, 2)):
        case Point(x, y=2):
            assert x == 1
        case _:
            pytest.fail("Point(1, 2) does not match")
    match wrong(ShapeSpot(Point(3, 4))):
        case ShapeText():
            pytest.fail("a Spot is no Text")
        case ShapeSpot(Point(3, y)):
            assert y == 4
        case _:
            pytest.fail("the spot does not match")
    assert wrong(User).__match_args__ == ("name", "tags", "spot", "shape", "color")


def test_isinstance() -> None:
    row = wrong(ShapeCount(1))
    assert isinstance(row, ShapeCount)
    assert not isinstance(row, ShapeText | ShapeNothing)
    assert type(from_bsatn(ShapeCount, to_bsatn(row))) is ShapeCount


ROWS: list[Any] = [
    user("é", ["a", ""], Point(1, 2)),
    Empty(),
    ShapePath([ShapeNothing()]),
    SingleOnly("x"),
    Tree(1, [Tree(2, [])]),
    Chain(1, Chain(2, None)),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(row: Any, protocol: int) -> None:
    again = pickle.loads(pickle.dumps([row, row], protocol))
    assert again == [row, row]
    assert type(again[0]) is type(row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: type(row).__name__)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copy(row: Any, copied: Callable[[Any], Any]) -> None:
    again = copied(row)
    assert again == row
    assert type(again) is type(row)
    assert copied({"key": (row,)}) == {"key": (row,)}


def test_pickle_of_another_class_is_refused() -> None:
    """As when the module has changed since the pickle was made."""
    rebuild, (_, data) = wrong(user()).__reduce__()
    with pytest.raises(DecodeError, match=r"^Point: "):
        rebuild(Point, data)
    rebuild, (_, data) = wrong(ShapeCount(1)).__reduce__()
    with pytest.raises(DecodeError, match=r"^ShapeText: "):
        rebuild(ShapeText, data)
    with pytest.raises(DecodeError, match=r"^ShapeNothing: "):
        rebuild(ShapeNothing, data)


def test_replace() -> None:
    row = wrong(user())
    changed = row.__replace__(name="bob", spot=Point(1, 1))
    assert changed == user("bob", spot=Point(1, 1))
    assert row == user()
    assert row.__replace__() == row
    if sys.version_info >= (3, 13):
        assert copy.replace(row, name="bob") == user("bob")


@pytest.mark.parametrize(
    ("args", "changes", "error", "text"),
    [
        ((), {"nome": "x"}, TypeError, r"^User\(\) got an unexpected argument 'nome'$"),
        (("x",), {}, TypeError, "keyword arguments only"),
        ((), {"name": 5}, EncodeError, r"^User\.name: expected str, got int 5$"),
    ],
)
def test_replace_refuses(args: Any, changes: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        wrong(user()).__replace__(*args, **changes)


def test_immutable() -> None:
    row = wrong(user())
    for name in ("name", "new"):
        with pytest.raises(AttributeError):
            setattr(row, name, "x")
    with pytest.raises(AttributeError):
        del row.name
    row.tags.append("only in the list that was read")
    assert row == user()
    assert not hasattr(row, "__dict__")


@pytest.mark.parametrize("cls", [User, Empty, ShapeCount, ShapeNothing])
def test_no_subclasses_and_no_way_around_the_class(cls: type[Any]) -> None:
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Sub", (cls,), {})
    with pytest.raises(TypeError):
        object.__new__(cls)
    with pytest.raises(TypeError):
        wrong(type.__call__)(cls)
    assert not hasattr(cls, "__setstate__")


def test_signature_and_names() -> None:
    assert str(inspect.signature(User)) == "(name, tags, spot, shape, color)"
    assert str(inspect.signature(Empty)) == "()"
    assert User.__doc__ == "Row of `user`."
    assert (User.__name__, User.__qualname__, User.__module__) == ("User", "User", things.__name__)
    assert inspect.get_annotations(User)["spot"] == "Point | None"


def test_arguments_by_position_and_name() -> None:
    assert Point(1, 2) == Point(x=1, y=2) == Point(1, y=2) == Point(y=2, x=1)
    assert Point(*[1, 2]) == Point(**{"x": 1, "y": 2})


@pytest.mark.parametrize(
    ("args", "named", "text"),
    [
        ((1,), {}, r"^Point\(\) is missing the argument 'y'$"),
        ((), {}, r"^Point\(\) is missing the argument 'x'$"),
        ((1, 2, 3), {}, r"^Point\(\) takes 2 arguments but 3 were given$"),
        ((1, 2), {"z": 3}, r"^Point\(\) got an unexpected argument 'z'$"),
        ((1, 2), {"x": 3}, r"^Point\(\) got two values for argument 'x'$"),
    ],
)
def test_wrong_arguments(args: Any, named: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        wrong(Point)(*args, **named)


class Number(enum.IntEnum):
    FIVE = 5


class Indexed:
    """As NumPy's integers are."""

    def __index__(self) -> int:
        return 5


class Floating:
    def __float__(self) -> float:
        return 1.5


@pytest.mark.parametrize("value", [5, Number.FIVE, Indexed()])
@pytest.mark.parametrize("bits", [8, 16, 32, 64, 128, 256])
def test_what_is_an_int(value: Any, bits: int) -> None:
    row = scalars(**{f"a_i{bits}": value, f"a_u{bits}": value})
    assert getattr(row, f"a_i{bits}") == getattr(row, f"a_u{bits}") == 5


@pytest.mark.parametrize(("value", "expected"), [(1, 1.0), (Floating(), 1.5), (Number.FIVE, 5.0)])
def test_what_is_a_float(value: Any, expected: float) -> None:
    row = scalars(a_f32=value, a_f64=value)
    assert (row.a_f32, row.a_f64) == (expected, expected)


@pytest.mark.parametrize("value", [b"\1\2", bytearray(b"\1\2"), memoryview(b"\1\2")])
def test_what_is_bytes(value: Any) -> None:
    assert boxes(data=value).data == b"\1\2"


def boxes(**changes: object) -> Boxes:
    values: dict[str, Any] = {
        "nested": None,
        "maybe_unit": None,
        "unit": None,
        "outcome": Ok(1),
        "data": b"",
        "grid": [],
        "empties": [],
        "shapes": [],
    }
    return Boxes(**{**values, **changes})


@pytest.mark.parametrize("value", [(1, 2), [1, 2], range(1, 3), {1: 0, 2: 0}])
def test_what_is_a_list(value: Any) -> None:
    assert boxes(grid=[value]).grid == [[1, 2]]


REFUSED: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (user, {"tags": ["a", "b", 5]}, "User.tags[2]: expected str, got int 5"),
    (user, {"tags": "abc"}, "User.tags: expected list, got str 'abc'"),
    (user, {"name": None}, "User.name: expected str, got NoneType None"),
    (user, {"name": "\ud800"}, "User.name: a str with lone surrogates, which UTF-8 does not have"),
    (user, {"spot": (1, 2)}, "User.spot: expected Point, got tuple (1, 2)"),
    (scalars, {"a_u8": 256}, "Scalars.a_u8: 256 does not fit u8 (0 to 255)"),
    (scalars, {"a_i8": -129}, "Scalars.a_i8: -129 does not fit i8 (-128 to 127)"),
    (scalars, {"a_u64": -1}, f"Scalars.a_u64: -1 does not fit u64 (0 to {2**64 - 1})"),
    (scalars, {"a_u32": True}, "Scalars.a_u32: expected int (u32), got bool True"),
    (scalars, {"a_i256": False}, "Scalars.a_i256: expected int (i256), got bool False"),
    (scalars, {"a_i32": 1.0}, "Scalars.a_i32: expected int (i32), got float 1.0"),
    (scalars, {"a_i32": "1"}, "Scalars.a_i32: expected int (i32), got str '1'"),
    (scalars, {"a_u256": 2**256}, "Scalars.a_u256: does not fit u256: 256 bits"),
    (scalars, {"a_u256": -1}, "Scalars.a_u256: does not fit u256: 256 bits"),
    (scalars, {"a_i256": 2**255}, "Scalars.a_i256: does not fit i256: 256 bits"),
    (scalars, {"a_bool": 1}, "Scalars.a_bool: expected bool, got int 1"),
    (scalars, {"a_f64": True}, "Scalars.a_f64: expected float, got bool True"),
    (scalars, {"a_f64": "1"}, "Scalars.a_f64: expected float, got str '1'"),
    (scalars, {"a_f32": 1e39}, f"Scalars.a_f32: 1{'0' * 39} does not fit f32"),
    (boxes, {"data": "text"}, "Boxes.data: expected bytes, got str 'text'"),
    (boxes, {"data": [1, 2]}, "Boxes.data: expected bytes, got list [1, 2]"),
    (boxes, {"grid": [[], [1, "x"]]}, "Boxes.grid[1][1]: expected int (i32), got str 'x'"),
    (boxes, {"unit": 0}, "Boxes.unit: expected None, got int 0"),
    (boxes, {"nested": 5}, "Boxes.nested: expected Some(...) or None, got int 5"),
    (boxes, {"nested": Some("x")}, "Boxes.nested: expected int (i32), got str 'x'"),
    (boxes, {"outcome": 5}, "Boxes.outcome: expected Ok(...) or Err(...), got int 5"),
    (boxes, {"empties": [None]}, "Boxes.empties[0]: expected Empty, got NoneType None"),
]


@pytest.mark.parametrize(("make", "changes", "text"), REFUSED, ids=[case[2] for case in REFUSED])
def test_wrong_values_name_the_place(
    make: Callable[..., Any], changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(EncodeError) as caught:
        make(**changes)
    assert str(caught.value) == text


def test_wrong_variants() -> None:
    names = "ShapeNothing or ShapeCount or ShapeText or ShapeSpot or ShapePath"
    for value in (5, "x", None, Point(1, 2), SingleOnly("x"), ShapeCount):
        with pytest.raises(EncodeError, match=rf"^User\.shape: expected {names}, got "):
            User("", [], None, wrong(value), Color.RED)
    other = enum.Enum("Color", "RED")  # type: ignore[misc]
    strangers: list[Any] = [0, "RED", ShapeNothing(), *other]
    for stranger in strangers:
        with pytest.raises(EncodeError, match=r"^User\.color: expected a member of Color, got "):
            User("", [], None, ShapeNothing(), stranger)


def test_classes_of_another_module_are_refused() -> None:
    other = Module(bytes(Described(things.TYPES)))
    stranger = wrong(product(other, 1)(declare("Point", ["x", "y"])))(1, 2)
    assert to_bsatn(stranger) == to_bsatn(Point(1, 2))
    assert stranger != Point(1, 2)
    with pytest.raises(EncodeError, match=r"^User\.spot: expected Point, got Point "):
        user(spot=stranger)


def test_a_type_gets_one_class() -> None:
    with pytest.raises(TypeError, match="has a class already"):
        product(MODULE, 1)(declare("Again", ["x", "y"]))


def test_list_that_changes_while_it_is_read() -> None:
    class Growing(list[int]):
        def __iter__(self) -> Any:
            for number in range(3):
                self.append(number)
                yield number

    assert boxes(grid=[Growing()]).grid == [[0, 1, 2]]


def test_iterator_that_raises() -> None:
    class Broken(list[int]):
        def __iter__(self) -> Any:
            yield 1
            raise RuntimeError("broken")

    with pytest.raises(EncodeError, match="broken"):
        boxes(grid=[Broken()])


def test_too_deep_is_an_error_and_no_crash() -> None:
    tree = Tree(0, [])
    for _ in range(50):
        tree = Tree(0, [tree])
    with pytest.raises(EncodeError, match=r"^Tree: .*nested too deeply"):
        functools.reduce(lambda inner, _: Tree(0, [inner]), range(900), tree)


def test_nothing_leaks() -> None:
    def churn(count: int) -> None:
        for number in range(count):
            row = user("name", ["tag"], Point(number, 0))
            assert row.spot is not None
            _ = (row.name, row.tags, row.shape, hash(row), row == row, to_bsatn(row))
            if number % 100 == 0:
                with pytest.raises(EncodeError):
                    Point(number, wrong("x"))

    churn(1000)
    references = _references(User, Point, ShapeNothing)
    tracemalloc.start()
    try:
        churn(5_000)
        before = tracemalloc.get_traced_memory()[0]
        churn(20_000)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert _references(User, Point, ShapeNothing) == references
    assert grown < 100_000


def test_200_000_rows_are_freed() -> None:
    resident = _resident_kilobytes()
    references = _references(Point)
    rows = [Point(number, 0) for number in range(200_000)]
    held = _references(Point)
    del rows
    assert _references(Point) == references
    assert all(now >= before + 200_000 for now, before in zip(held, references, strict=True))
    for _ in range(4):
        _ = [Point(number, 0) for number in range(200_000)]
    if resident is not None:
        now = _resident_kilobytes()
        assert now is not None
        assert now - resident < 50_000


def _references(*classes: type) -> list[int]:
    """To each. Empty where there is no GIL: each thread has its own count of those to a class."""
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return []
    return [sys.getrefcount(cls) for cls in classes]


def _resident_kilobytes() -> int | None:
    try:
        with open("/proc/self/status") as status:
            [line] = [line for line in status if line.startswith("VmRSS")]
    except OSError:
        return None
    return int(line.split()[1])


def test_threads_share_rows() -> None:
    rows = [user(str(number), ["a"] * 10, Point(number, number)) for number in range(50)]
    expected = [(hash(row), repr(row)) for row in rows]
    faults: list[object] = []

    def read() -> None:
        for _ in range(20):
            for number, row in enumerate(rows):
                seen = (row.name, row.tags, row.spot)
                if seen != (str(number), ["a"] * 10, Point(number, number)):
                    faults.append(seen)
                if (hash(row), repr(row)) != expected[number]:
                    faults.append(row)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
