"""What this package raises. Every class pickles; `str()` says what happened and what to do.

SpacetimeDBError
├── ConnectError                  the connection could not be made
│   ├── ConnectTimeout            also a TimeoutError
│   ├── TokenUnavailable          the function or the store given as `token` failed
│   └── HandshakeRejected         status, body: the server answered with HTTP instead of an upgrade
│       └── AuthenticationError   status 401 or 403
├── ConnectionClosed              code, reason, by_us, maybe_executed
│   ├── ConnectionLost            the socket ended without a closing handshake, or became unusable
│   │   └── KeepaliveTimeout      also a TimeoutError: the server did not answer a ping
│   └── IdentityChanged           a reconnect was greeted as somebody else
├── ProtocolError                 the peer sent what the protocol forbids
│   └── SchemaMismatchError       bindings and database differ
├── SubscriptionError             queries, message
│   ├── AlreadyUnsubscribed       `unsubscribe()` was called before
│   └── AlreadyEnded              the server ended it
├── StreamOverflow                what, size: a stream was read too slowly for its queue
├── CallTimeout                   also a TimeoutError: an await took longer than its `timeout`
├── ReducerError                  reducer, message
│   ├── SenderError               value: the reducer returned an error, in the module's words
│   └── InternalError             the reducer could not run, or it crashed
├── ProcedureError                procedure, message
├── QueryError                    query, message: the server refused a one-off query
├── HttpError                     status, message, advice: the server refused a request over HTTP
├── EncodeError                   also a TypeError and a ValueError: a wrong type or range
├── DecodeError                   also a ValueError: bytes that are no value of the expected type
├── ConversionError               also a ValueError; model, field, message: `into` cannot make it
├── CredentialsError              a store of tokens cannot be read or written
├── MissingExtra                  also a ModuleNotFoundError: an extra is not installed
├── ProjectError                  what is wrong with a project's files, settings or module
├── CodegenError                  a schema from which no package can be generated
└── RecordingError                a file of captured traffic that cannot be replayed
"""

from __future__ import annotations

__all__ = [
    "AlreadyEnded",
    "AlreadyUnsubscribed",
    "AuthenticationError",
    "CallTimeout",
    "CodegenError",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionClosed",
    "ConnectionLost",
    "ConversionError",
    "CredentialsError",
    "DecodeError",
    "EncodeError",
    "HandshakeRejected",
    "HttpError",
    "IdentityChanged",
    "InternalError",
    "KeepaliveTimeout",
    "MissingExtra",
    "ProcedureError",
    "ProjectError",
    "ProtocolError",
    "QueryError",
    "RecordingError",
    "ReducerError",
    "SchemaMismatchError",
    "SenderError",
    "SpacetimeDBError",
    "StreamOverflow",
    "SubscriptionError",
    "TokenUnavailable",
]


class SpacetimeDBError(Exception):
    """The root of all errors of this package."""

    def __str__(self) -> str:
        return " ".join(str(arg) for arg in self.args)


class ConnectError(SpacetimeDBError):
    """The connection could not be made. The message names the address and what to check."""


class ConnectTimeout(ConnectError, TimeoutError):
    """There was no connection within `connect_timeout` seconds."""


class TokenUnavailable(ConnectError):
    """The function or the store given as `token` gave none. The cause is what it raised."""


class HandshakeRejected(ConnectError):
    """The server answered the upgrade request with an HTTP `status` (int) and `body` (str)."""

    def __init__(self, status: int, body: str, advice: str = "") -> None:
        super().__init__(status, body, advice)
        self.status = status
        self.body = body
        self.advice = advice

    def __str__(self) -> str:
        answer = f": {self.body}" if self.body else ""
        advice = f" ({self.advice})" if self.advice else ""
        return f"the server refused the connection with HTTP {self.status}{answer}{advice}"


class AuthenticationError(HandshakeRejected):
    """The server does not accept the token (401), or its identity may not connect (403)."""


class ConnectionClosed(SpacetimeDBError):
    """The connection has ended.

    `code` (int) is that of the close frame, None when there was none; `reason` (str) says more.
    `by_us` tells whether this side closed first. `maybe_executed` is True for a call in flight:
    whether the server ran it is unknown.
    """

    def __init__(
        self, code: int | None, reason: str, by_us: bool = False, maybe_executed: bool = False
    ) -> None:
        super().__init__(code, reason, by_us, maybe_executed)
        self.code = code
        self.reason = reason
        self.by_us = by_us
        self.maybe_executed = maybe_executed

    def __str__(self) -> str:
        who = "this side" if self.by_us else "the server"
        code = "" if self.code is None else f" with code {self.code}"
        return self._text(f"{who} closed the connection{code}")

    def _text(self, what: str) -> str:
        reason = f": {self.reason}" if self.reason else ""
        call = "; the call may have been executed" if self.maybe_executed else ""
        return f"{what}{reason}{call}"


class ConnectionLost(ConnectionClosed):
    """The socket ended without a closing handshake, or what came over it made it unusable."""

    def __str__(self) -> str:
        return self._text("the connection was lost")


class KeepaliveTimeout(ConnectionLost, TimeoutError):
    """The server was silent, and did not answer a ping within `ping_timeout` seconds."""


class IdentityChanged(ConnectionClosed):
    """After a reconnect the server took this client for another identity, which ends the attempts.

    The server forgot who this client was: its token is not accepted as what it was before.
    """

    def __str__(self) -> str:
        return self._text("the connection was given up")


class ProtocolError(SpacetimeDBError):
    """The peer sent what the protocol forbids."""


class SchemaMismatchError(ProtocolError):
    """Generated bindings and database differ: generate the bindings again."""


class SubscriptionError(SpacetimeDBError):
    """The server refused or ended the subscription to `queries` (tuple of str): `message`."""

    def __init__(self, queries: tuple[str, ...], message: str) -> None:
        super().__init__(queries, message)
        self.queries = queries
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} (subscription to {'; '.join(self.queries)})"


class AlreadyUnsubscribed(SubscriptionError):
    """`unsubscribe()` was called before."""

    def __init__(self, queries: tuple[str, ...], message: str = "already unsubscribed") -> None:
        super().__init__(queries, message)


class AlreadyEnded(SubscriptionError):
    """The server has ended the subscription."""

    def __init__(self, queries: tuple[str, ...], message: str = "the server ended it") -> None:
        super().__init__(queries, message)


class StreamOverflow(SpacetimeDBError):
    """A stream was read too slowly: its queue was full. What came until then was given first."""

    def __init__(self, what: str, size: int) -> None:
        super().__init__(what, size)
        self.what = what
        self.size = size

    def __str__(self) -> str:
        return (
            f"{self.what} came faster than they were read, and {self.size} were waiting: read "
            "faster, give a larger `size`, or choose another `overflow`"
        )


class CallTimeout(SpacetimeDBError, TimeoutError):
    """The answer did not come within `timeout` seconds. It may still come."""


class ReducerError(SpacetimeDBError):
    """The call of `reducer` (str) failed and changed nothing; `message` is the server's text."""

    def __init__(self, reducer: str, message: str) -> None:
        super().__init__(reducer, message)
        self.reducer = reducer
        self.message = message

    def __str__(self) -> str:
        return f"reducer `{self.reducer}` failed: {self.message}"


class SenderError(ReducerError):
    """The reducer returned an error: `message` is the module's text.

    `value` is the error itself where the module's type for it is not a string, else None; then
    `message` is its text.
    """

    def __init__(self, reducer: str, message: str, value: object = None) -> None:
        super().__init__(reducer, message)
        self.args = (reducer, message, value)
        self.value = value

    def __str__(self) -> str:
        return f"reducer `{self.reducer}` refused: {self.message}"


class InternalError(ReducerError):
    """The reducer could not run or crashed: no such reducer, bad arguments, a panic."""


class ProcedureError(SpacetimeDBError):
    """The call of `procedure` (str) failed; `message` is the server's text."""

    def __init__(self, procedure: str, message: str) -> None:
        super().__init__(procedure, message)
        self.procedure = procedure
        self.message = message

    def __str__(self) -> str:
        return f"procedure `{self.procedure}` failed: {self.message}"


class QueryError(SpacetimeDBError):
    """The server refused the one-off `query` (str); `message` is its text."""

    def __init__(self, query: str, message: str) -> None:
        super().__init__(query, message)
        self.query = query
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} (query {self.query})"


class HttpError(SpacetimeDBError):
    """The server answered a request with the HTTP `status` (int) and its `message` (str)."""

    def __init__(self, status: int, message: str, advice: str = "") -> None:
        super().__init__(status, message, advice)
        self.status = status
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        message = f": {self.message}" if self.message else ""
        advice = f" ({self.advice})" if self.advice else ""
        return f"the server answered with HTTP {self.status}{message}{advice}"


class EncodeError(SpacetimeDBError, TypeError, ValueError):
    """An argument or a field has the wrong type or is out of range. The message names it."""


class DecodeError(SpacetimeDBError, ValueError):
    """Bytes are no value of the expected type."""


class ConversionError(SpacetimeDBError, ValueError):
    """A row cannot be made `into` the class `model` (str): what its `field` (str) asks for."""

    def __init__(self, model: str, field: str, message: str) -> None:
        super().__init__(model, field, message)
        self.model = model
        self.field = field
        self.message = message

    def __str__(self) -> str:
        field = f".{self.field}" if self.field else ""
        return f"{self.model}{field}: {self.message}"


class CredentialsError(SpacetimeDBError):
    """A store of tokens, the file or the keyring, cannot be read or written."""


class MissingExtra(SpacetimeDBError, ModuleNotFoundError):
    """What was asked for takes packages that an extra of this one installs. The message has it."""


class ProjectError(SpacetimeDBError):
    """Something is wrong with a project's files, its settings or its module."""


class CodegenError(SpacetimeDBError):
    """No package can be generated from a schema."""


class RecordingError(SpacetimeDBError):
    """A file is no recording of captured traffic. The message names the line."""
