"""How bytes move between the core and a network, or a test that plays the network.

A transport pushes what it receives into a `Driver` and pulls from it what is to be sent. Pulling
means that everything queued while the socket was busy, or in one turn of the event loop, becomes
one write. Before this file: `link.py`, which is the driver. After it: `sockets.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit

from typing_extensions import Buffer

from .event_loop import Event
from .redaction import shown_url

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


class Driver(NamedTuple):
    """What a transport calls."""

    on_data: Callable[[Buffer], None]
    """Bytes from the socket; the buffer is valid during the call only."""
    on_end: Callable[[Exception | None], None]
    """The socket has ended. Called once, and nothing after it."""
    next_data: Callable[[], bytes]
    """Everything that is to be sent now."""


class Transport(Protocol):
    """A socket. `async with` encloses its whole life and is entered and left by one task."""

    async def __aenter__(self) -> object: ...
    async def __aexit__(self, *exc_info: object) -> object: ...

    async def connect(self) -> None:
        """Raises OSError."""

    def flush(self) -> None:
        """Send what there is to be sent."""

    def flush_soon(self) -> None:
        """Flush once the running task gives way."""

    def close(self) -> None:
        """Flush, then end the socket."""

    def abort(self) -> None:
        """End the socket at once."""

    async def wait_ended(self) -> None:
        """Return when the socket has ended."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens."""

    host: str
    port: int
    tls: bool

    @property
    def authority(self) -> str:
        """HOST:PORT, as an HTTP request names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def uri(self) -> str:
        """http:// or https://HOST[:PORT], the same however it was written."""
        scheme = "https" if self.tls else "http"
        address = f"{scheme}://{self.authority}"
        is_default = self.port == _DEFAULT_PORTS[scheme]
        return address.removesuffix(f":{self.port}") if is_default else address


TransportFactory = Callable[[Endpoint, Driver], Transport]


def split_address(address: str, default_ports: Mapping[str, int]) -> tuple[SplitResult, int]:
    """Its parts, those of http:// where it names no scheme, and the port. Raises ValueError.

    `default_ports` has the schemes that may be.
    """
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme not in default_ports:
        raise ValueError(f"unknown scheme {parts.scheme!r}")
    return parts, default_ports[parts.scheme] if parts.port is None else parts.port


def parse_uri(uri: str) -> Endpoint:
    """From http://, https://, ws:// or wss://HOST[:PORT], or from HOST:PORT. Raises ValueError."""
    try:
        parts, port = split_address(uri, _DEFAULT_PORTS)
    except ValueError:
        raise _bad_uri(uri) from None
    without_port = "://" not in uri and parts.port is None
    beyond_host = parts.path not in ("", "/") or parts.query or parts.fragment or parts.username
    if not parts.hostname or not port or without_port or beyond_host:
        raise _bad_uri(uri)
    return Endpoint(parts.hostname, port, tls=parts.scheme in ("https", "wss"))


def _bad_uri(uri: str) -> ValueError:
    return ValueError(
        f"uri {shown_url(uri)!r} is none of http://HOST[:PORT], https://HOST[:PORT], "
        "ws://HOST[:PORT], wss://HOST[:PORT], HOST:PORT"
    )


_OUR_HEADERS = ("host", "connection", "upgrade", "sec-websocket-", "authorization")


def checked_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Raises ValueError for a header that the upgrade request has already."""
    for name in headers:
        if name.lower().startswith(_OUR_HEADERS):
            advice = "; give the token as `token`" if name.lower() == "authorization" else ""
            raise ValueError(f"header {name} is set by the connection itself{advice}")
    return headers


class MemoryTransport:
    """No network: what is sent goes to `peer`; `feed` and `end` play the server. For tests."""

    def __init__(self, driver: Driver, peer: Callable[[bytes], None]) -> None:
        self._driver = driver
        self._on_data = driver.on_data
        self._peer = peer
        self._has_ended = False
        self._ended = Event()

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *exc_info: object) -> None:
        return None

    async def connect(self) -> None:
        return None

    def feed(self, data: bytes) -> None:
        """The server sends `data`."""
        if not self._has_ended:
            self._on_data(data)

    def end(self, error: Exception | None = None) -> None:
        """The socket ends."""
        if not self._has_ended:
            self._has_ended = True
            self._ended.set()
            self._driver.on_end(error)

    def flush(self) -> None:
        if (data := self._driver.next_data()) and not self._has_ended:
            self._peer(data)

    flush_soon = flush

    def close(self) -> None:
        self.flush()
        self.end()

    abort = end

    async def wait_ended(self) -> None:
        await self._ended.wait()
