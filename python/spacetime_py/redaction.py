"""Keeps secrets out of what is shown: messages, addresses, the logs of other libraries."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

_SHORTEST = 8
"""Characters. What is shorter is no token of a server, and would take words out of messages."""
_USER = re.compile(r"(//|^)[^/?#\s]*@")
_NO_PORT = re.compile(r"(//[^/?#:\[\]]*:)(?!\d*([/?#]|$))[^/?#]*")
_PARAMETERS = re.compile(r"[?#].*", re.DOTALL)
_ANSWERED = re.compile(r"(spacetime-identity-token['\"]?, ?b?['\"])[^'\"]+", re.IGNORECASE)


def shown_url(url: str) -> str:
    """An address without its user, password and parameters, nor what is a port and no number."""
    without_user = _USER.sub(r"\1***@", url)
    return _PARAMETERS.sub("?***", _NO_PORT.sub(r"\1***", without_user))


class Secrets:
    """All tokens that a client has had, so that no message shows one."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def add(self, token: str | None) -> None:
        if token is not None and len(token) >= _SHORTEST:
            self._known.add(token)

    def hide(self, text: str) -> str:
        """The text with other words in the place of tokens."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, "[token]")
        return text


class _HideAnsweredTokens(logging.Filter):
    """A server's answers bear the token in a header, and httpcore logs all headers at DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        shown = _ANSWERED.sub(r"\1[token]", text)
        if shown != text:
            record.msg, record.args = shown, ()
        return True


_FILTER = _HideAnsweredTokens()


def hide_answered_tokens(loggers: Iterable[str] = ("httpcore.http11", "httpcore.http2")) -> None:
    """Once and for all, however often it is called."""
    for name in loggers:
        logging.getLogger(name).addFilter(_FILTER)
