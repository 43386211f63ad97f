"""What the lint finds, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spacetime_py.server.lint import lint_files, lint_sources

from .programs import MODULES

FOUND = {
    "import threading": "error threads",
    "from concurrent.futures import ThreadPoolExecutor": "error threads",
    "import asyncio": "error threads",
    "import socket": "error network",
    "import subprocess": "error system",
    "import time\ndef f(): time.sleep(1)": "error sleep",
    "from time import sleep as nap\ndef f(): nap(1)": "error sleep",
    "import time\ndef f(): return time.time()": "warning clock",
    "import datetime as d\ndef f(): return d.datetime.now()": "warning clock",
    "from datetime import datetime\ndef f(): return datetime.now": "warning clock",
    "import random\ndef f(): return random.choice([1])": "warning random",
    "from random import random\ndef f(): return random()": "warning random",
    "import secrets\ndef f(): return secrets.token_hex()": "warning random",
    "import uuid\ndef f(): return uuid.uuid4()": "warning random",
    "def f(): open('x')": "error files",
    "def f(): return eval('1')": "warning eval",
    "import os\ndef f(): return os.environ['X']": "warning environment",
    "n = 0\ndef f():\n    global n\n    n = 1": "error state",
    "a = []\ndef f(): a.append(1)": "error state",
    "a = {}\ndef f(): a['x'] = 1": "error state",
    "a = {}\ndef f(): del a['x']": "error state",
    "from collections import defaultdict\na = defaultdict(int)\ndef f(): a[1] += 1": "error state",
    "a: dict[str, int] = {}\nclass C:\n    def f(self): a.clear()": "error state",
    "API_KEY = 'x'": "warning secret",
    "key = 'sk-12345'": "warning secret",
    "class C:\n    password = 'x'": "warning secret",
    "def f():\n    import json": "error import",
    "def f():\n    from json import dumps": "error import",
}

FINE = [
    "import json\ndef f():\n    import json",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import socket",
    "import random\ndef f(): return random.Random(5).random()",
    "a = []\ndef f(a): a.append(1)",
    "a = []\ndef f():\n    a = []\n    a.append(1)",
    "a = [1]\na.append(2)\ndef f(): return a[0]",
    "import time\ndef f(): return time.time()  # spacetime: allow",
    "import time\ndef f(): return time.time()  # spacetime: allow[clock, random]",
    "password = ''",
    "def f(ctx): ctx.db[Item].insert(1)",
    "def f(random): return random.choice()",
    "def broken(:",
    "from datetime import datetime, timezone\ndef f(): return datetime(2020, 1, 1)",
]


@pytest.mark.parametrize(("source", "expected"), FOUND.items(), ids=FOUND.keys())
def test_found(source: str, expected: str) -> None:
    (finding,) = lint_sources([("program.py", source)])
    assert f"{finding.severity} {finding.rule}" == expected
    assert str(finding).startswith(f"program.py:{finding.line}: {finding.severity}: ")
    assert finding.is_error == (finding.severity == "error")


@pytest.mark.parametrize("source", FINE)
def test_fine(source: str) -> None:
    assert lint_sources([("program.py", source)]) == []


def test_only_the_named_rule_is_allowed() -> None:
    source = "import time\ndef f(): return time.time()  # spacetime: allow[random]"
    assert len(lint_sources([("program.py", source)])) == 1


def test_imports_of_one_file_are_there_for_the_others() -> None:
    late = ("b.py", "def f():\n    import json")
    assert lint_sources([("a.py", "import json"), late]) == []
    assert lint_sources([late], include=["json"]) == []


def test_lines() -> None:
    source = "import time\n\n\ndef f():\n    x = 1\n    time.sleep(x)"
    (finding,) = lint_sources([("a.py", source)])
    assert finding.line == 6


def test_our_modules() -> None:
    files = list(MODULES.glob("*_py/**/*.py"))
    assert len(files) >= 6
    assert lint_files(files, root=MODULES) == []


def test_few_imports(tmp_path: Path) -> None:
    """What the package draws in is in every snapshot: of the library, next to nothing."""
    script = tmp_path / "count.py"
    package = Path(__file__).resolve().parents[2] / "python" / "spacetime_py" / "server"
    (tmp_path / "spacetime_py").mkdir()
    (tmp_path / "spacetime_py" / "__init__.py").touch()
    (tmp_path / "spacetime_py" / "server").symlink_to(package)
    script.write_text(
        "import sys\nbefore = set(sys.modules)\nimport spacetime_py.server._program\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    run = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r});"]
    run[-1] += script.read_text()
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    others = [name for name in done.stdout.split() if not name.startswith("spacetime_py")]
    assert others == ["__future__", "_random", "keyword"]
