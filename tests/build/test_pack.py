"""Programs to modules: what comes out, what is refused, and in which words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from spacetime_py.build import BuildError, Packed, Program, Source, pack, read_modules
from spacetime_py.build import wasm as wasm_file
from spacetime_py.build.runtime import load_runtime

from .conftest import PEOPLE
from .probe import host_of, program, text_argument

pytestmark = pytest.mark.runtime


HEAD = "from spacetime_py.server import ReducerContext, reducer, table, u8\n"


def test_a_module_has_only_what_a_host_knows(people: Packed) -> None:
    sections = wasm_file.sections_of(people.wasm)
    assert {module for module, _ in wasm_file.imports_of(sections)} == {"spacetime_10.0"}
    names = {export.name for export in wasm_file.exports_of(sections)}
    assert names == {"memory", "__setup__", "__describe_module__", "__call_reducer__"}
    assert people.module_def.version == 9
    assert people.module_def.reducers == ["add", "fail_late"]


def test_the_newer_level(people: Packed) -> None:
    newer = pack(program(PEOPLE), abi="10.5")
    assert newer.module_def.version == 10
    modules = {m for m, _ in wasm_file.imports_of(wasm_file.sections_of(newer.wasm))}
    assert modules == {f"spacetime_10.{minor}" for minor in (0, 2, 3, 4, 5)}
    exports = {e.name for e in wasm_file.exports_of(wasm_file.sections_of(newer.wasm))}
    assert {"__call_procedure__", "__call_view__", "__call_view_anon__"} <= exports


def test_a_module_is_small(people: Packed) -> None:
    assert len(people.wasm) < 5_000_000


def test_the_same_program_gives_the_same_bytes(people: Packed) -> None:
    assert pack(program(PEOPLE)).wasm == people.wasm


def test_the_folder_does_not_matter(tmp_path: Path, people: Packed) -> None:
    for name in ("here", "a longer name"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "main.py").write_text(PEOPLE)
        assert pack(Program("main", read_modules(folder))).wasm == people.wasm


def test_reducers_run(people: Packed) -> None:
    host = host_of(people)
    assert host.reducer(0, text_argument("Ada")).code == 0
    assert host.logs[-1].text == "added 1"
    assert host.logs[-1].filename == "main.py"
    refused = host.reducer(0, text_argument(""))
    assert (refused.code, refused.error) == (1, "a person has a name")
    assert host.database is not None
    assert len(host.database.tables[0].rows) == 1


def test_a_failed_reducer_leaves_nothing(people: Packed) -> None:
    host = host_of(people)
    failed = host.reducer(1, text_argument("Ada"))
    assert failed.error == "KeyError: 'late'"
    assert "line 21, in fail_late" in host.logs[-1].text
    assert (host.logs[-1].level, host.logs[-1].filename) == (0, "main.py")
    assert host.database is not None
    assert not host.database.tables[0].rows


def test_bytes_that_are_no_arguments(people: Packed) -> None:
    host = host_of(people)
    for bad in (b"", b"\x05", b"\xff\xff\xff\xff", b"\x01\0\0\0\xff", text_argument("a") + b"!"):
        outcome = host.reducer(0, bad)
        assert outcome.code == 1
        assert outcome.output.startswith(b"ValueError: "), outcome
    assert host.reducer(99).code == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = \n", "main.py:1: SyntaxError: invalid syntax"),
        ("import nosuchthing\n", "main.py:1: ModuleNotFoundError: No module named 'nosuchthing'"),
        ("import socket\n", "main.py:1: ModuleNotFoundError: No module named '_socket'"),
        ("def f():\n    return 1 // 0\nf()\n", "main.py:2: ZeroDivisionError: "),
        (f"{HEAD}@reducer\ndef go(ctx: ReducerContext, n): ...\n", "main.py:2: reducer go: "),
        (f"{HEAD}@table\nclass A:\n    x: complex\n", "main.py:2: A.x: "),
        ("import spacetime_py.build\n", "main.py:1: ModuleNotFoundError: "),
        ("raise SystemExit(3)\n", "main.py:1: SystemExit: 3"),
        ("def f(): f()\nf()\n", "main.py:1: RecursionError: "),
        ("open('data.txt')\n", "main.py:1: "),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, message: str) -> None:
    with pytest.raises(BuildError, match="^" + re.escape(message)):
        pack(program(text))


def test_the_line_is_the_programs_own() -> None:
    other = "import json\n\njson.loads('{')\n"
    with pytest.raises(BuildError, match=r"^other\.py:3: JSONDecodeError") as caught:
        pack(program("import other\n", other=other))
    assert (caught.value.file, caught.value.line) == ("other.py", 3)


def test_no_such_entry() -> None:
    with pytest.raises(BuildError, match="no module 'nothing'"):
        Program("nothing", {})


def test_the_guest_package_cannot_be_replaced() -> None:
    source = Source("", "spacetime_py.py")
    with pytest.raises(BuildError, match=r"spacetime_py\.py: a program cannot have"):
        Program("spacetime_py", {"spacetime_py": source})


def test_no_such_level() -> None:
    with pytest.raises(BuildError, match=r"'11\.0': choose 10\.0 or 10\.5"):
        load_runtime("11.0")


LATE = (
    HEAD
    + """
@reducer
def late(ctx: ReducerContext) -> None:
    import json
    print(json.dumps([1]))
"""
)


def test_an_import_inside_of_a_function() -> None:
    host = host_of(pack(program(LATE)))
    error = host.reducer(0).error
    assert error is not None
    assert error.startswith("ModuleNotFoundError: json is not in this database module")
    included = host_of(pack(program(LATE), include=["json"]))
    assert included.reducer(0).code == 0
    assert included.logs[-1].text == "[1]"


EVAL = (
    HEAD
    + """
@reducer
def go(ctx: ReducerContext) -> None:
    print(eval("6 * 7"))

@reducer
def tree(ctx: ReducerContext) -> None:
    compile("x", "y", "exec")
"""
)


def test_the_compiler_is_left_out_unless_asked_for() -> None:
    host = host_of(pack(program(EVAL)))
    for number in (0, 1):
        error = host.reducer(number).error
        assert error is not None
        assert "set `compiler = true`" in error
    assert host_of(pack(program(EVAL), compiler=True)).reducer(0).code == 0


def test_packages_and_folders_without_init(tmp_path: Path) -> None:
    (tmp_path / "shop" / "deep").mkdir(parents=True)
    (tmp_path / "shop" / "deep" / "prices.py").write_text("PRICE = 3\n")
    (tmp_path / "main.py").write_text(f"{HEAD}from shop.deep.prices import PRICE\nprint(PRICE)\n")
    (tmp_path / "not a module.py").write_text("?")
    packed = pack(Program("main", read_modules(tmp_path)))
    assert "shop.deep.prices" in packed.modules
    assert [line.text for line in packed.logs] == ["3"]


LIBRARY = """
import base64, bisect, collections, contextlib, copy, dataclasses, datetime, decimal, enum
import fractions, functools, hashlib, heapq, itertools, json, math, operator, random, re
import statistics, string, struct, textwrap, typing, uuid
from spacetime_py.server import ReducerContext, reducer

@dataclasses.dataclass
class Point:
    x: int
    y: int = 2

@reducer
def use(ctx: ReducerContext) -> None:
    assert dataclasses.asdict(copy.deepcopy(Point(1))) == {"x": 1, "y": 2}
    assert json.loads(json.dumps({"a": [1.5, None]})) == {"a": [1.5, None]}
    assert re.sub(r"(\\d+)", lambda m: str(int(m[1]) * 2), "a21") == "a42"
    assert hashlib.sha256(b"x").hexdigest().startswith("2d711642b726b044")
    assert decimal.Decimal("0.1") + decimal.Decimal("0.2") == decimal.Decimal("0.3")
    assert datetime.datetime.fromtimestamp(0, datetime.timezone.utc).year == 1970
    assert math.isclose(statistics.mean([1, 2, 3]), 2)
    assert len({uuid.uuid4() for _ in range(100)}) == 100
    assert 0 <= random.random() < 1
    print("all of it works")
"""


def test_pythons_library() -> None:
    packed = pack(program(LIBRARY))
    host = host_of(packed)
    assert host.reducer(0).error is None
    assert host.logs[-1].text == "all of it works"


CHECKED = """
from spacetime_py.server import ReducerContext, reducer

@reducer
def check(ctx: ReducerContext) -> None:
    "Some words."
    assert check.__doc__ is None, "too many words"
"""


def test_stripped_modules_have_no_assertions_and_docstrings() -> None:
    plain = host_of(pack(program(CHECKED))).reducer(0)
    assert plain.error == "AssertionError: too many words"
    assert host_of(pack(program(CHECKED), strip=True)).reducer(0).error is None


def test_callers_of_debugged_modules_get_tracebacks() -> None:
    error = host_of(pack(program(CHECKED), debug=True)).reducer(0).error
    assert error is not None
    first, *_, place, last = error.split("\n")
    assert first == "Traceback (most recent call last):"
    assert "main.py" in place
    assert last == "AssertionError: too many words"
