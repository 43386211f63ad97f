"""`spacetime-py build`: a module, or one line for each thing that is wrong."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from spacetime_py.build import wasm as wasm_file

from .conftest import GOOD, HEAD, TIMEOUT, Command

pytestmark = [pytest.mark.runtime, pytest.mark.usefixtures("runtime")]

# (program, what the one line says); the program's own first line is line 3.
BAD = {
    "syntax": ("x = (\n", "main.py:3: SyntaxError: '(' was never closed"),
    "indentation": ("def f():\nreturn 1\n", "main.py:4: IndentationError: expected an indented"),
    "untyped parameter": (
        "@reducer\ndef f(ctx: ReducerContext, n) -> None: ...\n",
        "main.py:3: reducer f: parameter 'n' has no type: write `n: str`",
    ),
    "unsupported type": (
        "@table\nclass A:\n    a: dict[str, u8]\n",
        "main.py:3: A.a: dict is no type of the database: use a list of a class with @product",
    ),
    "a name twice": (
        "@table\nclass A:\n    a: u8\n@table(accessor='a')\nclass B:\n    a: u8\n",
        "main.py:6: table a is there already, at main.py:3: give one of them another name",
    ),
    "an import that is not there": (
        "import no_such_library\n",
        "main.py:3: ModuleNotFoundError: No module named 'no_such_library'; a module can import",
    ),
    "a package with C extensions": (
        "import wasmtime\n",
        "main.py:3: ModuleNotFoundError: No module named 'ctypes'; a module can import",
    ),
    "a name that is not there": (
        "from spacetime_py.server import nothing\n",
        "main.py:3: ImportError: cannot import name 'nothing'",
    ),
    "an exception": (
        "def f() -> None:\n    raise ValueError('one\\ntwo')\nf()\n",
        "main.py:4: ValueError: one two; the build imports the program, so what is at the top",
    ),
    "an assertion": ("assert 1 == 2\n", "main.py:3: AssertionError; the build imports"),
    "an exit": ("raise SystemExit(3)\n", "main.py:3: SystemExit: 3; the build imports"),
    "threads": ("import threading\n", "main.py:3: error: import of threading; a module has one th"),
    "a null byte": ("x = 1\0\n", "main.py:3: there is a null byte; remove it"),
    "newer Python": ("type X = int\n", "main.py:3: SyntaxError: invalid syntax"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_one_line(
    refused: Callable[..., str], project: Callable[[str], Path], text: str, message: str
) -> None:
    folder = project(HEAD + text)
    line = refused("build", folder)
    assert message in line, line
    assert not (folder / "build").exists()


def test_encodings(refused: Callable[..., str], project: Callable[[str], Path]) -> None:
    folder = project(HEAD)
    file = folder / "src" / "main.py"
    file.write_bytes(b"x = 1\ny = '\xff'\n")
    assert "main.py:2: this is no text in the encoding of the file" in refused("build", folder)


def test_a_loop_at_the_top(refused: Callable[..., str], project: Callable[[str], Path]) -> None:
    line = refused("build", project("while True: pass\n"))
    assert "main.py: the build imports the program, and that does not come to an end" in line


def test_each_problem_has_a_line(command: Command, project: Callable[[str], Path]) -> None:
    text = "@table\nclass A:\n    a: dict\n    b: set\n@reducer\ndef f(ctx, n) -> None: ...\n"
    done = command("build", project(HEAD + text))
    assert (done.code, done.out) == (1, "")
    lines = done.err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("spacetime-py: main.py:") for line in lines)


def test_each_finding_of_the_lint_has_a_line(
    command: Command, project: Callable[[str], Path]
) -> None:
    text = "import time\ndef f() -> None: time.sleep(3)\nSEEN = []\ndef g(): SEEN.append(1)\n"
    done = command("build", project(HEAD + text))
    assert (done.code, done.out) == (1, "")
    first, second = done.err.splitlines()
    assert first.startswith("spacetime-py: main.py:4: error: use of time.sleep; a reducer must")
    assert second.startswith("spacetime-py: main.py:6: error: change of SEEN, which belongs to")


def test_a_warning_does_not_stop_it(command: Command, project: Callable[[str], Path]) -> None:
    folder = project(GOOD + "API_KEY = 'abcdefgh'\nprint('hello')\n")
    done = command("build", folder)
    assert done.code == 0
    warning, printed = done.err.splitlines()
    assert warning.startswith("main.py:12: warning: API_KEY looks like a secret; it is in the")
    assert printed == "hello"
    assert (folder / "build" / "module.wasm").exists()


def test_build(succeed: Callable[..., str], project: Callable[[str], Path], tmp_path: Path) -> None:
    folder = project(GOOD)
    assert succeed("build", folder).startswith(f"{folder}/build/module.wasm: ")
    out = tmp_path / "deep" / "other.wasm"
    answer = json.loads(succeed("build", folder, "-o", out, "--json"))
    wasm = out.read_bytes()
    assert wasm == (folder / "build" / "module.wasm").read_bytes()
    assert (answer["wasm"], answer["bytes"]) == (str(out), len(wasm))
    assert "main" in answer["modules"]
    assert wasm_file.sections_of(wasm)
    assert sorted(path.name for path in out.parent.iterdir()) == ["other.wasm"]


def test_somebody_at_a_terminal_sees_what_takes_a_while(project: Callable[[str], Path]) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "spacetime_py", "build", str(project(GOOD))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs) as building:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # Linux says so when the other side is closed
            while data := os.read(ours, 4096):
                shown += data
        os.close(ours)
        assert building.wait(TIMEOUT) == 0
    assert b"building the module ..." in shown
    assert shown.endswith(b"\r\x1b[K")


def test_packages_are_taken_along(
    command: Command, project: Callable[[str], Path], tmp_path: Path
) -> None:
    """A package of plain Python, what that one imports, and files beside the program."""
    site = tmp_path / "site"
    for name, source, licence in (
        ("counting", "from adding import plus\ndef three() -> int: return plus(1, 2)\n", "MIT"),
        ("adding", "def plus(a: int, b: int) -> int: return a + b\n", "Apache-2.0"),
        ("unused", "1 / 0\n", "MIT"),
    ):
        about = site / f"{name}-1.5.dist-info"
        about.mkdir(parents=True)
        (site / name).mkdir()
        (site / name / "__init__.py").write_text(source)
        head = "Metadata-Version: 2.4\nVersion: 1.5\n"
        (about / "METADATA").write_text(f"{head}Name: {name}\nLicense-Expression: {licence}\n")
        (about / "top_level.txt").write_text(f"{name}\n")
    folder = project(GOOD + "from prices import PRICE\nprint(PRICE)\n")
    (folder / "src" / "prices.py").write_text("from counting import three\nPRICE = three()\n")
    path = f"{site}:{os.environ.get('PYTHONPATH', '')}"
    done = command("build", folder, "--json", PYTHONPATH=path)
    assert done.code == 0, done.err
    printed, *bundled = done.err.splitlines()
    assert printed == "3"
    lines = ["bundled: adding 1.5 (Apache-2.0)", "bundled: counting 1.5 (MIT)"]
    assert sorted(bundled) == lines
    modules = json.loads(done.out)["modules"]
    assert {"main", "prices", "counting", "adding"} <= set(modules)
    assert "unused" not in modules


def test_no_program(refused: Callable[..., str], tmp_path: Path) -> None:
    line = refused("build", tmp_path)
    assert "src/main.py is not there: write the module's tables and reducers in it" in line


def test_settings_of_the_wrong_kind(
    refused: Callable[..., str], project: Callable[[str], Path]
) -> None:
    folder = project(GOOD)
    (folder / "pyproject.toml").write_text('[tool.spacetime]\ninclude = "json"\n')
    assert "[tool.spacetime] include must be of type list" in refused("build", folder)
    (folder / "pyproject.toml").write_text('[tool.spacetime]\nabi = "9.9"\n')
    assert "'9.9': choose 10.0 or 10.5" in refused("build", folder)


def test_the_same_bytes_everywhere(
    succeed: Callable[..., str], project: Callable[[str], Path], tmp_path: Path
) -> None:
    """In another folder, for another user, with another order of sets."""
    succeed("build", project(GOOD), "-o", tmp_path / "one.wasm", PYTHONHASHSEED="1")
    other = tmp_path / "elsewhere"
    shutil.copytree(project(GOOD), other)
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "USER": "other"}
    succeed("build", other, "-o", tmp_path / "two.wasm", PYTHONHASHSEED="2", **home)
    assert (tmp_path / "one.wasm").read_bytes() == (tmp_path / "two.wasm").read_bytes()
