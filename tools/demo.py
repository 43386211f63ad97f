"""`make demo`: the chat, server module and clients in Python, on a real server.

Builds and starts what is missing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.server.api import ApiError  # noqa: E402
from tests.server.cache import BuildError  # noqa: E402
from tests.server.python_modules import python_module  # noqa: E402
from tests.server.server import StartError, some_server  # noqa: E402

CHAT = ROOT / "examples" / "chat"


def main() -> int:
    """Run the demo; the exit code is that of the chat."""
    try:
        wasm = python_module("chat")
        with some_server() as server:
            database = server.publish("chat-demo", wasm)
            what = f"SpacetimeDB {server.version()} at {server.url}"
            print(f"{what} runs `chat`, which is written in Python", flush=True)
            return _chat(server.url, database.name)
    except (BuildError, StartError, ApiError) as error:
        print(error, file=sys.stderr)
        return 1


def _chat(uri: str, database: str) -> int:
    address = ["--uri", uri, "--database", database]
    bindings = ["generate", *address, "--out", str(CHAT / "module_bindings")]
    subprocess.run([sys.executable, "-m", "spacetime_py", *bindings], check=True)
    return subprocess.run([sys.executable, str(CHAT / "main.py"), *address]).returncode


if __name__ == "__main__":
    sys.exit(main())
