"""Each case as a process of its own, on a new database: on the real server, and on the live peer
over the newer versions of the protocol."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.documentation import ROOT
from tests.peer.process import Peer
from tests.server.api import Api
from tests.server.fixtures import in_sight
from tests.server.python_modules import python_module

from . import upstream
from .cases import CASES
from .registry import CONTRACT, MOD28, Case

pytestmark = pytest.mark.real_server

# Seconds for a process, which ends by itself before.
PATIENCE = 120.0
MUST_FAIL = "should-fail"
PAGE = ROOT / "docs" / "conformance.md"


@dataclass(frozen=True)
class Run:
    """A case at a place: the real server, or the peer with one version of the protocol."""

    case: Case
    protocol: str | None

    def __str__(self) -> str:
        place = "1.2.0" if self.protocol is None else f"peer-{self.protocol}"
        return f"{place}-{self.case.name}"


def runs() -> list[Run]:
    runs: list[Run] = []
    for case in CASES.values():
        protocols = () if case.needs_host else ("v3",) if case.module == CONTRACT else ("v2", "v3")
        runs += [Run(case, None)] if case.module == CONTRACT else []
        runs += [Run(case, protocol) for protocol in protocols]
    return sorted(runs, key=lambda run: run.protocol or "")


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the module and what is newer, as a 2.x server has it."""
    file = tmp_path_factory.mktemp("conformance") / "schema.json"
    command = [sys.executable, "-m", "tests.conformance.schema"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr.decode()
    file.write_bytes(done.stdout)
    return file


@pytest.fixture(scope="module")
def peer(schema: Path) -> Iterator[Peer]:
    with Peer(options=["--schema", str(schema)]) as peer:
        yield peer


@pytest.fixture(scope="module")
def wasm(request: pytest.FixtureRequest) -> bytes:
    return in_sight(request, lambda: python_module("contract"))


@pytest.mark.parametrize("run", runs(), ids=str)
def test_case(run: Run, request: pytest.FixtureRequest) -> None:
    name = f"conformance-{uuid4().hex}"
    if run.protocol is None:
        server: Api = request.getfixturevalue("server")
        server.publish(name, request.getfixturevalue("wasm"))
    else:
        server = request.getfixturevalue("peer")
        server.publish(name, b"native:mod28" if run.case.module == MOD28 else b"native:generic")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.conformance.client", run.case.name],
        cwd=ROOT,
        env={
            **environment(),
            "SPACETIME_SDK_TEST_DB_NAME": name,
            "SPACETIME_SDK_TEST_SERVER_URL": server.url,
            "SPACETIME_SDK_TEST_PROTOCOLS": run.protocol or "v3,v2,v1",
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    server.delete(name)
    assert done.returncode == (1 if run.case.name == MUST_FAIL else 0), done.stderr


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'python'}{os.pathsep}{ROOT}"}


def test_each_case_of_upstream_is_run_or_left_out_for_a_reason() -> None:
    known = [name for group in upstream.GROUPS for name in group.cases]
    assert len(known) == len(set(known))
    assert set(known) == set(CASES) | set(upstream.LEFT_OUT)
    assert not set(CASES) & set(upstream.LEFT_OUT)


def test_the_page_has_the_table_of_the_program() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith(upstream.document())


def test_what_the_client_cannot_run() -> None:
    def client(*arguments: str, **variables: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "tests.conformance.client", *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**environment(), **variables},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return done.returncode, done.stdout + done.stderr

    assert client("--list") == (0, "".join([f"{name}\n" for name in CASES]))
    assert client("no-such-case")[0] == 2
    assert client()[0] == 2
    status, text = client("on-reducer")
    assert (status, "SPACETIME_SDK_TEST_DB_NAME" in text) == (2, True)
