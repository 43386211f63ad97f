"""Do the bindings fit the database? Asked over HTTP while a connection is being made.

docs/decisions/0013-bindings-are-compared.md says why so. Before this file: `link.py`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import quote

import anyio
from typing_extensions import Buffer

from ._core import Module
from .exceptions import CodegenError, SchemaMismatchError
from .logs import connection_log
from .transport import Driver, Endpoint, TransportFactory, event_class

if TYPE_CHECKING:
    import socket

# Seconds that entering a connection waits for the answer, which is a help and no condition.
_PATIENCE = 2.0
# Bytes that a server may answer with.
_LIMIT = 1 << 26
# Misfits that a message names.
_NAMED = 5


class Misfit(NamedTuple):
    """A part of the bindings that is not so in the database."""

    kind: str
    """table, reducer or procedure."""
    name: str
    problem: str
    is_missing: bool

    def __str__(self) -> str:
        return f"{self.kind} `{self.name}`: {self.problem}"


class Fit:
    """What was found, for one connection with its reconnects."""

    def __init__(
        self,
        module: Module,
        endpoint: Endpoint,
        database: str,
        headers: Mapping[str, str],
    ) -> None:
        self._module = module
        self._endpoint = endpoint
        self._where = f"the database `{database}` at {endpoint.authority}"
        self._database = database
        self._headers = headers
        self.found: Sequence[Misfit] = ()

    async def ask(self, factory: TransportFactory, token: str | None) -> Sequence[Misfit] | None:
        """What does not fit; None where the server does not tell. The user is told what is new."""
        request = _request(self._endpoint, self._database, token, self._headers)
        try:
            with anyio.fail_after(_PATIENCE):
                answer = await _exchange(factory, self._endpoint, request)
            found = _misfits(self._module, _body(answer))
        except (OSError, HTTPException, ValueError, CodegenError, SchemaMismatchError) as error:
            connection_log.debug("cannot compare the bindings with %s: %r", self._where, error)
            return None
        if found and found != self.found and not self.is_another_module(found):
            connection_log.warning("%s", self._said(found))
        self.found = found
        return found

    def is_another_module(self, found: Sequence[Misfit]) -> bool:
        """Whether the database has nothing of these bindings."""
        return len(found) == self._module.parts and all(misfit.is_missing for misfit in found)

    def another_module(self) -> SchemaMismatchError:
        return SchemaMismatchError(
            f"{self._where} runs another module: it has no table and no reducer of these bindings; "
            "check its name, or run `spacetime-py generate` again"
        )

    def refused_rows(self, found: Sequence[Misfit]) -> dict[int, str]:
        """What to say of rows of tables that are there and differ, by the tables' numbers."""
        differing = [misfit for misfit in found if misfit.kind == "table" and not misfit.is_missing]
        names = self._module.table_names
        return {names.index(misfit.name): self._said([misfit]) for misfit in differing}

    def check_call(self, kind: str, name: str) -> None:
        """Raises SchemaMismatchError for a reducer or procedure that is not as in the bindings."""
        for misfit in self.found:
            if (misfit.kind, misfit.name) == (kind, name):
                raise SchemaMismatchError(self._said([misfit]))

    def _said(self, found: Sequence[Misfit]) -> str:
        named = "; ".join(map(str, found[:_NAMED]))
        more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        remedy = "run `spacetime-py generate` again"
        return f"these bindings do not fit {self._where}: {named}{more}: {remedy}"


# Connections of one program are mostly to one database.
@lru_cache(maxsize=8)
def _misfits(module: Module, schema: str) -> Sequence[Misfit]:
    return tuple(Misfit(*each) for each in module.misfits(schema))


def _request(
    endpoint: Endpoint, database: str, token: str | None, headers: Mapping[str, str]
) -> bytes:
    """Version 9 is the one that all servers have."""
    lines = [
        f"GET /v1/database/{quote(database, safe='')}/schema?version=9 HTTP/1.1",
        f"Host: {endpoint.authority}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
        *([] if token is None else [f"Authorization: Bearer {token}"]),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def _exchange(factory: TransportFactory, endpoint: Endpoint, request: bytes) -> bytes:
    """One request, and everything that comes until the server ends the socket."""
    received = bytearray()
    ended = event_class()()
    to_send = [request]

    def on_data(data: Buffer) -> None:
        received.extend(memoryview(data))
        if len(received) > _LIMIT:
            transport.abort()

    def on_end(_: Exception | None) -> None:
        ended.set()

    driver = Driver(on_data, on_end, lambda: to_send.pop() if to_send else b"")
    transport = factory(endpoint, driver)
    async with transport:
        try:
            await transport.connect()
            transport.flush()
            await ended.wait()
        finally:
            transport.abort()
            with anyio.CancelScope(shield=True):
                await transport.wait_ended()
    return bytes(received)


class _Received:
    """What HTTPResponse takes for a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._data)


def _body(answer: bytes) -> str:
    """Raises HTTPException for no answer or a refusal."""
    response = HTTPResponse(cast("socket.socket", _Received(answer)))
    response.begin()
    body = response.read()
    if response.status != 200:
        raise HTTPException(f"HTTP {response.status}")
    return body.decode()
