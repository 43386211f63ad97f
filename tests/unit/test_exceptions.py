"""The tree of errors: what each is, that it survives a pickle, and what it says."""

from __future__ import annotations

import pickle

import pytest

import spacetime_py
from spacetime_py import exceptions as e

EXAMPLES: list[tuple[e.SpacetimeDBError, str]] = [
    (e.SpacetimeDBError("text"), "text"),
    (e.ConnectError("no route"), "no route"),
    (e.ConnectTimeout("too late"), "too late"),
    (
        e.HandshakeRejected(404, "`x` not found", "publish it"),
        "the server refused the connection with HTTP 404: `x` not found (publish it)",
    ),
    (e.HandshakeRejected(500, ""), "the server refused the connection with HTTP 500"),
    (
        e.AuthenticationError(401, "TokenError"),
        "the server refused the connection with HTTP 401: TokenError",
    ),
    (
        e.ConnectionClosed(1001, "module exited", maybe_executed=True),
        "the server closed the connection with code 1001: module exited; "
        "the call may have been executed",
    ),
    (e.ConnectionClosed(None, "", by_us=True), "this side closed the connection"),
    (e.ConnectionLost(None, "reset"), "the connection was lost: reset"),
    (e.KeepaliveTimeout(None, "no answer"), "the connection was lost: no answer"),
    (e.IdentityChanged(None, "other"), "the connection was given up: other"),
    (e.ProtocolError("bad frame"), "bad frame"),
    (e.SchemaMismatchError("no table x"), "no table x"),
    (
        e.SubscriptionError(("SELECT 1", "SELECT 2"), "no"),
        "no (subscription to SELECT 1; SELECT 2)",
    ),
    (e.AlreadyUnsubscribed(("SELECT 1",)), "already unsubscribed (subscription to SELECT 1)"),
    (e.AlreadyEnded(("SELECT 1",)), "the server ended it (subscription to SELECT 1)"),
    (
        e.StreamOverflow("transactions", 5),
        "transactions came faster than they were read, and 5 were waiting: read faster, "
        "give a larger `size`, or choose another `overflow`",
    ),
    (e.CallTimeout("too late"), "too late"),
    (e.ReducerError("add", "no"), "reducer `add` failed: no"),
    (e.SenderError("add", "no"), "reducer `add` refused: no"),
    (e.InternalError("add", "panic"), "reducer `add` failed: panic"),
    (e.ProcedureError("ask", "panic"), "procedure `ask` failed: panic"),
    (e.QueryError("SELECT 1", "no"), "no (query SELECT 1)"),
    (
        e.HttpError(404, "`x` not found", "publish it"),
        "the server answered with HTTP 404: `x` not found (publish it)",
    ),
    (e.TokenUnavailable("no function"), "no function"),
    (e.ConversionError("Player", "spot.x", "expected int"), "Player.spot.x: expected int"),
    (e.ConversionError("Player", "", "no such class"), "Player: no such class"),
    (e.CredentialsError("no file"), "no file"),
    (e.MissingExtra("pip install it"), "pip install it"),
    (e.ProjectError("no entry"), "no entry"),
    (e.EncodeError("wrong type"), "wrong type"),
    (e.DecodeError("short"), "short"),
    (e.CodegenError("no schema"), "no schema"),
    (e.RecordingError("line 1"), "line 1"),
]


@pytest.mark.parametrize(("error", "text"), EXAMPLES)
def test_str_and_pickle(error: e.SpacetimeDBError, text: str) -> None:
    assert str(error) == text
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == text
    assert vars(copy) == vars(error)


def test_every_class_has_an_example_and_is_public() -> None:
    assert {type(error).__name__ for error, _ in EXAMPLES} == set(e.__all__)
    assert set(e.__all__) <= set(spacetime_py.__all__)


def test_every_class_stands_in_the_drawn_tree() -> None:
    assert e.__doc__ is not None
    for name in e.__all__:
        assert f" {name} " in e.__doc__.replace("\n", " "), name


@pytest.mark.parametrize(
    ("error", "also"),
    [
        (e.ConnectTimeout, TimeoutError),
        (e.CallTimeout, TimeoutError),
        (e.EncodeError, TypeError),
        (e.EncodeError, ValueError),
        (e.DecodeError, ValueError),
        (e.SchemaMismatchError, e.ProtocolError),
        (e.ConnectionLost, e.ConnectionClosed),
        (e.AuthenticationError, e.HandshakeRejected),
    ],
)
def test_what_an_error_also_is(error: type[Exception], also: type[Exception]) -> None:
    assert issubclass(error, also)
