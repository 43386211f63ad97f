"""Why a connection was not made or ended, as exceptions that say what to do."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping

from ._core import Closed
from .exceptions import (
    AuthenticationError,
    ConnectError,
    ConnectionClosed,
    ConnectionLost,
    HandshakeRejected,
    IdentityChanged,
    KeepaliveTimeout,
    ProtocolError,
    SchemaMismatchError,
    SpacetimeDBError,
)
from .proxies import ProxyFailed


def is_our_close(error: SpacetimeDBError) -> bool:
    """Whether the connection ended because this side closed it."""
    return isinstance(error, ConnectionClosed) and error.by_us


class Explain:
    """Knows which server and database the sentences are about.


    `remedies`: what to say in the place of what the core advises.
    """

    def __init__(
        self, uri: str, database: str, hide: Callable[[str], str], remedies: Mapping[str, str]
    ) -> None:
        self.uri = uri
        self.database = database
        self._hide = hide
        self._remedies = remedies

    @property
    def place(self) -> str:
        return f"database `{self.database}` at {self.uri}"

    def advised(self, text: str) -> str:
        """What the core says of bindings that do not fit, with advice that does."""
        for known, remedy in self._remedies.items():
            text = text.replace(known, remedy)
        return text

    def unreachable(self, error: OSError) -> ConnectError:
        advice = "is the server running? `spacetime start` starts one"
        if isinstance(error, ProxyFailed):
            explained = ConnectError(f"cannot connect to {self.uri}: {error}")
            explained.__cause__ = error
            return explained
        if isinstance(error, ssl.SSLCertVerificationError):
            advice = "`ca_file` names a file of certificates to trust"
        elif isinstance(error, ssl.SSLError):
            advice = "does the server speak TLS? http:// connects without"
        # anyio says only that all attempts failed, and what failed is the cause.
        reason = error.__cause__ if isinstance(error.__cause__, OSError) else error
        text = str(reason) or type(reason).__name__
        explained = ConnectError(f"cannot connect to {self.uri} ({text}): {advice}")
        explained.__cause__ = error
        return explained

    def closed(self, event: Closed) -> SpacetimeDBError:
        # Some of it are the words of the server, or of what is in front of it.
        reason = self._hide(event.reason)
        if event.kind == "refused":
            return self._refused(event.code or 0, reason)
        if event.kind == "protocol":
            return ProtocolError(reason)
        if event.kind == "mismatch":
            return SchemaMismatchError(self.advised(reason))
        if event.kind == "closed":
            return ConnectionClosed(event.code, reason, event.by_us)
        if event.kind == "silent":
            return KeepaliveTimeout(event.code, reason)
        if event.kind == "identity":
            return IdentityChanged(event.code, reason)
        return ConnectionLost(event.code, reason, event.by_us)

    def _refused(self, status: int, body: str) -> HandshakeRejected:
        if status in (401, 403):
            advice = "the token is not valid for this server: leave it out to become a new identity"
            return AuthenticationError(status, body, advice)
        if status == 404:
            advice = (
                f"there is no database `{self.database}` on {self.uri}: "
                f"`spacetime publish {self.database}` makes it from a module"
            )
            return HandshakeRejected(status, body, advice)
        return HandshakeRejected(status, body)

    def before_greeting(self, error: SpacetimeDBError, upgraded: bool) -> SpacetimeDBError:
        """A client that the module refuses is dropped after the upgrade, without a word."""
        said_why = isinstance(error, IdentityChanged)
        if said_why or not isinstance(error, ConnectionClosed) or is_our_close(error):
            return error
        when, advice = "without an answer", "is it a SpacetimeDB server?"
        if upgraded:
            when = "before its greeting"
            refused = f"the client_connected reducer of `{self.database}` probably refused"
            advice = f"{refused}; `spacetime logs {self.database}` tells"
        explained = ConnectError(f"{self.uri} ended the connection {when}: {advice}")
        explained.__cause__ = error
        return explained

    def fault(self, error: Exception) -> ProtocolError:
        """What the core raised while it took in a message."""
        if isinstance(error, ProtocolError):
            return error
        fault = ProtocolError(f"{type(error).__name__}: {error}")
        fault.__cause__ = error
        return fault
