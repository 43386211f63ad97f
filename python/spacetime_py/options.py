"""The options of a connection: their types, for who passes them on, and checks."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any, Literal

from typing_extensions import TypedDict

from ._core import Identity
from .exceptions import SpacetimeDBError
from .reconnect import ReconnectAttempt, ReconnectPolicy
from .token_source import TokenSource
from .transport import TransportFactory


class ConnectionOptions(TypedDict, total=False):
    """What `DbConnection` takes beside its address."""

    token: TokenSource
    token_refresh: float | None
    reconnect: bool | ReconnectPolicy
    compression: Literal["none", "gzip", "brotli"]
    protocols: Sequence[Literal["v3", "v2", "v1"]]
    confirmed_reads: bool | None
    connect_timeout: float | None
    call_timeout: float | None
    max_message_size: int
    ping_interval: float | None
    ping_timeout: float | None
    headers: Mapping[str, str] | None
    ca_file: str | Path | None
    ssl_context: ssl.SSLContext | None
    proxy: str | bool
    transport: TransportFactory | None
    check_schema: bool
    capture: str | Path | None
    on_connect: Callable[[Any, Identity, str], object] | None
    on_connect_error: Callable[[Any, SpacetimeDBError], object] | None
    on_disconnect: Callable[[Any, SpacetimeDBError | None], object] | None
    on_reconnecting: Callable[[Any, ReconnectAttempt], object] | None
    on_reconnected: Callable[[Any], object] | None
    on_callback_error: Callable[[Exception], object] | None


class AddressedOptions(ConnectionOptions, total=False):
    """All that `DbConnection` takes."""

    uri: str
    database: str


def checked_seconds(name: str, seconds: float | None) -> float | None:
    """The option of this name. Raises TypeError, ValueError."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, Real):
        raise TypeError(f"{name} is a number of seconds or None, not {seconds!r}")
    if not seconds >= 0:
        raise ValueError(f"{name} is 0 seconds or more, or None, not {seconds!r}")
    return float(seconds)
