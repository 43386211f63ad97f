"""The targets, and a line in pytest's summary for each long run."""

from __future__ import annotations

import pytest

from .fixtures import target, target_name, target_server

__all__ = ["target", "target_name", "target_server"]

SUMMARY: list[str] = []


@pytest.fixture(scope="session")
def summary() -> list[str]:
    """Lines that are shown at the end of the run."""
    return SUMMARY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if SUMMARY:
        terminalreporter.section("adversity")
        for line in SUMMARY:
            terminalreporter.write_line(line)
