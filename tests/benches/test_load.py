"""Each load, small: the rows that clients end with are those of the model. No time is held.

On a real server with modules in Python, and on the peer.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benches.load.exhaustion import SCENARIOS as EXHAUSTION
from benches.load.recovery import SCENARIOS as RECOVERY
from benches.load.workloads import WORKLOADS, check
from benches.metrics.model import load
from tests.peer.process import peer_binary
from tests.server.fixtures import in_sight
from tests.server.install import server_binary
from tests.server.python_modules import ensure_runtime

ROOT = Path(__file__).parents[2]
PATIENCE = 600.0
"""Seconds after which a command hangs."""
PLACES = [
    "peer-v3",
    pytest.param("server", marks=pytest.mark.runtime),
]

pytestmark = [pytest.mark.slow, pytest.mark.real_server]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    """With what it needs built in sight, since a command that builds seems to hang."""
    name: str = request.param
    for build in (server_binary, ensure_runtime) if name == "server" else (peer_binary,):
        in_sight(request, build)
    return name


def run(command: str, place: str, *arguments: str) -> str:
    """Standard output; the command itself compares rows with the model."""
    line = [sys.executable, "-m", f"benches.load.{command}", *arguments, "--place", place]
    done = subprocess.run(
        [*line, "--quick"],
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", WORKLOADS)
def test_workload(place: str, name: str, tmp_path: Path) -> None:
    out = run("workloads", place, name, "--out", str(tmp_path))
    assert "CPU a round: client " in out
    written = load(tmp_path / f"{name}-{place}.json")
    assert written.environment["place"] == place
    assert all(metric.rounds for metric in written.metrics)


@pytest.mark.parametrize("place", ["peer-v3"], indirect=True)
def test_workload_on_trio(place: str) -> None:
    assert "CPU a round: client " in run("workloads", place, "chat", "--loop", "trio")


def test_inserts_updates_and_deletes(place: str) -> None:
    assert "500 inserts, updates and deletes" in run("million_operations", place)


@pytest.mark.parametrize("name", RECOVERY)
def test_recovery(place: str, name: str) -> None:
    out = run("recovery", place, name)
    saw = "the program saw: connected > reconnecting > "
    if (name, place) == ("wiped", "server"):
        # The new server's keys are others, so the old token is refused.
        assert f"{saw}closed > AuthenticationError" in out
    else:
        assert f"{saw}connected;" in out
    assert "later: ConnectionLost(maybe_executed=False)" in out
    if name in ("cut", "silent"):
        assert "+1 -1 ~1 rows told" in out


_SEEN = {
    "descriptors": "ConnectError: cannot connect",
    "memory": "ProtocolError: a message expands to more than",
    "queue": "StreamOverflow: changes of table `reading`",
    "consumer": "nothing: calls of the same program waited",
    "message": "all rows, in one message",
}


@pytest.mark.parametrize("name", EXHAUSTION)
def test_exhaustion(place: str, name: str) -> None:
    assert f"the program saw: {_SEEN[name]}" in run("exhaustion", place, name)


def test_rows_that_are_not_those_of_the_model_fail() -> None:
    """The check of all workloads."""
    check("rows", [1, 2], [1, 2])
    with pytest.raises(SystemExit, match=r"rows: \[1\] instead of \[1, 2\]"):
        check("rows", [1], [1, 2])
