"""Which folders are Python projects, in every command that has to know."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from .command import Spacetime, StandIn

pytestmark = pytest.mark.real_server

PYTHON = ("pyproject.toml", "setup.py")
OTHERS = ("Cargo.toml", "Module.csproj", "package.json", "CMakeLists.txt")
FILES = PYTHON + OTHERS
FOLDERS = [files for size in range(len(FILES) + 1) for files in combinations(FILES, size)]

# Nobody listens there; what matters happens before.
COMMANDS = {
    "build": ["build"],
    "publish": ["publish", "--anonymous", "--server=http://127.0.0.1:9", "name"],
    "generate": ["generate", "--lang=rust", "--out-dir=out"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("files", FOLDERS, ids=lambda files: "+".join(files) or "nothing")
def test_python_is_what_says_so_and_is_nothing_else(
    spacetime: Spacetime, stand_in: StandIn, tmp_path: Path, files: tuple[str, ...], command: str
) -> None:
    # No cargo and no dotnet: a project of another language fails at once.
    spacetime.variables["PATH"] = "/bin"
    stand_in.will(status=1)
    for file in files:
        (tmp_path / file).touch()
    spacetime.fail(*COMMANDS[command], "--project-path", tmp_path)
    is_python = any(file in PYTHON for file in files) and not any(file in OTHERS for file in files)
    assert stand_in.was_asked() is is_python
