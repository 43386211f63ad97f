"""A pytest plugin that runs the tests for a real server on the live peer instead:

    pytest -p tests.peer.live tests/live
"""

from __future__ import annotations

import sys
from typing import Any

import pytest

from . import live_fixtures
from .process import Peer


def pytest_configure(config: pytest.Config) -> None:
    """The fixtures come after those of `tests.server.fixtures`, and so in their place."""
    config.pluginmanager.register(live_fixtures, "live-peer-fixtures")


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Tests that start a server of their own start a peer."""
    for module in {item.module.__name__ for item in items if hasattr(item, "module")}:
        if module.startswith("tests.live.") and hasattr(sys.modules[module], "Server"):
            vars(sys.modules[module])["Server"] = Peer
