"""Tokens by server, in a file that only the user can read, or in the system's keyring.

`spacetime-py login` writes the file, and what speaks to a server in the user's name reads it.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from .exceptions import CredentialsError, MissingExtra
from .logs import connection_log
from .transport import parse_uri

# One file may be that of several stores, and of several threads.
_writing = threading.Lock()


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
        with _writing:
            self._write({**self._read(), _key(uri): kept})

    def remove(self, uri: str) -> bool:
        """Forget a server; False when there was nothing."""
        with _writing:
            servers = self._read()
            if servers.pop(_key(uri), None) is None:
                return False
            self._write(servers)
        return True

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            self._close_to_others()
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

    def _close_to_others(self) -> None:
        """A copy or a restored backup may be open to everybody."""
        mode = stat.S_IMODE(self.path.stat().st_mode)
        if os.name != "posix" or not mode & 0o077:
            return
        warning = "%s was open to others (%03o): its tokens may be known"
        connection_log.warning(warning, self.path, mode)
        with suppress(OSError):
            self.path.chmod(0o600)

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
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise CredentialsError(f"cannot write {self.path}: {error.strerror}") from error


def _default_path() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "spacetime-py" / "credentials.json"


class KeyringStore:
    """The system's keyring, by the package `keyring`: the extra `keyring`.

    Args:
        service: Under which name tokens are kept.

    Raises MissingExtra without the package. Its methods raise CredentialsError when there is
    no keyring, or it is locked.
    """

    def __init__(self, service: str = "spacetime-py") -> None:
        self.service = service
        self._keyring = _keyring_module()

    def __repr__(self) -> str:
        return f"KeyringStore({self.service!r})"

    def get(self, uri: str) -> Credentials | None:
        """What is kept for a server."""
        text = self._ask("get_password", _key(uri))
        if text is None:
            return None
        try:
            found = json.loads(text)
            return Credentials(found.get("identity"), found["token"])
        except (ValueError, KeyError, TypeError, AttributeError):
            message = f"what the keyring has of {self.service} for {_key(uri)} is no token"
            raise CredentialsError(f"{message}: remove it there") from None

    def set(self, uri: str, credentials: Credentials) -> None:
        """Keep it in the place of what was there."""
        kept = {"identity": credentials.identity, "token": credentials.token}
        self._ask("set_password", _key(uri), json.dumps(kept))

    def remove(self, uri: str) -> bool:
        """Forget a server; False when there was nothing."""
        if self._ask("get_password", _key(uri)) is None:
            return False
        self._ask("delete_password", _key(uri))
        return True

    def _ask(self, method: str, *args: str) -> str | None:
        try:
            found: str | None = getattr(self._keyring, method)(self.service, *args)
        except self._keyring.errors.KeyringError as error:
            what = str(error) or type(error).__name__
            raise CredentialsError(f"the keyring gives no access: {what}") from error
        return found


def _keyring_module() -> ModuleType:
    try:
        import keyring
    except ModuleNotFoundError as error:
        advice = "pip install 'spacetime-py[keyring]'"
        raise MissingExtra(f"tokens in the keyring take the package keyring: {advice}") from error
    return keyring


def _key(uri: str) -> str:
    try:
        return parse_uri(uri).uri
    except ValueError:  # with a path, say, which HTTP takes
        return uri.rstrip("/").lower()
