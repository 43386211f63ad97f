"""The commands, small: a run on the live peer, its report, and the profilers."""

from __future__ import annotations

import pstats
from pathlib import Path
from typing import Any

import pytest

from benches.metrics.__main__ import main
from benches.metrics.model import load

pytestmark = [pytest.mark.slow, pytest.mark.real_server]


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], loop: str) -> None:
    file = tmp_path / "run.json"
    assert main(["run", "--quick", "--loop", loop, "--out", str(file)]) == 0
    run = load(file)
    assert run.environment["loop"] == run.facts.loop == loop
    assert all(len(metric.rounds) == 3 for metric in run.metrics)
    values = {metric.name: metric.median for metric in run.metrics}
    assert values["cache hits of find"] == 50
    assert run.facts.lookups == {"message": (1_000, 1_000)}
    assert values["objects per cached row"] < 0.1
    assert values["Python blocks per cached row"] < 0.1
    assert values["call, one in flight, p50"] <= values["call, one in flight, p99"]
    assert values["first subscription, by the clock"] > 0
    assert ("uvloop" in capsys.readouterr().out) == (loop == "asyncio")
    assert main(["compare", str(file), str(file)]) == 0


def test_profiles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--quick", "--rounds", "1"]
    assert main(["profile", "cpu", *small, "--out", str(tmp_path / "cpu.prof")]) == 0
    assert "function calls" in capsys.readouterr().out
    profiled: Any = pstats.Stats(str(tmp_path / "cpu.prof"))
    assert "_calls" in {name for _, _, name in profiled.stats}
    pytest.importorskip("memray")
    assert main(["profile", "memory", *small]) == 0
    assert "MB at the peak" in capsys.readouterr().out
