"""Connecting through a proxy: which one, and the tunnel, which is the work of `python-socks`.

Before this file: `sockets.py`, and `http/client.py`, where httpx has tunnels of its own.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from anyio.abc import ByteStream

from .exceptions import MissingExtra
from .redaction import shown_url
from .transport import split_address

if TYPE_CHECKING:
    from python_socks import ProxyType

_DEFAULT_PORTS = {"http": 80, "socks5": 1080, "socks5h": 1080}
_FOREVER = 86400.0
"""Seconds. How long connecting may take is the connection's to say, by `connect_timeout`."""
_UNAUTHORIZED = 407


class ProxyFailed(ConnectionError):
    """The proxy was not reached, or it refused."""


@dataclass(frozen=True)
class Proxy:
    """Where a proxy listens, and how to be let in."""

    scheme: str
    host: str
    port: int
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    said_by: str = "`proxy`"
    """What names it: the option, or a variable of the environment."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    async def tunnel(self, host: str, port: int) -> socket.socket:
        """A connected socket for asyncio. Raises ProxyFailed."""
        from python_socks.async_.asyncio import Proxy as Way

        way = Way(self._type(), self.host, self.port, self.user, self.password, self._asks_names())
        with self._told():
            made = await way.connect(host, port, timeout=_FOREVER)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    async def tunnel_stream(self, host: str, port: int) -> ByteStream:
        """The same for trio. Raises ProxyFailed."""
        from python_socks.async_.anyio import Proxy as Way

        way = Way(self._type(), self.host, self.port, self.user, self.password, self._asks_names())
        with self._told():
            return await way.connect(host, port, timeout=_FOREVER)

    def _type(self) -> ProxyType:
        from python_socks import ProxyType

        return ProxyType.HTTP if self.scheme == "http" else ProxyType.SOCKS5

    def _asks_names(self) -> bool:
        """Whether names of hosts are the proxy's to look up."""
        return self.scheme != "socks5"

    @contextmanager
    def _told(self) -> Generator[None]:
        """Its faults as errors that name the proxy, and what named it."""
        from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError

        try:
            yield
        except (ProxyConnectionError, ProxyTimeoutError) as error:
            cause = error.__cause__ or error
            raise self._failed(f"does not answer ({cause})") from error
        except ProxyError as error:
            advice = ""
            if error.error_code == _UNAUTHORIZED or "authentication" in str(error).lower():
                advice = f"; user and password go into it, {self.scheme}://USER:PASSWORD@HOST"
            raise self._failed(f"refused ({error}){advice}") from error
        except Exception as error:
            # How a proxy breaks off comes in the words of each event loop.
            raise self._failed(f"broke off ({str(error) or type(error).__name__})") from error

    def _failed(self, what: str) -> ProxyFailed:
        return ProxyFailed(f"the proxy {self}, named by {self.said_by}, {what}")


def chosen_proxy(proxy: str | bool, host: str, port: int, tls: bool) -> Proxy | None:
    """What the option `proxy` means for a server.

    Raises ValueError for what is no address of a proxy.
    """
    if proxy is False:
        return None
    if proxy is True:
        return _of_environment(host, port, tls)
    return _parsed(proxy, "`proxy`")


def require_extra(proxy: Proxy | None, module: str) -> None:
    """Raises MissingExtra where the package is missing that speaks to this proxy."""
    if proxy is not None and find_spec(module) is None:
        off = "" if proxy.said_by == "`proxy`" else ", or proxy=False to connect without"
        raise MissingExtra(
            f"{proxy.said_by} names a proxy, which takes the package {module}: "
            f"pip install 'spacetime-py[proxy]'{off}"
        )


def _of_environment(host: str, port: int, tls: bool) -> Proxy | None:
    """By the variables that urllib knows, and the system's settings on Windows and macOS.

    The machine itself is never reached through a proxy: `localhost` means another one there.
    """
    if _is_loopback(host) or proxy_bypass(f"{host}:{port}"):
        return None
    known = getproxies()
    for scheme in ("wss", "https", "all") if tls else ("ws", "http", "all"):
        if url := known.get(scheme):
            return _parsed(url, f"{scheme.upper()}_PROXY")
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").rpartition(".")[2].lower() == "localhost"


def _parsed(url: str, said_by: str) -> Proxy:
    try:
        parts, port = split_address(url, _DEFAULT_PORTS)
    except ValueError:
        parts, port = urlsplit(""), 0
    beyond_host = parts.path not in ("", "/") or parts.query or parts.fragment
    if not parts.hostname or not port or beyond_host:
        raise ValueError(
            f"{said_by} {shown_url(url)!r} is none of http://, socks5:// or "
            "socks5h://[USER:PASSWORD@]HOST[:PORT]"
        )
    user = None if parts.username is None else unquote(parts.username)
    password = unquote(parts.password or "") if user is not None else None
    return Proxy(parts.scheme, parts.hostname, port, user, password, said_by)
