"""The live peer as a process on a loopback port, with the interface of `tests.server.server`."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

from tests.server.api import Api

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 10


class PeerError(Exception):
    """The peer could not be built or started."""


@cache
def peer_binary() -> Path:
    """The release build, made on first use."""
    command = ["cargo", "build", "--release", "--locked", "-p", "spacetime_py_peer"]
    built = subprocess.run(
        [*command, "--message-format=json"], cwd=ROOT, stdout=subprocess.PIPE, check=False
    )
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "spacetime-py-peer":
            return Path(message["executable"])
    raise PeerError(f"`{' '.join(command)}` failed")


class Peer(Api):
    """A peer to use in a `with` block. `publish` takes `b"native:NAME"` for a module."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:0")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Peer:
        command = [str(peer_binary()), "--until-eof"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode().strip()
        prefix = "listening on "
        if not line.startswith(prefix):
            self.stop()
            raise PeerError(f"the peer said {line!r} instead of its address")
        self.url = line.removeprefix(prefix)
        return self

    def stop(self) -> None:
        """End the process; nothing happens when none runs."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    def __exit__(self, *_: object) -> None:
        self.stop()
