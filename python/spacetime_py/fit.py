"""Do the bindings fit the database? Asked over HTTP while a connection is being made.

docs/decisions/0013-bindings-are-compared.md says why so. Before this file: `link.py`.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import lru_cache, partial
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import quote
from weakref import WeakValueDictionary

import anyio
from anyio.lowlevel import RunVar
from typing_extensions import Buffer

from ._core import Module
from .event_loop import Event
from .exceptions import CodegenError, SchemaMismatchError
from .logs import connection_log
from .transport import Driver, Endpoint, TransportFactory

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


Answer = Sequence[Misfit] | Exception
"""What does not fit, or why that is not known."""


class _Question:
    """Asked once for all connections that come meanwhile: a thousand need not ask a thousand times.

    One request is under way at a time. Who comes later than it waits for the next one, so that no
    answer is older than who takes it.
    """

    def __init__(self) -> None:
        # Requests that were begun, and which of them was the last that was answered.
        self._asked = 0
        self._answered = 0
        self._answer: Answer = ()
        self._under_way: Event | None = None

    async def answer(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        asked_before = self._asked
        while self._answered <= asked_before:
            if self._under_way is None:
                await self._ask(ask)
            else:
                await self._under_way.wait()
        return self._answer

    async def _ask(self, ask: Callable[[], Awaitable[Answer]]) -> None:
        ended = self._under_way = Event()
        self._asked += 1
        try:
            self._answer = await ask()
            self._answered = self._asked
        finally:
            self._under_way = None
            ended.set()


_questions = RunVar[MutableMapping[object, _Question]]("questions")


def _question(*key: object) -> _Question:
    """That of this event loop, which lives as long as somebody asks it."""
    try:
        questions = _questions.get()
    except LookupError:
        _questions.set(questions := WeakValueDictionary())
    found = questions.get(key)
    if found is None:
        found = questions[key] = _Question()
    return found


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
        question = _question(self._module, factory, self._endpoint, request)
        found: Answer = TimeoutError(f"no answer within {_PATIENCE:g} s")
        with anyio.move_on_after(_PATIENCE):
            found = await question.answer(partial(self._look, factory, request))
        if isinstance(found, Exception):
            connection_log.debug("cannot compare the bindings with %s: %r", self._where, found)
            return None
        if found and found != self.found and not self.is_another_module(found):
            connection_log.warning("%s", self._said(found))
        self.found = found
        return found

    async def _look(self, factory: TransportFactory, request: bytes) -> Answer:
        try:
            return _misfits(self._module, _body(await _exchange(factory, self._endpoint, request)))
        except (OSError, HTTPException, ValueError, CodegenError, SchemaMismatchError) as error:
            return error

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
    ended = Event()
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
