"""A pytest plugin that runs the tests for the Rust modules on their Python twins instead:

pytest -p tests.server_modules.live tests/live
"""

from __future__ import annotations

import pytest

from . import live_fixtures


def pytest_configure(config: pytest.Config) -> None:
    """The fixtures come after those of `tests.server.fixtures`, and so in their place."""
    config.pluginmanager.register(live_fixtures, "python-modules")
