"""The bindings in the client's template; `python -m tests.cli_patches.bindings` renews them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .patched import ROOT

MODULE = ROOT / "templates" / "python" / "module"
BINDINGS = ROOT / "templates" / "python" / "client" / "module_bindings"
NAME = "{{name}}"


def generated(folder: Path) -> dict[str, str]:
    """What `spacetime-py generate` writes for the module, by its names in the template."""
    module = folder / NAME
    shutil.copytree(MODULE, module)
    for path in list(module.rglob("*._*")):
        path.rename(path.with_name(path.name.replace("._", ".")))
    command = [sys.executable, "-m", "spacetime_py", "generate", "--module", module]
    done = subprocess.run(
        [*map(str, command), "--out", str(folder / "out")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return {path.name.replace(".", "._"): path.read_text() for path in (folder / "out").iterdir()}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = generated(Path(folder))
    shutil.rmtree(BINDINGS)
    BINDINGS.mkdir()
    for name, text in files.items():
        (BINDINGS / name).write_text(text)


if __name__ == "__main__":
    main()
