"""Tokens of HTTP clients, on a real server and on the peer: asked for, renewed, and not shown."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from spacetime_py import Credentials, HttpError, TokenStore, TokenUnavailable
from spacetime_py.http import AsyncHttpClient, HttpClient, auth, operations
from spacetime_py.redaction import Secrets
from tests.peer.process import Peer
from tests.server.api import Api, Database

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]


@pytest.fixture(scope="module", params=["1.2.0", "peer"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[Api, bytes]]:
    if request.param == "peer":
        with Peer() as peer:
            yield peer, b"native:chat"
    else:
        yield request.getfixturevalue("server"), request.getfixturevalue("chat_wasm")


@pytest.fixture
def api(place: tuple[Api, bytes]) -> Api:
    return place[0]


@pytest.fixture
def database(place: tuple[Api, bytes]) -> Iterator[Database]:
    api, wasm = place
    database = api.publish(f"chat-{uuid4().hex}", wasm)
    yield database
    api.delete(database.name)


Ask = Callable[[], Awaitable[object]]
Connect = Callable[..., Ask]


@pytest.fixture(params=["sync", "async"])
async def connect(
    request: pytest.FixtureRequest, database: Database
) -> AsyncIterator[Callable[..., tuple[Any, Ask]]]:
    """Gives a client with this token, and a request of it."""
    made: list[HttpClient | AsyncHttpClient] = []

    def client(token: Any) -> tuple[Any, Ask]:
        kind = HttpClient if request.param == "sync" else AsyncHttpClient
        http = kind(database.url, token)
        made.append(http)

        async def ask() -> object:
            answer: Any = http.sql(database.name, "SELECT * FROM message")
            return answer if isinstance(http, HttpClient) else await answer

        return http, ask

    yield client
    for http in made:
        if isinstance(http, HttpClient):
            http.close()
        else:
            await http.aclose()


def forged(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body}.{signature[::-1]}"


async def test_a_function_is_asked_once(connect: Any, api: Api) -> None:
    token = api.owner.token
    calls: list[None] = []

    def give() -> str:
        calls.append(None)
        return token

    _, ask = connect(give)
    for _ in range(3):
        await ask()
    assert len(calls) == 1


async def test_after_a_refusal_it_is_asked_again(connect: Any, api: Api) -> None:
    good = api.owner.token
    answers = iter([forged(good), good])
    _, ask = connect(lambda: next(answers))
    await ask()
    assert list(answers) == []


async def test_and_no_more_than_that(connect: Any, api: Api) -> None:
    bad = forged(api.owner.token)
    answers = iter([bad, bad, "not asked for"])
    _, ask = connect(lambda: next(answers))
    with pytest.raises(HttpError, match="give a valid token") as caught:
        await ask()
    assert caught.value.status == 401
    assert bad not in str(caught.value)
    assert list(answers) == ["not asked for"]


async def test_a_token_that_expires_soon_is_used_no_more(
    connect: Any, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def give() -> str:
        given.append(api.short_lived_token(api.owner.token))
        return given[-1]

    seconds = -30.0
    monkeypatch.setattr(auth, "now", lambda: time.time() + seconds)
    _, ask = connect(give)
    await ask()
    await ask()
    assert len(given) == 1
    seconds = 10.0
    await ask()
    assert len(given) == 2


async def test_a_store(connect: Any, api: Api, tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "tokens.json")
    _, ask = connect(store)
    await ask()
    assert not store.path.exists()
    store.set(api.url, Credentials(None, api.owner.token))
    _, ask = connect(store)
    await ask()


async def test_another_token(connect: Any, api: Api) -> None:
    http, ask = connect(forged(api.owner.token))
    with pytest.raises(HttpError):
        await ask()
    http.set_token(api.owner.token)
    await ask()
    http.set_token(None)
    await ask()


async def test_functions_that_are_async(database: Database) -> None:
    async def give() -> str:
        return database.owner.token

    async with AsyncHttpClient(database.url, give) as http:
        await http.sql(database.name, "SELECT * FROM message")
    refused = pytest.raises(TokenUnavailable, match="takes a plain function as `token`")
    with HttpClient(database.url, give) as client, refused:
        client.sql(database.name, "SELECT * FROM message")


def test_an_answer_that_holds_the_token() -> None:
    secrets = Secrets()
    secrets.add("a-secret-token")
    answer = operations.Answer(400, b"no a-secret-token here", hide=secrets.hide)
    error = operations.identity().error(answer)
    assert str(error) == "the server answered with HTTP 400: no [token] here"
