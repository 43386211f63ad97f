"""The official TypeScript SDK against the live peer, over v3 and v2: what it expects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.server.npm import prepare, run_scenario

from .process import Peer

pytestmark = pytest.mark.real_server

SOURCES = Path(__file__).parent / "typescript"
SCENARIOS = re.findall(r"^  async (\w+)\(connect\)", (SOURCES / "scenarios.mjs").read_text(), re.M)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(SOURCES, tmp_path_factory.mktemp("typescript"))


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(("protocol", "compression"), [("v3", "gzip"), ("v2", "none")])
def test_scenario(folder: Path, peer: Peer, protocol: str, compression: str, scenario: str) -> None:
    database = peer.publish(f"{scenario.replace('_', '-')}-{uuid4().hex}", native="mod28")
    run_scenario(folder, peer.url, database.name, protocol, compression, scenario)


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 12
