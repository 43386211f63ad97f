"""The two clients of the HTTP API: one awaits, one blocks. They differ in nothing else."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from typing_extensions import Self, TypedDict, Unpack

from .._core import Identity
from ..addresses import token_of_environment, uri_of_environment
from ..exceptions import ConnectError, HttpError
from ..logs import http_log
from ..proxies import Proxy, chosen_proxy, require_extra
from ..redaction import hide_answered_tokens, shown_url
from ..token_source import TokenSource
from . import operations as op
from .auth import Bearer
from .models import (
    CallResult,
    DatabaseInfo,
    IdentityToken,
    LogLine,
    Migration,
    Published,
    SqlResult,
)

T = TypeVar("T")

_TIMEOUT = 60.0
"""Seconds; publishing compiles a module."""


class HttpOptions(TypedDict, total=False):
    """What the clients take."""

    uri: str
    token: TokenSource
    timeout: float | None
    proxy: str | bool
    headers: Mapping[str, str] | None
    ssl_context: ssl.SSLContext | None


class _Base:
    def __init__(
        self,
        uri: str,
        token: TokenSource,
        *,
        timeout: float | None,
        proxy: str | bool,
        headers: Mapping[str, str] | None,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        hide_answered_tokens()
        self.uri = base_uri(uri)
        self._auth = Bearer(token, self.uri)
        self._headers = headers or {}
        is_tls = self.uri.startswith("https:")
        self._proxy = _proxy_for(proxy, self.uri, is_tls)
        # The system's certificates. Loading them takes a while: not where there is no TLS.
        system = ssl.create_default_context if is_tls else bool
        self._httpx_options: dict[str, Any] = {
            "auth": self._auth,
            "timeout": timeout,
            "verify": ssl_context or system(),
            "proxy": _in_httpx(self._proxy),
            # httpx would read the environment in its own way.
            "trust_env": False,
        }
        self._schemas: dict[str, dict[str, Any]] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shown_url(self.uri)!r})"

    @classmethod
    def from_env(cls, **options: Unpack[HttpOptions]) -> Self:
        """From SPACETIMEDB_URI and SPACETIMEDB_TOKEN, which may be missing.

        What is given here wins over the environment. Raises ValueError with the variable that is
        missing or wrong.
        """
        found: dict[str, Any] = {**options}
        if "uri" not in found:
            found["uri"] = uri_of_environment()
        if "token" not in found:
            found["token"] = token_of_environment()
        return cls(**found)

    def set_token(self, token: TokenSource) -> None:
        """Who you are from the next request on."""
        self._auth.replace(token)

    def _arguments(self, operation: op.Operation[Any]) -> dict[str, Any]:
        headers = dict(self._headers)
        if operation.content_type is not None:
            headers["Content-Type"] = operation.content_type
        return {
            "method": operation.method,
            "url": self.uri + operation.path,
            "params": dict(operation.params),
            "content": operation.content,
            "headers": headers,
        }

    def _answer(self, response: httpx.Response) -> op.Answer:
        request = response.request
        http_log.debug("%s %s: %d", request.method, request.url.path, response.status_code)
        uri, hide = shown_url(self.uri), self._auth.secrets.hide
        return op.Answer(response.status_code, response.content, response.headers, uri, hide)

    def _unreachable(self, error: Exception) -> ConnectError:
        reason = str(error) or type(error).__name__
        advice = "is the server running? `spacetime start` starts one"
        way = ""
        if self._proxy is not None:
            way = f" through the proxy {self._proxy}"
            advice = f"is that one right, which is named by {self._proxy.said_by}?"
        return ConnectError(f"cannot reach {shown_url(self.uri)}{way} ({reason}): {advice}")


def _proxy_for(proxy: str | bool, uri: str, tls: bool) -> Proxy | None:
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port or (443 if tls else 80)
    except ValueError:
        return None  # httpx says what is wrong with it
    found = chosen_proxy(proxy, host, port, tls)
    if found is not None and found.scheme != "http":
        require_extra(found, "socksio")
    return found


def _in_httpx(proxy: Proxy | None) -> httpx.Proxy | None:
    if proxy is None:
        return None
    # httpx leaves names of hosts to the proxy in either case.
    address = str(proxy).replace("socks5h:", "socks5:")
    auth = None if proxy.user is None else (proxy.user, proxy.password or "")
    return httpx.Proxy(address, auth=auth)


_HTTP_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}


def base_uri(uri: str) -> str:
    """`uri` for HTTP: `ws` addresses are those of the same server, and `http` is the default.

    Raises ValueError for any other scheme.
    """
    scheme, _, rest = (uri if "://" in uri else f"http://{uri}").partition("://")
    http, rest = _HTTP_SCHEMES.get(scheme.lower()), rest.rstrip("/")
    if http is None or not rest:
        raise ValueError(
            f"uri {shown_url(uri)!r} is none of http://HOST[:PORT], https://HOST[:PORT], "
            "HOST[:PORT]"
        )
    return f"{http}://{rest}"


class HttpClient(_Base):
    """A server by its HTTP API, for programs that do not await.

    Use it in a `with` block. Its methods raise ConnectError where nobody answers and HttpError
    where the server refuses, and what is named with each of them.

    Args:
        uri: The server, as in `http://127.0.0.1:3000`.
        token: Who you are: a string, or a `TokenStore` or a function to have it from, which are
            asked before the first request, shortly before the token expires, and after a 401.
            Without one the server makes a new identity for each request.
        timeout: Seconds for each request; None for no limit.
        proxy: http:// or socks5://[USER:PASSWORD@]HOST[:PORT]; True for what the environment says,
            False for none. SOCKS takes the extra `proxy`.
        headers: Further headers of each request, for a proxy in front of the server say.
        ssl_context: For https://; None for one that checks certificates.

    Raises ValueError for a bad uri, token or proxy, MissingExtra for SOCKS without the extra.
    """

    def __init__(
        self,
        uri: str,
        token: TokenSource = None,
        *,
        timeout: float | None = _TIMEOUT,
        proxy: str | bool = True,
        headers: Mapping[str, str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            uri, token, timeout=timeout, proxy=proxy, headers=headers, ssl_context=ssl_context
        )
        self._http = httpx.Client(**self._httpx_options)

    def _send(self, operation: op.Operation[T]) -> T:
        try:
            response = self._http.request(**self._arguments(operation))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error
        return operation.result(self._answer(response))

    def version(self) -> str:
        """The server's version, as in `1.2.0`."""
        return self._send(op.version())

    def identity(self) -> IdentityToken:
        """A new identity and its token."""
        return self._send(op.identity())

    def databases(self, owner: Identity) -> list[Identity]:
        """The databases of an identity."""
        return self._send(op.databases(owner))

    def info(self, database: str) -> DatabaseInfo:
        """Whose database it is, by its name or identity."""
        return self._send(op.info(database))

    def publish(
        self,
        name: str | None,
        module: bytes,
        *,
        clear: bool = False,
        policy: str | None = None,
        migration_token: str | None = None,
    ) -> Published:
        """Make a database of a wasm module, or bring an existing one up to date.

        Args:
            name: None for a database that has only its identity.
            module: The wasm file's bytes.
            clear: Delete the rows of an existing database.
            policy: `BreakClients` to allow what `prepare` said would break clients.
            migration_token: The token that `prepare` gave.
        """
        self._schemas.pop(name or "", None)
        return self._send(op.publish(name, module, clear, policy, migration_token))

    def prepare(self, name: str, module: bytes) -> Migration:
        """What publishing would do to an existing database, on servers from 1.6 on."""
        return self._send(op.prepare(name, module))

    def delete(self, database: str) -> None:
        """Delete a database; its clients are disconnected."""
        self._send(op.delete(database))

    def names(self, database: str) -> list[str]:
        """The names of a database."""
        return self._send(op.names(database))

    def set_names(self, database: str, names: Sequence[str]) -> None:
        """Give a database these names in the place of those it has."""
        self._send(op.set_names(database, names))

    def schema(self, database: str) -> dict[str, Any]:
        """The module's definition as JSON: version 10 from servers that have it, else 9."""
        try:
            return self._send(op.schema(database, 10))
        except HttpError as error:
            if error.status != 400:
                raise
            return self._send(op.schema(database, 9))

    def sql(self, database: str, query: str) -> SqlResult:
        """Run one SQL statement. Raises QueryError with the server's words."""
        return self._send(op.sql(database, query))

    def call(self, database: str, function: str, *arguments: Any) -> CallResult:
        """Call a reducer or procedure and wait for its end.

        The first call of a database asks for its schema, by which the arguments are checked.
        Raises EncodeError, SenderError, InternalError.
        """
        if database not in self._schemas:
            self._schemas[database] = self.schema(database)
        text = op.arguments_json(self._schemas[database], function, arguments)
        return self.call_json(database, function, text)

    def call_json(self, database: str, function: str, arguments: str) -> CallResult:
        """The same with arguments as JSON text: an array, or an object by parameter names."""
        return self._send(op.call(database, function, arguments))

    def logs(
        self, database: str, *, lines: int | None = None, follow: bool = False
    ) -> Iterator[LogLine]:
        """The last lines of the database's log, for its owner; with `follow` those to come too."""
        operation = op.logs(database, lines, follow)
        arguments = self._arguments(operation)
        timeout = _log_timeout(follow)
        try:
            with self._http.stream(**arguments, timeout=timeout) as response:
                if response.status_code != 200:
                    response.read()
                    raise operation.error(self._answer(response))
                yield from (op.log_line(line) for line in response.iter_lines() if line)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Close the sockets."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _log_timeout(follow: bool) -> httpx.Timeout:
    return httpx.Timeout(_TIMEOUT, read=None if follow else _TIMEOUT)


class AsyncHttpClient(_Base):
    """A server by its HTTP API. Use it in an `async with` block; see HttpClient for the methods."""

    def __init__(
        self,
        uri: str,
        token: TokenSource = None,
        *,
        timeout: float | None = _TIMEOUT,
        proxy: str | bool = True,
        headers: Mapping[str, str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            uri, token, timeout=timeout, proxy=proxy, headers=headers, ssl_context=ssl_context
        )
        self._http = httpx.AsyncClient(**self._httpx_options)

    async def _send(self, operation: op.Operation[T]) -> T:
        try:
            response = await self._http.request(**self._arguments(operation))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error) from error
        return operation.result(self._answer(response))

    async def version(self) -> str:
        """The server's version, as in `1.2.0`."""
        return await self._send(op.version())

    async def identity(self) -> IdentityToken:
        """A new identity and its token."""
        return await self._send(op.identity())

    async def databases(self, owner: Identity) -> list[Identity]:
        """The databases of an identity."""
        return await self._send(op.databases(owner))

    async def info(self, database: str) -> DatabaseInfo:
        """Whose database it is, by its name or identity."""
        return await self._send(op.info(database))

    async def publish(
        self,
        name: str | None,
        module: bytes,
        *,
        clear: bool = False,
        policy: str | None = None,
        migration_token: str | None = None,
    ) -> Published:
        """Make a database of a wasm module, or bring an existing one up to date."""
        self._schemas.pop(name or "", None)
        return await self._send(op.publish(name, module, clear, policy, migration_token))

    async def prepare(self, name: str, module: bytes) -> Migration:
        """What publishing would do to an existing database, on servers from 1.6 on."""
        return await self._send(op.prepare(name, module))

    async def delete(self, database: str) -> None:
        """Delete a database; its clients are disconnected."""
        await self._send(op.delete(database))

    async def names(self, database: str) -> list[str]:
        """The names of a database."""
        return await self._send(op.names(database))

    async def set_names(self, database: str, names: Sequence[str]) -> None:
        """Give a database these names in the place of those it has."""
        await self._send(op.set_names(database, names))

    async def schema(self, database: str) -> dict[str, Any]:
        """The module's definition as JSON: version 10 from servers that have it, else 9."""
        try:
            return await self._send(op.schema(database, 10))
        except HttpError as error:
            if error.status != 400:
                raise
            return await self._send(op.schema(database, 9))

    async def sql(self, database: str, query: str) -> SqlResult:
        """Run one SQL statement. Raises QueryError with the server's words."""
        return await self._send(op.sql(database, query))

    async def call(self, database: str, function: str, *arguments: Any) -> CallResult:
        """Call a reducer or procedure and wait for its end."""
        if database not in self._schemas:
            self._schemas[database] = await self.schema(database)
        text = op.arguments_json(self._schemas[database], function, arguments)
        return await self.call_json(database, function, text)

    async def call_json(self, database: str, function: str, arguments: str) -> CallResult:
        """The same with arguments as JSON text: an array, or an object by parameter names."""
        return await self._send(op.call(database, function, arguments))

    async def logs(
        self, database: str, *, lines: int | None = None, follow: bool = False
    ) -> AsyncGenerator[LogLine, None]:
        """The last lines of the database's log, for its owner; with `follow` those to come too.

        Who breaks out of the loop closes it, by `contextlib.aclosing`.
        """
        operation = op.logs(database, lines, follow)
        arguments = self._arguments(operation)
        timeout = _log_timeout(follow)
        try:
            async with self._http.stream(**arguments, timeout=timeout) as response:
                if response.status_code != 200:
                    await response.aread()
                    raise operation.error(self._answer(response))
                async for line in response.aiter_lines():
                    if line:
                        yield op.log_line(line)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    async def aclose(self) -> None:
        """Close the sockets."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
