"""The options of a connection one by one, in the words of SpacetimeDB's Rust SDK."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from typing_extensions import Self

from ._core import Identity
from .exceptions import SpacetimeDBError
from .reconnect import ReconnectAttempt, ReconnectPolicy
from .token_source import TokenSource

if TYPE_CHECKING:
    from .connection import DbConnection

_C = TypeVar("_C", bound="DbConnection")


class DbConnectionBuilder(Generic[_C]):
    """Each method sets one option of the constructor of `DbConnection` and returns the builder.

    A second call of a method replaces what the first one set.
    """

    def __init__(self, connection_class: type[_C]) -> None:
        self._connection_class = connection_class
        self._options: dict[str, Any] = {}

    def with_uri(self, uri: str) -> Self:
        return self._with(uri=uri)

    def with_database_name(self, database: str) -> Self:
        """A name or an identity."""
        return self._with(database=database)

    def with_token(self, token: TokenSource) -> Self:
        """A string, a `TokenStore`, a function that gives one, or None for a new identity."""
        return self._with(token=token)

    def with_token_refresh(self, seconds: float | None) -> Self:
        """Seconds before a token expires at which a function is asked again; None for never."""
        return self._with(token_refresh=seconds)

    def with_compression(self, compression: Literal["none", "gzip", "brotli"]) -> Self:
        return self._with(compression=compression)

    def with_reconnect(self, reconnect: bool | ReconnectPolicy) -> Self:
        """True, False, a `Reconnect`, or a function from `ReconnectAttempt` to seconds or None."""
        return self._with(reconnect=reconnect)

    def with_protocols(self, *protocols: Literal["v3", "v2", "v1"]) -> Self:
        """The protocol versions that are offered."""
        return self._with(protocols=protocols)

    def with_confirmed_reads(self, confirmed: bool | None) -> Self:
        """Whether the server tells of changes only once they are on disk."""
        return self._with(confirmed_reads=confirmed)

    def with_check_schema(self, check: bool) -> Self:
        """Whether the bindings are compared with the database while connecting."""
        return self._with(check_schema=check)

    def with_ping_interval(self, seconds: float | None) -> Self:
        """Seconds of the server's silence before it is pinged; None for never."""
        return self._with(ping_interval=seconds)

    def with_ping_timeout(self, seconds: float | None) -> Self:
        """Seconds until a ping must be answered; None for no limit."""
        return self._with(ping_timeout=seconds)

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """Further headers of the upgrade request."""
        return self._with(headers=headers)

    def with_ca_file(self, path: str | Path) -> Self:
        """A file of PEM certificates to trust instead of the system's."""
        return self._with(ca_file=path)

    def with_proxy(self, proxy: str | bool) -> Self:
        """An address, True for what the environment says, False for none."""
        return self._with(proxy=proxy)

    def with_capture(self, path: str | Path) -> Self:
        """A file to write all traffic to, for `spacetime-py replay`."""
        return self._with(capture=path)

    def with_connect_timeout(self, seconds: float | None) -> Self:
        return self._with(connect_timeout=seconds)

    def with_call_timeout(self, seconds: float | None) -> Self:
        return self._with(call_timeout=seconds)

    def with_max_message_size(self, size: int) -> Self:
        """In bytes, unpacked."""
        return self._with(max_message_size=size)

    def with_ssl_context(self, context: ssl.SSLContext) -> Self:
        return self._with(ssl_context=context)

    def on_connect(self, callback: Callable[[_C, Identity, str], object]) -> Self:
        """Called with (connection, identity, token)."""
        return self._with(on_connect=callback)

    def on_connect_error(self, callback: Callable[[_C, SpacetimeDBError], object]) -> Self:
        """Called with (connection, error) when entering the connection fails."""
        return self._with(on_connect_error=callback)

    def on_disconnect(self, callback: Callable[[_C, SpacetimeDBError | None], object]) -> Self:
        """Called with (connection, error); the error is None when this side closed."""
        return self._with(on_disconnect=callback)

    def on_reconnecting(self, callback: Callable[[_C, ReconnectAttempt], object]) -> Self:
        """Called with (connection, attempt) before each attempt is waited for."""
        return self._with(on_reconnecting=callback)

    def on_reconnected(self, callback: Callable[[_C], object]) -> Self:
        """Called with (connection) when the cache is up to date again."""
        return self._with(on_reconnected=callback)

    def on_callback_error(self, callback: Callable[[Exception], object]) -> Self:
        """Called with what a callback raised, after it was logged."""
        return self._with(on_callback_error=callback)

    def build(self) -> _C:
        """The connection, to be entered by `async with`. Raises ValueError for a missing option."""
        for option, method in (("uri", "with_uri"), ("database", "with_database_name")):
            if option not in self._options:
                raise ValueError(f"{method}() is missing before build()")
        return self._connection_class(**self._options)

    def _with(self, **options: object) -> Self:
        self._options.update(options)
        return self
