"""Tokens by server, in a file that only the user can read.

`spacetime-py login` writes it, and what speaks to a server in the user's name reads it.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .exceptions import CredentialsError


@dataclass(frozen=True)
class Credentials:
    """Who one is at a server."""

    identity: str | None
    token: str = field(repr=False)


class TokenStore:
    """The file of tokens.

    Args:
        path: Where it is; by default `spacetime-py/credentials.json` in the user's configuration
            folder ($XDG_CONFIG_HOME, or ~/.config).

    Its methods raise CredentialsError when the file cannot be read or written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or _default_path()

    def __repr__(self) -> str:
        return f"TokenStore({str(self.path)!r})"

    def get(self, uri: str) -> Credentials | None:
        """What is kept for a server."""
        found = self._read().get(_key(uri))
        return None if found is None else Credentials(found.get("identity"), found["token"])

    def set(self, uri: str, credentials: Credentials) -> None:
        """Keep it in the place of what was there."""
        kept = {"identity": credentials.identity, "token": credentials.token}
        self._write({**self._read(), _key(uri): kept})

    def remove(self, uri: str) -> bool:
        """Forget a server; False when there was nothing."""
        servers = self._read()
        if servers.pop(_key(uri), None) is None:
            return False
        self._write(servers)
        return True

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))["servers"]
            assert all("token" in kept for kept in found.values())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise CredentialsError(f"cannot read {self.path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError, AssertionError):
            message = f"{self.path} is no file of tokens: move it away and log in again"
            raise CredentialsError(message) from None
        servers: dict[str, dict[str, Any]] = found
        return servers

    def _write(self, servers: dict[str, dict[str, Any]]) -> None:
        """At once or not at all; the file is its owner's alone from its first moment on."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".credentials-")
            temporary = Path(name)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump({"servers": servers}, file, indent=2)
                temporary.replace(self.path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise CredentialsError(f"cannot write {self.path}: {error.strerror}") from error


def _default_path() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "spacetime-py" / "credentials.json"


def _key(uri: str) -> str:
    return uri.rstrip("/").lower()
