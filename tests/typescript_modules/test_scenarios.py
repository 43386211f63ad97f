"""The official TypeScript SDK, npm's `spacetimedb` 1.12.0, with the modules written in Python.

It speaks protocol v1 with the real server; its bindings are made from the server's schema.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from tests.server.api import Api
from tests.server.npm import beside_packages
from tests.server.python_modules import python_module

pytestmark = [pytest.mark.real_server, pytest.mark.runtime, pytest.mark.usefixtures("runtime")]

SOURCES = Path(__file__).parent
SCENARIOS = re.findall(r"^  async (\w+)\(connect\)", (SOURCES / "scenarios.mjs").read_text(), re.M)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return beside_packages(SOURCES, tmp_path_factory.mktemp("typescript"))


@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(folder: Path, server: Api, compression: str, scenario: str) -> None:
    module = "chat" if scenario.startswith("chat_") else "all_types"
    database = server.publish(f"{scenario.replace('_', '-')}-{uuid4().hex}", python_module(module))
    command = ["node", "run.mjs", server.url, database.name, compression, scenario]
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    server.delete(database.name)
    passed = done.returncode == 0 and done.stdout.splitlines()[-1:] == ["passed"]
    assert passed, f"{done.stdout}\n{done.stderr}"


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 12
