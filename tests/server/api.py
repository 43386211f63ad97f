"""The HTTP API of a SpacetimeDB server, as far as tests need it; uses nothing that is tested."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# A server on a busy machine compiles a module in Python for minutes.
TIMEOUT_SECONDS = 300


class ApiError(Exception):
    """The server refused a request: its status and its words."""

    def __init__(self, request: str, status: int, text: str) -> None:
        super().__init__(f"{request}: {status} {text}")
        self.status = status
        self.text = text


@dataclass(frozen=True)
class Identity:
    """An identity the server made, and the token that proves it."""

    identity: str
    token: str


@dataclass(frozen=True)
class Database:
    """A published database."""

    url: str
    name: str
    identity: str
    owner: Identity


class Api:
    """A server at `url`. Requests without a token are those of `owner`, who publishes databases."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        # No proxy of the environment: the server is ours.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ping(self) -> None:
        """Return when the server answers; `OSError` when nobody listens."""
        self._request("GET", "/v1/ping", timeout=2)

    def version(self) -> str:
        """The server's version, as in `1.2.0`."""
        return str(json.loads(self._request("GET", "/v1/health"))["version"])

    def identity(self) -> Identity:
        """A new identity."""
        return Identity(**json.loads(self._request("POST", "/v1/identity")))

    def short_lived_token(self, token: str) -> str:
        """One of the same identity that expires in a minute."""
        body = self._request("POST", "/v1/identity/websocket-token", b"", token)
        return str(json.loads(body)["token"])

    @cached_property
    def owner(self) -> Identity:
        """The identity that publishes."""
        return self.identity()

    def publish(self, name: str, wasm: bytes) -> Database:
        """Make a database from a module, or bring an existing one up to date."""
        body = self._request("PUT", f"/v1/database/{name}", wasm, self.owner.token)
        success = json.loads(body)["Success"]
        return Database(self.url, name, success["database_identity"], self.owner)

    def delete(self, database: str) -> None:
        """Delete a database of the owner, and disconnect its clients."""
        self._request("DELETE", f"/v1/database/{database}", token=self.owner.token)

    def call(
        self, database: str, reducer: str, args: Sequence[Any] = (), token: str | None = None
    ) -> None:
        """Call a reducer and wait for its end; one that fails is an `ApiError` with status 530."""
        body = json.dumps(list(args)).encode()
        self._request(
            "POST", f"/v1/database/{database}/call/{reducer}", body, token or self.owner.token
        )

    def sql(self, database: str, text: str, token: str | None = None) -> list[dict[str, Any]]:
        """Run one SQL statement; rows as a dict of untyped SATS-JSON by column name."""
        body = self._request(
            "POST", f"/v1/database/{database}/sql", text.encode(), token or self.owner.token
        )
        (result,) = json.loads(body)
        names = [element["name"]["some"] for element in result["schema"]["elements"]]
        return [dict(zip(names, row, strict=True)) for row in result["rows"]]

    def schema(self, database: str, version: int = 9) -> dict[str, Any]:
        """The raw module definition as the server gives it."""
        schema: dict[str, Any] = json.loads(
            self._request("GET", f"/v1/database/{database}/schema?version={version}")
        )
        return schema

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        token: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> bytes:
        headers: Mapping[str, str] = {"Content-Type": "application/json"}
        if token is not None:
            headers = {**headers, "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            with self._opener.open(request, timeout=timeout) as response:
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            raise ApiError(f"{method} {path}", error.code, text) from None
