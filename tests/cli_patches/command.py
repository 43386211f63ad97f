"""How the tests call the patched command, and a Python that says that it can build modules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WASM = b"\0asm\x01\0\0\0"
"""The smallest module there is."""

_STAND_IN = """\
#!/bin/sh
here=$(cd "$(dirname "$0")/.." && pwd)
case "$1" in
    -c) exit $(cat "$here/import") ;;
esac
pwd > "$here/folder"
echo "$*" > "$here/arguments"
cat "$here/stderr" >&2
[ -f "$here/wasm" ] && cat "$here/wasm" > "$6"
exit $(cat "$here/status")
"""


def is_current(bindings: Path, *source: str | Path) -> None:
    """`spacetime-py generate` would write the same bytes."""
    command = [sys.executable, "-m", "spacetime_py", "generate", "--check", "--out", str(bindings)]
    command += map(str, source)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


class StandIn:
    """A virtual environment whose `python -m spacetime_py build` does as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir(parents=True)
        script = folder / "bin" / "python"
        script.write_text(_STAND_IN)
        script.chmod(0o755)
        self.will()

    def will(
        self, wasm: bytes | None = WASM, status: int = 0, stderr: str = "", has_package: bool = True
    ) -> None:
        """Say what the next builds do."""
        (self.folder / "wasm").unlink(missing_ok=True)
        if wasm is not None:
            (self.folder / "wasm").write_bytes(wasm)
        (self.folder / "status").write_text(str(status))
        (self.folder / "stderr").write_text(stderr)
        (self.folder / "import").write_text("0" if has_package else "1")

    def was_asked(self) -> bool:
        """Whether there was a build since the last question."""
        marker = self.folder / "arguments"
        asked = marker.exists()
        marker.unlink(missing_ok=True)
        return asked

    def told(self, what: str) -> str:
        """What it was told: its `folder` or its `arguments`."""
        return (self.folder / what).read_text().strip()


class Spacetime:
    """The patched command."""

    def __init__(self, cli: Path, configuration: Path, environment: Path) -> None:
        self.cli = cli
        self.configuration = configuration
        self.variables = {"PATH": "/usr/bin:/bin", "VIRTUAL_ENV": str(environment)}

    def run(
        self, *arguments: str | Path, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [self.cli, f"--root-dir={self.configuration}", *arguments]
        return subprocess.run(
            command, cwd=folder, env=self.variables, capture_output=True, text=True, timeout=300
        )

    def succeed(self, *arguments: str | Path, folder: Path | None = None) -> str:
        """What a run that succeeds prints."""
        done = self.run(*arguments, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fail(self, *arguments: str | Path, folder: Path | None = None) -> str:
        """What a run that fails says."""
        done = self.run(*arguments, folder=folder)
        assert done.returncode != 0, done.stdout
        return done.stderr
