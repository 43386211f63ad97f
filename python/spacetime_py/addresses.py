"""A server, a database and more in one URL, or in the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .redaction import shown_url
from .token_source import checked_token
from .transport import parse_uri

URI_VARIABLE = "SPACETIMEDB_URI"
DATABASE_VARIABLE = "SPACETIMEDB_DATABASE"
TOKEN_VARIABLE = "SPACETIMEDB_TOKEN"


def from_url(url: str) -> dict[str, Any]:
    """The options that https://HOST[:PORT]/DATABASE?OPTION=VALUE says.

    Raises ValueError with the part that is wrong. No message shows what may be a secret.
    """
    shown = shown_url(url)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(f"{shown!r} is no URL: look at its host and port") from None
    if not (parts.scheme and parts.netloc):
        raise ValueError(f"{shown!r} is none of https://HOST/DATABASE, http://, wss://, ws://")
    if "@" in parts.netloc:
        raise ValueError(f"{shown!r} has a user: the token goes into `token`, not before the host")
    if parts.fragment:
        raise ValueError(f"{shown!r} has a fragment, after #: the database is in the path")
    database = unquote(parts.path.strip("/"))
    if not database or "/" in database:
        raise ValueError(
            f"{shown!r} does not name one database after the host: https://HOST/DATABASE"
        )
    uri = f"{parts.scheme}://{parts.netloc}"
    parse_uri(uri)
    return {"uri": uri, "database": database, **_parameters(parts.query, shown)}


def from_environment(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the environment says, and in their place those that are given.

    Raises ValueError with the name of the variable that is missing or wrong.
    """
    options = dict(given)
    for option, variable in (("uri", URI_VARIABLE), ("database", DATABASE_VARIABLE)):
        if option not in options:
            options[option] = _variable(variable)
            if options[option] is None:
                raise ValueError(f"{variable} is not set, and no `{option}` was given")
    if "uri" not in given:
        try:
            parse_uri(options["uri"])
        except ValueError as error:
            raise ValueError(f"{URI_VARIABLE}: {error}") from None
    if "token" not in options:
        options["token"] = token_of_environment()
    return options


def uri_of_environment() -> str:
    """SPACETIMEDB_URI. Raises ValueError when it is not set."""
    found = _variable(URI_VARIABLE)
    if found is None:
        raise ValueError(f"{URI_VARIABLE} is not set")
    return found


def token_of_environment() -> str | None:
    """SPACETIMEDB_TOKEN. Raises ValueError for what is no token."""
    try:
        return checked_token(_variable(TOKEN_VARIABLE))
    except ValueError as error:
        raise ValueError(f"{TOKEN_VARIABLE}: {error}") from None


def _variable(name: str) -> str | None:
    """An empty one counts as not set."""
    return os.environ.get(name, "").strip() or None


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _seconds(text: str) -> float | None:
    return None if text == "none" else float(text)


def _one_of(*choices: str) -> Callable[[str], str]:
    return lambda text: {choice: choice for choice in choices}[text]


def _protocols(text: str) -> tuple[str, ...]:
    return tuple(map(_one_of("v3", "v2", "v1"), text.split(",")))


_SECONDS = (_seconds, "seconds or none")
_FLAG = (_flag, "true or false")
_PARAMETERS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "token": (checked_token, "a token"),
    "compression": (_one_of("none", "gzip", "brotli"), "none, gzip or brotli"),
    "protocols": (_protocols, "some of v3,v2,v1"),
    "confirmed_reads": _FLAG,
    "reconnect": _FLAG,
    "connect_timeout": _SECONDS,
    "call_timeout": _SECONDS,
    "ping_interval": _SECONDS,
    "ping_timeout": _SECONDS,
    "token_refresh": _SECONDS,
    "max_message_size": (int, "bytes"),
    "ca_file": (str, "a file"),
    "proxy": (str, "an address"),
}
_LONGEST_NAME = 30


def _parameters(query: str, shown: str) -> dict[str, object]:
    options: dict[str, object] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in _PARAMETERS:
            # Somebody may have written a secret without a name.
            which = f" `{name}`" if name.isidentifier() and len(name) < _LONGEST_NAME else ""
            raise ValueError(
                f"{shown!r}: no such option{which}; there are {', '.join(_PARAMETERS)}"
            )
        if name in options:
            raise ValueError(f"{shown!r}: option `{name}` is there twice")
        read, expected = _PARAMETERS[name]
        try:
            options[name] = read(text)
        except (ValueError, KeyError):
            raise ValueError(f"{shown!r}: option `{name}` takes {expected}") from None
    return options
