"""Tokens from functions and stores, a token set while connected, and newer ones before the expiry:
what docs/topics/auth.md promises, and no server produces on demand."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from examples.chat.module_bindings import DbConnection
from spacetime_py import (
    AuthenticationError,
    CallTimeout,
    ConnectionClosed,
    ConnectionLost,
    ConnectionStatus,
    ConnectTimeout,
    Credentials,
    CredentialsError,
    Identity,
    IdentityChanged,
    Reconnect,
    TokenStore,
    TokenUnavailable,
    sync,
    tokens,
)

from . import wire
from .peer import PATIENCE, Peer, Peers, until
from .test_streams import ALICE, BOB, USERS, user
from .tokens import jwt

pytestmark = pytest.mark.anyio

REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 7\r\n\r\ninvalid"


def bearer(peer: Peer) -> str | None:
    """The token that the peer was shown."""
    for line in peer.request.decode().split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "authorization":
            return value.removeprefix("Bearer ")
    return None


def named(token: str, identity: bytes = wire.ME) -> Peer:
    """A peer that takes everybody for this one, and echoes the token as servers do."""
    peer = Peer()
    peer.token, peer.identity = token, identity
    return peer


def refusing() -> Peer:
    peer = Peer()
    peer.refusal = REFUSED
    return peer


def connection_to(*peers: Peer, **options: Any) -> DbConnection:
    """One peer after the other."""
    options = {"reconnect": Reconnect(base=0), **options}
    return DbConnection(
        uri="http://localhost:3000", database="chat", transport=Peers(*peers), **options
    )


async def reconnected(connection: DbConnection, peer: Peer) -> None:
    """Lose the peer, and have the next one."""
    peer.end()
    await connection.wait_connected()


# ---------------------------------------------------------------- functions


def numbered() -> Callable[[], str]:
    numbers = iter(range(1, 100))
    return lambda: f"token-number-{next(numbers)}"


def as_async(function: Callable[[], str]) -> Callable[[], Awaitable[str]]:
    async def give() -> str:
        await anyio.sleep(0)
        return function()

    return give


WAYS: list[Callable[[Callable[[], str]], Any]] = [
    lambda function: function,
    as_async,
    lambda function: lambda: as_async(function)(),
]


@pytest.mark.parametrize("way", WAYS, ids=["function", "async function", "gives an awaitable"])
async def test_a_function_is_called_at_each_attempt(way: Callable[..., Any]) -> None:
    peers = [named("token-number-1"), refusing(), named("token-number-3")]
    peers[1].refusal = REFUSED.replace(b"401", b"503")
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers, token=way(numbered())) as connection:
            assert connection.token == "token-number-1"
            await reconnected(connection, peers[0])
            assert connection.token == "token-number-3"
    assert [bearer(peer) for peer in peers] == [f"token-number-{n}" for n in (1, 2, 3)]


async def test_a_function_that_gives_none_means_who_one_is() -> None:
    peers = [named("from-the-server"), named("from-the-server")]
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers, token=lambda: None) as connection:
            await reconnected(connection, peers[0])
    assert [bearer(peer) for peer in peers] == [None, "from-the-server"]


async def test_a_function_that_fails() -> None:
    def fail() -> str:
        raise OSError("with a secret in it")

    connection = connection_to(Peer(), token=fail)
    with anyio.fail_after(PATIENCE), pytest.raises(TokenUnavailable) as caught:
        async with connection:
            pass
    assert str(caught.value) == "the function given as `token` gave none, OSError"
    assert isinstance(_root(caught.value), OSError)


def _root(error: BaseException) -> BaseException:
    return error if error.__cause__ is None else _root(error.__cause__)


@pytest.mark.parametrize(
    ("given", "words"),
    [(5, "not int"), ("  ", "empty"), ("two words", "characters that no token has")],
)
async def test_a_function_that_gives_no_token(given: Any, words: str) -> None:
    with anyio.fail_after(PATIENCE), pytest.raises(TokenUnavailable, match=words) as caught:
        async with connection_to(Peer(), token=lambda: given):
            pass
    assert "two words" not in str(caught.value)


async def test_a_good_token_outlives_a_function_that_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    good = jwt("me", time.time() + 3600)
    answers = iter([good])
    peers = [named(good), named(good)]
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers, token=lambda: next(answers)) as connection:
            await reconnected(connection, peers[0])
    assert [bearer(peer) for peer in peers] == [good, good]
    assert "the one before is presented again" in caplog.text


async def test_an_expired_one_does_not_and_the_policy_decides() -> None:
    expired, good = jwt("me", time.time() - 1), jwt("me", time.time() + 3600)
    answers = iter([expired, None, good])

    def give() -> str:
        if (answer := next(answers)) is None:
            raise OSError("no network")
        return answer

    attempts: list[Any] = []
    # The failed attempt has a peer as well, that hears nothing.
    peers = [named(expired), Peer(), named(good)]
    with anyio.fail_after(PATIENCE):
        async with connection_to(
            *peers,
            token=give,
            token_refresh=None,
            on_reconnecting=lambda _, attempt: attempts.append(attempt.error),
        ) as connection:
            await reconnected(connection, peers[0])
    assert (peers[1].request, bearer(peers[2])) == (b"", good)
    assert [type(error) for error in attempts] == [ConnectionLost, TokenUnavailable]


async def test_a_function_is_no_way_around_the_connect_timeout() -> None:
    connection = connection_to(Peer(), token=anyio.sleep_forever, connect_timeout=0.01)
    with anyio.fail_after(PATIENCE), pytest.raises(ConnectTimeout):
        async with connection:
            pass


async def test_closing_while_a_function_is_waited_for() -> None:
    is_called = anyio.Event()

    async def give() -> str:
        if is_called.is_set():
            await anyio.sleep_forever()
        is_called.set()
        return "token-number-1"

    first = named("token-number-1")
    with anyio.fail_after(PATIENCE):
        async with connection_to(first, Peer(), token=give) as connection:
            first.end()
            await anyio.wait_all_tasks_blocked()
            await connection.close()
        await connection.wait_closed()


@pytest.mark.parametrize("token", [5, b"bytes", ["a"], {"a": "b"}])
def test_what_is_no_source(token: Any) -> None:
    with pytest.raises(TypeError, match=r"token is a str, a TokenStore, a function"):
        connection_to(Peer(), token=token)


@pytest.mark.parametrize("token", ["", "two words", "umläut", "a\r\nX-Evil: 1"])
def test_a_string_that_is_no_token(token: str) -> None:
    with pytest.raises(ValueError, match="the token ") as caught:
        connection_to(Peer(), token=token)
    assert not token or token not in str(caught.value)


# ---------------------------------------------------------------- stores


async def test_a_store_keeps_what_the_server_gives(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "tokens.json")
    with anyio.fail_after(PATIENCE):
        async with connection_to(named("a-new-token"), token=store):
            pass
        kept = store.get("ws://LOCALHOST:3000")
        assert kept == Credentials(str(Identity.from_bytes(wire.ME[::-1])), "a-new-token")
        again = named("a-new-token")
        stamp = store.path.stat().st_mtime_ns
        async with connection_to(again, token=store):
            pass
    assert bearer(again) == "a-new-token"
    assert store.path.stat().st_mtime_ns == stamp


async def test_a_store_that_cannot_be_read(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "tokens.json")
    store.path.write_text("nonsense")
    with anyio.fail_after(PATIENCE), pytest.raises(TokenUnavailable, match="is no file of tokens"):
        async with connection_to(Peer(), token=store):
            pass


async def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = TokenStore(tmp_path / "file" / "tokens.json")

    class Empty:
        set = store.set

        def get(self, uri: str) -> None:
            return None

    with anyio.fail_after(PATIENCE), pytest.raises(CredentialsError, match="cannot read"):
        async with connection_to(Peer(), token=Empty()):
            pass


# ---------------------------------------------------------------- a token set while connected


async def test_a_token_is_set_and_nothing_else_changes() -> None:
    peers = [named("the-first-token"), named("the-second-token"), named("the-second-token")]
    peers[0].rows = {"user": [user(ALICE)]}
    peers[1].rows = {"user": [user(ALICE), user(BOB)]}
    heard: list[Identity] = []
    told: list[object] = []
    with anyio.fail_after(PATIENCE):
        async with connection_to(
            *peers,
            token="the-first-token",
            on_connect=lambda *_: told.append("connected"),
            on_reconnected=lambda _: told.append("reconnected"),
            on_disconnect=lambda *_: told.append("disconnected"),
        ) as connection:
            handle = await connection.subscribe(USERS)
            connection.db.user.on_insert(lambda _, row: heard.append(row.identity))
            await connection.set_token("the-second-token")
            assert connection.state.status is ConnectionStatus.CONNECTED
            assert connection.token == "the-second-token"
            assert (heard, handle.is_active) == ([BOB], True)
            assert told == ["connected", "reconnected"]
            assert peers[0].received[-1] == wire.Close(1000, "")
            await reconnected(connection, peers[1])
    assert [bearer(peer) for peer in peers] == [peer.token for peer in peers]


async def test_calls_in_flight_when_a_token_is_set() -> None:
    peers = [Peer(), Peer()]
    peers[0].answers = False
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers) as connection:
            call = connection.reducers.send_message("hello")
            await connection.set_token("the-second-token")
            with pytest.raises(ConnectionLost, match="sets another token") as caught:
                await call
    assert (caught.value.maybe_executed, caught.value.by_us) == (True, True)


async def test_without_a_policy_a_token_can_be_set() -> None:
    peers = [Peer(), named("the-second-token")]
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers, reconnect=False) as connection:
            await connection.set_token("the-second-token")
            assert connection.is_active
    assert bearer(peers[1]) == "the-second-token"


async def test_a_refused_token_is_given_up_for_the_one_before() -> None:
    peers = [named("the-first-token"), refusing(), named("the-first-token")]
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers, token="the-first-token", reconnect=False) as connection:
            with pytest.raises(AuthenticationError, match="invalid"):
                await connection.set_token("the-second-token")
            assert connection.is_active
            assert connection.token == "the-first-token"
    assert bearer(peers[2]) == "the-first-token"


async def test_a_function_that_fails_is_given_up_for_the_one_before() -> None:
    peers = [named("the-first-token"), Peer(), named("the-first-token")]

    def fail() -> str:
        raise OSError

    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers, token="the-first-token") as connection:
            with pytest.raises(TokenUnavailable):
                await connection.set_token(fail)
            assert connection.is_active
    assert bearer(peers[2]) == "the-first-token"


async def test_a_token_of_somebody_else_is_given_up() -> None:
    peers = [named("the-first-token"), named("a-strangers", bytes(32)), named("the-first-token")]
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers, token="the-first-token") as connection:
            with pytest.raises(IdentityChanged, match="somebody else"):
                await connection.set_token("a-strangers")
            assert connection.is_active
            assert (connection.identity, connection.token) == (
                Identity.from_bytes(wire.ME[::-1]),
                "the-first-token",
            )
    assert bearer(peers[2]) == "the-first-token"


async def test_a_new_identity_if_that_is_wanted() -> None:
    other = bytes(31) + b"\1"
    peers = [Peer(), refusing(), named("anothers", other), named("anothers", other)]
    peers[1].refusal = REFUSED.replace(b"401", b"503")
    peers[0].rows = {"user": [user(ALICE)]}
    peers[2].rows = peers[3].rows = {"user": [user(BOB)]}
    heard: list[tuple[str, Identity]] = []
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers) as connection:
            await connection.subscribe(USERS)
            connection.db.user.on_insert(lambda _, row: heard.append(("+", row.identity)))
            connection.db.user.on_delete(lambda _, row: heard.append(("-", row.identity)))
            await connection.set_token("anothers", new_identity=True)
            assert connection.identity == Identity.from_bytes(other[::-1])
            assert sorted(heard) == [("+", BOB), ("-", ALICE)]
            # From here on it has to stay the same again.
            await reconnected(connection, peers[2])
            assert connection.identity == Identity.from_bytes(other[::-1])


async def test_the_way_back_from_a_new_identity_that_was_greeted_and_lost() -> None:
    peers = [named("the-first-token"), named("anothers", bytes(32)), refusing()]
    peers.append(named("the-first-token"))
    peers[1].answers = False
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers, token="the-first-token") as connection:
            await connection.subscribe(USERS)

            async def lose() -> None:
                await until(lambda: bool(peers[1].received))
                peers[1].end()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lose)
                with pytest.raises(AuthenticationError):
                    await connection.set_token("anothers", new_identity=True)
            assert connection.is_active
            assert connection.identity == Identity.from_bytes(wire.ME[::-1])


async def test_becoming_somebody_new() -> None:
    peers = [named("the-first-token"), named("a-new-one", bytes(32))]
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers, token="the-first-token") as connection:
            with pytest.raises(ValueError, match="new_identity=True"):
                await connection.set_token(None)
            await connection.set_token(None, new_identity=True)
            assert connection.token == "a-new-one"
    assert bearer(peers[1]) is None


async def test_a_token_is_set_while_the_connection_is_away() -> None:
    peers = [Peer(), named("the-second-token")]
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers, reconnect=Reconnect(base=3600, cap=3600)) as connection:
            peers[0].end()
            assert connection.state.status is ConnectionStatus.RECONNECTING
            await connection.set_token("the-second-token")
            assert connection.is_active
    assert bearer(peers[1]) == "the-second-token"


async def test_a_token_is_set_while_the_server_does_not_greet() -> None:
    peers = [Peer(), Peer(), named("the-second-token")]
    peers[1].greets = False
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers) as connection:
            peers[0].end()
            await until(lambda: bool(peers[1].request))
            await connection.set_token("the-second-token")
    assert bearer(peers[2]) == "the-second-token"


async def test_two_tokens_at_once() -> None:
    peers = [named("the-first-token"), Peer(), refusing(), named("the-first-token")]
    peers[1].greets = False
    outcomes: list[BaseException] = []
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers, token="the-first-token") as connection:

            async def set_second() -> None:
                try:
                    await connection.set_token("the-second-token")
                except ConnectionLost as error:
                    outcomes.append(error)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(set_second)
                await anyio.wait_all_tasks_blocked()
                with pytest.raises(AuthenticationError):
                    await connection.set_token("the-third-token")
    (error,) = outcomes
    assert "another token was set meanwhile" in str(error)
    assert [bearer(peer) for peer in peers] == [
        "the-first-token",
        "the-second-token",
        "the-third-token",
        "the-first-token",
    ]


async def test_setting_takes_too_long_and_goes_on() -> None:
    peers = [Peer(), Peer()]
    peers[1].greets = False
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers) as connection:
            with pytest.raises(CallTimeout):
                await connection.set_token("the-second-token", timeout=0.01)
            await until(lambda: bool(peers[1].request))
            peers[1].send(peers[1].greeting())
            await connection.wait_connected()
    assert bearer(peers[1]) == "the-second-token"


async def test_a_connection_that_ends_while_a_token_is_set() -> None:
    peers = [Peer(), Peer()]
    peers[1].greets = False
    with anyio.fail_after(PATIENCE):
        async with connection_to(*peers) as connection, anyio.create_task_group() as tasks:

            async def set_second() -> None:
                with pytest.raises(ConnectionClosed):
                    await connection.set_token("the-second-token")

            tasks.start_soon(set_second)
            await anyio.wait_all_tasks_blocked()
            await connection.close()
        with pytest.raises(ConnectionClosed):
            await connection.set_token("the-third-token")


async def test_a_connection_that_is_not_made_yet() -> None:
    with pytest.raises(RuntimeError, match="not connected"):
        await connection_to(Peer()).set_token("a token")


def test_without_await() -> None:
    peers = [Peer(), refusing(), named("the-second-token"), named("the-third-token", bytes(32))]
    peers[2].token = wire.TOKEN
    with sync.connect(connection_to(*peers)) as connection:
        with pytest.raises(AuthenticationError):
            connection.set_token("the-second-token")
        assert connection.token == wire.TOKEN
        connection.set_token("the-third-token", new_identity=True)
        assert connection.token == "the-third-token"


def test_without_await_a_function_may_be_async() -> None:
    peer = named("token-number-1")
    with sync.connect(connection_to(peer, token=as_async(numbered()))):
        pass
    assert bearer(peer) == "token-number-1"


# ---------------------------------------------------------------- before the expiry


class Later:
    """A clock that a test puts forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        monkeypatch.setattr(tokens, "now", lambda: time.time() + self.seconds)


async def test_a_newer_token_comes_before_the_old_one_expires() -> None:
    old, new = jwt("me", time.time() + 0.2), jwt("me", time.time() + 3600)
    answers = iter([old, new])
    peer = named(old)
    with anyio.fail_after(PATIENCE):
        # One peer only: the connection itself is not made again.
        async with connection_to(peer, token=lambda: next(answers)) as connection:
            await until(lambda: connection.token == new)
            assert connection.is_active


async def test_it_comes_earlier_with_a_larger_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    expiry = time.time() + 3600
    answers = iter([jwt("me", expiry), jwt("me", expiry + 3600)])
    peer = named(jwt("me", expiry))
    calls: list[float] = []

    def give() -> str:
        calls.append(tokens.now())
        return next(answers)

    later = Later(monkeypatch)
    # The sleeps are short where the machine may sleep as well.
    monkeypatch.setattr(tokens, "_LONGEST_SLEEP", 0.005)
    with anyio.fail_after(PATIENCE):
        async with connection_to(peer, token=give, token_refresh=600.0) as connection:
            later.seconds = 3000 - 5
            await anyio.sleep(0.05)
            assert len(calls) == 1
            later.seconds = 3000 + 5
            await until(lambda: connection.token == jwt("me", expiry + 3600))
    assert calls[1] >= expiry - 600


async def test_a_refresh_that_fails_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    old, new = jwt("me", time.time() + 0.1), jwt("me", time.time() + 3600)
    answers = iter([old, None, old, new])

    def give() -> str:
        if (answer := next(answers)) is None:
            raise OSError
        return answer

    later = Later(monkeypatch)
    monkeypatch.setattr(tokens, "_LONGEST_SLEEP", 0.005)
    with anyio.fail_after(PATIENCE):
        async with connection_to(named(old), token=give) as connection:
            while connection.token == old:
                later.seconds += 1
                await anyio.sleep(0.02)
            assert connection.token == new
    assert "the one before is kept" in caplog.text


@pytest.mark.parametrize("token", ["no JSON Web Token", jwt("me"), jwt("me", time.time() + 0.05)])
async def test_tokens_that_are_not_refreshed(token: str) -> None:
    """Of unknown expiry, or when it is not wanted."""
    token = token.replace(" ", "-")
    calls: list[None] = []

    def give() -> str:
        calls.append(None)
        return token

    with anyio.fail_after(PATIENCE):
        async with connection_to(named(token), token=give, token_refresh=None):
            await anyio.sleep(0.1)
    assert len(calls) == 1


async def test_a_function_that_is_set_later_is_asked_for_newer_ones() -> None:
    old, new = jwt("me", time.time() + 0.2), jwt("me", time.time() + 3600)
    answers = iter([old, new])
    with anyio.fail_after(PATIENCE):
        async with connection_to(Peer(), named(old)) as connection:
            await connection.set_token(lambda: next(answers))
            await until(lambda: connection.token == new)


# ---------------------------------------------------------------- nothing shows a token


async def test_no_token_is_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret, second = jwt("me"), jwt("me", 1.0)
    echo = f"HTTP/1.1 401 Unauthorized\r\n\r\nwhat is {second}?".encode()
    peers = [named(secret), refusing(), named(secret), named(secret)]
    peers[1].refusal = echo
    shown: list[object] = []
    file = tmp_path / "session.jsonl"
    with anyio.fail_after(PATIENCE):
        async with connection_to(
            *peers,
            token=secret,
            capture=file,
            on_reconnecting=lambda _, attempt: shown.append(attempt),
        ) as connection:
            with pytest.raises(AuthenticationError, match=r"what is \[token\]\?") as caught:
                await connection.set_token(second)
            peers[2].close(1011, f"bad {secret}")
            await connection.wait_connected()
            shown += [connection, connection.state, connection._link, connection._core]
            shown += [connection._options, connection._tokens, caught.value]
    shown.append(DbConnection.builder().with_token(secret))
    shown += [Credentials(None, secret), TokenStore(tmp_path)]
    text = "\n".join([*map(repr, shown), *map(str, shown), caplog.text, file.read_text()])
    assert "[token]" in text
    assert secret not in text
    assert second not in text


async def test_no_token_is_in_the_message_for_a_bad_address() -> None:
    for uri in ("https://user:a-secret@host", "https://host?token=a-secret"):
        with pytest.raises(ValueError, match=r"\*\*\*") as caught:
            DbConnection(uri=uri, database="chat")
        assert "a-secret" not in str(caught.value)
