"""What the sides connect to: prepared bytes, the live peer, or a real server 1.2.0."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from tests.peer.process import Peer
from tests.server.modules import build_module
from tests.server.server import Server as RealServer

Server = Literal["stream", "peer", "chat", "chat-1.2.0"]

ROOT = Path(__file__).parents[2]


@contextmanager
def serving(
    server: Server | None, folder: Path, files: Sequence[str]
) -> Iterator[Mapping[str, Any]]:
    """Run a server, if one is wanted; gives the options that say where it is."""
    if server == "stream":
        with _stream(folder, files) as uri:
            yield {"uri": uri}
    elif server == "peer":
        options = ["--schema", str(folder / "bindings.json")]
        with Peer(databases={"bench": "generic"}, options=options) as peer:
            yield {"uri": peer.url}
    elif server == "chat":
        with Peer(databases={"bench": "chat"}) as peer:
            yield {"uri": peer.url}
    elif server == "chat-1.2.0":
        with RealServer() as real:
            real.publish("bench", build_module("chat").read_bytes())
            yield {"uri": real.url}
    else:
        yield {}


@contextmanager
def _stream(folder: Path, files: Sequence[str]) -> Iterator[str]:
    command = [sys.executable, "-m", "benches.compare.stream_server", str(folder)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(list(files)) + "\n")
        process.stdin.flush()
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()
