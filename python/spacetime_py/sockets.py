"""Which transport carries a connection over TCP or TLS.

Before this file: `connection.py`. After it: `asyncio_transport.py`, `stream_transport.py`.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .asyncio_transport import AsyncioTransport, BytesTransport, SelectorTransport
from .event_loop import on_asyncio
from .proxies import Proxy, chosen_proxy, require_extra
from .stream_transport import StreamTransport
from .transport import Driver, Endpoint, Transport, TransportFactory


def network(
    endpoint: Endpoint,
    ca_file: str | Path | None,
    ssl_context: ssl.SSLContext | None,
    proxy: str | bool,
) -> TransportFactory:
    """TCP or TLS transports, through a proxy if one is chosen.

    Raises ValueError for a `ca_file` or a `proxy` that cannot be used, MissingExtra for a
    proxy without the extra.
    """
    ssl_context = trusted(ca_file, ssl_context)
    if endpoint.tls and ssl_context is None:
        ssl_context = _default_context()
    way = chosen_proxy(proxy, endpoint.host, endpoint.port, endpoint.tls)
    require_extra(way, "python_socks")
    return Network(ssl_context, way)


@cache
def _default_context() -> ssl.SSLContext:
    """One for all: reading the system's certificates takes some milliseconds."""
    return ssl.create_default_context()


def trusted(
    ca_file: str | Path | None, ssl_context: ssl.SSLContext | None
) -> ssl.SSLContext | None:
    """What the user chose. Raises ValueError for a `ca_file` that cannot be used."""
    if ca_file is None:
        return ssl_context
    if ssl_context is not None:
        raise ValueError("give either ca_file or ssl_context: the context knows its own")
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ValueError(f"ca_file {ca_file} has no certificates in PEM: {error}") from error


@dataclass(frozen=True)
class Network:
    """Makes TCP or TLS transports for the running event loop. Equal ones lead to the same place."""

    ssl_context: ssl.SSLContext | None = None
    proxy: Proxy | None = None

    def __call__(self, endpoint: Endpoint, driver: Driver) -> Transport:
        tls = self.ssl_context if endpoint.tls else None
        if on_asyncio():
            loop = asyncio.get_running_loop()
            if tls is None and isinstance(loop, asyncio.SelectorEventLoop):
                return SelectorTransport(endpoint, driver, tls, self.proxy)
            if tls is None and not isinstance(loop, asyncio.BaseEventLoop):
                return BytesTransport(endpoint, driver, tls, self.proxy)
            return AsyncioTransport(endpoint, driver, tls, self.proxy)
        return StreamTransport(endpoint, driver, tls, self.proxy)
