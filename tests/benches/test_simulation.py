"""Counted instructions: what callgrind wrote is read, and runs that differ are told."""

from __future__ import annotations

import shutil

import pytest

from benches.simulation import SimulationError, cycles, differences, report, simulate

PROFILE = """\
version: 1
part: 1
desc: Trigger: Client Request: Metadata: pytest-codspeed 5.0.4
events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw
totals: 0
part: 2
desc: Trigger: Client Request: benches/python/test_performance_bsatn.py::test_make[user]
events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw
fn=somewhere
1 2 3
totals: 1000 400 300 5 4 3 2 1 0
part: 3
desc: Trigger: Program termination
events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw
totals: 77
"""
NAME = "benches/python/test_performance_bsatn.py::test_make[user]"


def test_cycles_of_a_profile() -> None:
    assert cycles(PROFILE) == {NAME: 1000 + 10 * (5 + 4 + 3) + 100 * (2 + 1)}


def test_runs_that_agree() -> None:
    text, is_same = report([{NAME: 1000}, {NAME: 1020}], within=2.0)
    assert is_same
    assert "all 1 benchmarks within 2 %, at most 2.000 %" in text


def test_runs_that_differ() -> None:
    text, is_same = report([{NAME: 1000}, {NAME: 1021}], within=2.0)
    assert not is_same
    assert "bsatn.py::test_make[user]" in text
    assert "DIFFERS" in text


def test_a_benchmark_that_one_run_lacks() -> None:
    assert differences([{NAME: 1000}, {}]) == {NAME: float("inf")}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_two_runs_under_valgrind() -> None:
    """The quick ones. `make bench-sim` does so with all."""
    arguments = ["benches/python/test_performance_tables.py", "-k", "test_find or test_contains"]
    runs = [simulate(arguments), simulate(arguments)]
    assert len(runs[0]) == 3
    assert all(figure > 100_000 for figure in runs[0].values())
    assert max(differences(runs).values()) <= 2.0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_failing_benchmark_is_no_figure() -> None:
    with pytest.raises(SimulationError, match="status"):
        simulate(["benches/python", "-k", "no such benchmark"])
