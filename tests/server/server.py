"""A SpacetimeDB server of our own: a process on a loopback port, with its own data folder."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .api import Api
from .cache import tail
from .install import server_binary

URL_VARIABLE = "SPACETIME_TEST_SERVER_URL"
START_SECONDS = 30
STOP_SECONDS = 10


class StartError(Exception):
    """The server did not get ready; the message shows the end of its log."""


class Server(Api):
    """A server to use in a `with` block, where `stop` and `start` again keep port and data."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or _free_port()
        super().__init__(f"http://127.0.0.1:{self.port}")
        self._folder = tempfile.TemporaryDirectory(prefix="spacetime-py-server-")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the server printed since its first start."""
        return Path(self._folder.name) / "server.log"

    @property
    def pid(self) -> int:
        """The running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the process and wait until it answers."""
        _require_free(self.port)
        data = Path(self._folder.name) / "data"
        keys = (f"--jwt-pub-key-path={data}/id_ecdsa.pub", f"--jwt-priv-key-path={data}/id_ecdsa")
        address = f"--listen-addr=127.0.0.1:{self.port}"
        command = [str(server_binary()), "start", address, f"--data-dir={data}", *keys]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise self._start_error(f"ended with status {process.returncode}")
            try:
                self.ping()
                return
            except OSError:
                time.sleep(0.05)
        raise self._start_error(f"gave no answer in {START_SECONDS} s")

    def _start_error(self, what: str) -> StartError:
        return StartError(f"the server {what}; its log:\n{tail(self.log)}")

    def stop(self) -> None:
        """End the process, by force when it does not listen; nothing happens when none runs."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Server:
        try:
            self.start()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._folder.cleanup()


@contextmanager
def some_server() -> Iterator[Api]:
    """The running server that `SPACETIME_TEST_SERVER_URL` names, or one of our own meanwhile."""
    url = os.environ.get(URL_VARIABLE)
    if url:
        yield Api(url)
    else:
        with Server() as server:
            yield server


def _require_free(port: int) -> None:
    """Complain here: our server would share the port with another one, and either might answer."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise StartError(f"port {port} of 127.0.0.1 cannot be used: {error.strerror}") from None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
