"""The patched command for all tests here, and a Python that stands in for the build of modules."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.server.cache import BuildError

from .command import Spacetime, StandIn
from .patched import patched_cli


@pytest.fixture(scope="session")
def cli(request: pytest.FixtureRequest) -> Path:
    """The command's path; its build is shown on the terminal, past pytest's capture."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with nullcontext() if capture is None else capture.global_and_fixture_disabled():
        try:
            return patched_cli()
        except BuildError as error:
            pytest.fail(str(error), pytrace=False)


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path / "stand-in")


@pytest.fixture
def spacetime(cli: Path, tmp_path: Path, stand_in: StandIn) -> Spacetime:
    """The command with a configuration of its own, no other tools, and the stand-in as Python."""
    return Spacetime(cli, tmp_path / "configuration", stand_in.folder)
