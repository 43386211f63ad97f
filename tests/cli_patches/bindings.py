"""The bindings in the client's template; `python -m tests.cli_patches.bindings` renews them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from spacetime_py.cli.files import write_files
from spacetime_py.cli.init import template_files

from .patched import ROOT

BINDINGS = ROOT / "templates" / "python" / "client" / "module_bindings"
NAME = "{{name}}"


def generated(folder: Path) -> dict[str, str]:
    """What `spacetime-py generate` writes for the module, by its names in the template."""
    module = folder / NAME
    write_files(
        {path: text.encode() for path, text in template_files("module", NAME, module).items()}
    )
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
