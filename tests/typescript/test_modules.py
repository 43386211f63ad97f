"""The official TypeScript SDK of 1.x on the modules written in Python, and on those in Rust."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest

from tests.server.api import Api
from tests.server.modules import build_module
from tests.server.npm import prepare, run_scenario
from tests.server.python_modules import python_module

pytestmark = [
    pytest.mark.real_server,
    pytest.mark.runtime,
    pytest.mark.usefixtures("runtime"),
]

HERE = Path(__file__).parent
SCENARIOS = re.findall(r"^  async (\w+)\(connect\)", (HERE / "scenarios.mjs").read_text(), re.M)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(HERE, tmp_path_factory.mktemp("typescript"))


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(("language", "compression"), [("python", "gzip"), ("rust", "none")])
def test_scenario(
    folder: Path, server: Api, language: str, compression: str, scenario: str
) -> None:
    module = "chat" if scenario.startswith("chat_") else "all_types"
    is_python = language == "python"
    wasm = python_module(module) if is_python else build_module(module).read_bytes()
    database = server.publish(f"typescript-{uuid4().hex}", wasm)
    run_scenario(folder, server.url, database.name, compression, scenario)
    server.delete(database.name)


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 12
