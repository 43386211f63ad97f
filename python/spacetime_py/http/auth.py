"""The `Authorization` of each request. Before this file: `client.py`, which gives it to httpx."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import httpx

from ..jwt import expires_at
from ..redaction import Secrets
from ..token_source import TokenSource, ask, ask_blocking, checked_source
from ..tokens import now

_MARGIN = 60.0
"""Seconds before its expiry at which a token is used no more."""
_UNAUTHORIZED = 401


class Bearer(httpx.Auth):
    """Asks the source for a token when there is none, before it expires, and after a 401.

    Raises TypeError and ValueError for what is no source; requests raise TokenUnavailable.
    """

    def __init__(self, source: TokenSource, uri: str) -> None:
        self._uri = uri
        self.secrets = Secrets()
        self.replace(source)

    def replace(self, source: TokenSource) -> None:
        """Another source from the next request on."""
        self._source = checked_source(source)
        self._token = self._source if isinstance(self._source, str) else None
        self.secrets.add(self._token)

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        if self._is_due():
            self._take(ask_blocking(self._source, self._uri))
        response = yield self._signed(request)
        if response.status_code == _UNAUTHORIZED and self._is_renewable():
            self._take(ask_blocking(self._source, self._uri))
            yield self._signed(request)

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if self._is_due():
            self._take(await ask(self._source, self._uri))
        response = yield self._signed(request)
        if response.status_code == _UNAUTHORIZED and self._is_renewable():
            self._take(await ask(self._source, self._uri))
            yield self._signed(request)

    def _is_renewable(self) -> bool:
        return not isinstance(self._source, str | None)

    def _is_due(self) -> bool:
        if not self._is_renewable():
            return False
        expiry = None if self._token is None else expires_at(self._token)
        return self._token is None or (expiry is not None and expiry - _MARGIN <= now())

    def _take(self, token: str | None) -> None:
        self._token = token
        self.secrets.add(token)

    def _signed(self, request: httpx.Request) -> httpx.Request:
        request.headers.pop("Authorization", None)
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request
