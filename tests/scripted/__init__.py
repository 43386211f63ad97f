"""A scripted peer plays the server: in memory, behind a TCP port, or from a recording."""

import pytest

from spacetime_py import session


def link_timeouts(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """How long closing waits for the server."""
    monkeypatch.setattr(session, "_CLOSE_TIMEOUT", seconds)
