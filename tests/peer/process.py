"""The live peer as a process on a loopback port, with the interface of `tests.server.server`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from uuid import uuid4

from tests.server.api import Api, Database

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
    """A peer to use in a `with` block, where `stop` and `start` again keep the port and the tokens.

    Databases are in memory: after a new start there are those of the constructor, which are empty.
    """

    def __init__(
        self,
        port: int = 0,
        databases: dict[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        """`databases` are names and their modules; `options` further ones of the command."""
        super().__init__(f"http://127.0.0.1:{port}")
        self.port = port
        names = (databases or {}).items()
        pairs = [part for name, module in names for part in ("--database", f"{name}={module}")]
        self._options = [*pairs, *options, "--key", uuid4().hex]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the process and wait until it listens."""
        address = f"127.0.0.1:{self.port}"
        command = [str(peer_binary()), "--until-eof", "--listen", address, *self._options]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._process = process
        assert process.stdout is not None
        line = process.stdout.readline().decode().strip()
        prefix = "listening on "
        if not line.startswith(prefix):
            self.stop()
            raise PeerError(f"the peer said {line!r} instead of its address")
        self.url = line.removeprefix(prefix)
        self.port = int(self.url.rpartition(":")[2])

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

    def publish(self, name: str, wasm: bytes = b"", native: str | None = None) -> Database:
        """Make a database of a built-in module: `native`, or bytes as in `b"native:chat"`."""
        return super().publish(name, wasm if native is None else f"native:{native}".encode())

    def __enter__(self) -> Peer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
