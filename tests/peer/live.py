"""A pytest plugin that runs the tests for a real server on the live peer instead:

pytest -p tests.peer.live tests/live
"""

from __future__ import annotations

import sys
from typing import Any

import pytest

from . import live_fixtures
from .process import Peer

# The peer runs a call to its end before it looks at what comes after it, here a close frame.
NOT_HERE = ("test_calls_in_flight_when_this_side_closes",)


def pytest_configure(config: pytest.Config) -> None:
    """The fixtures come after those of `tests.server.fixtures`, and so in their place."""
    config.pluginmanager.register(live_fixtures, "live-peer-fixtures")


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Tests that start a server of their own start a peer."""
    for item in items:
        if item.name.partition("[")[0] in NOT_HERE:
            item.add_marker(pytest.mark.skip("the peer does this in another order"))
    for module in {item.module.__name__ for item in items if hasattr(item, "module")}:
        if module.startswith("tests.live.") and hasattr(sys.modules[module], "Server"):
            vars(sys.modules[module])["Server"] = Peer
