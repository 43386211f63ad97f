"""A proxy of other people's, `pproxy`, as a process: HTTP and SOCKS5 on one port."""

from __future__ import annotations

import socket
import subprocess
import sys

from typing_extensions import Self

# It asks for a loop that newer Pythons make no more, and takes uvloop where that is installed.
_PROGRAM = """
import asyncio, sys
sys.modules["uvloop"] = None
asyncio.set_event_loop(asyncio.new_event_loop())
from pproxy.server import main
main()
"""
_STOP_SECONDS = 10


class ForwardingProxy:
    """To be used in a `with` block. Lets in who knows user and password, if it was given any.

    It remembers the addresses of those whom it has let in, as it does by itself.
    """

    def __init__(self, user: str = "", password: str = "") -> None:
        self._secret = f"#{user}:{password}" if user else ""
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def url(self, scheme: str, user: str = "") -> str:
        """As the option `proxy` takes it; `user` is USER:PASSWORD@."""
        return f"{scheme}://{user}127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        address = f"http+socks5://127.0.0.1:{self.port}{self._secret}"
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-c", _PROGRAM, "-v", "-l", address],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = self.next_line()
        assert "Serving on" in said, said
        return self

    def next_line(self) -> str:
        """What it tells next: a line for each connection, SCHEME CLIENT -> HOST:PORT."""
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.communicate(timeout=_STOP_SECONDS)
