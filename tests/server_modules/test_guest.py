"""The package in its place: inside of a module, in the packer's own host."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .raw import read_module

pytest.importorskip("wasmtime")

from spacetime_py.build import BuildError, Program, pack, read_modules
from spacetime_py.build.database import Database
from spacetime_py.build.engine import compile_wasm
from spacetime_py.build.host import Host, Outcome

HERE = Path(__file__).parent / "guest"
SENDER = bytes([5]) + bytes(31)
NOW = 1_700_000_000_000_000


class Probe:
    """The program of `guest/probe.py`, running."""

    def __init__(self) -> None:
        packed = pack(Program("probe", read_modules(HERE)), abi="10.5")
        self.host = Host(compile_wasm(packed.wasm, cached=True), Database(packed.module_def))
        assert self.host.setup() is None
        module = read_module(packed.description)["V10"]
        sections: dict[str, Any] = {}
        for section in module["sections"]:
            sections.update(section)
        self.numbers = {one["source_name"]: n for n, one in enumerate(sections["Reducers"])}

    def call(self, name: str, arguments: bytes = b"") -> Outcome:
        self.host.logs.clear()
        return self.host.reducer(
            self.numbers[name],
            arguments,
            sender=SENDER,
            connection_id=bytes([9]) + bytes(15),
            timestamp=NOW,
        )

    def done(self, name: str, arguments: bytes = b"") -> None:
        outcome = self.call(name, arguments)
        told = [f"{line.filename}:{line.line} {line.text}" for line in self.host.logs]
        assert outcome.code == 0, (outcome.error, told)

    def texts(self) -> list[str]:
        return [line.text for line in self.host.logs]


@pytest.fixture(scope="module")
def running() -> Probe:
    try:
        return Probe()
    except BuildError as error:
        if "the runtime for server modules is not here" in str(error):
            pytest.skip(str(error))
        raise


@pytest.fixture
def probe(running: Probe) -> Iterator[Probe]:
    yield running
    assert running.host.database is not None
    for table in running.host.database.tables:
        for data in list(table.rows):
            table.remove(data)


def test_reading_and_writing() -> None:
    probe = Probe()
    probe.done("fill", struct.pack("<I", 12))
    probe.done("look")
    probe.done("change")


def test_errors(probe: Probe) -> None:
    probe.done("errors")
    unique, missing, *wrong = probe.texts()
    assert unique == (
        "thing: a row with the same value of a unique column is there already 12 thing"
    )
    assert missing == "Thing.id: there is no row with this key to update 15 True"
    assert [text.split(":")[0] for text in wrong] == ["OverflowError"] * 2 + ["TypeError"] * 2
    assert all("kind" in text for text in wrong), wrong


def test_values(probe: Probe) -> None:
    probe.done("values")


def test_context(probe: Probe) -> None:
    probe.done("context")
    sender, identity, numbers = probe.texts()
    assert sender == f"{5:064x} {9:032x} {NOW} False"
    assert identity.endswith(" None")
    assert numbers.endswith(f"TimeDuration({NOW - 1})")
    probe.done("context")
    assert probe.texts()[2] == numbers


def test_log(probe: Probe) -> None:
    probe.done("speak")
    lines = [(line.level, line.text) for line in probe.host.logs]
    assert lines == [(2, "one 2"), (2, "a"), (2, "b"), (4, "quiet")]
    assert {line.filename for line in probe.host.logs} == {"probe.py"}
    assert {line.target for line in probe.host.logs} == {"probe"}
    source = (HERE / "probe.py").read_text().splitlines()
    assert [source[(line.line or 0) - 1].strip() for line in probe.host.logs] == [
        'print("one", 2)',
        'print("a\\nb")',
        'print("a\\nb")',
        'log.trace("quiet")',
    ]


def test_a_refusal(probe: Probe) -> None:
    outcome = probe.call("refuse", struct.pack("<I", 3) + "nö".encode())
    assert outcome.error == "nö"
    assert probe.host.logs == []
    probe.done("fill", struct.pack("<I", 60))  # the row that it inserted is gone


def test_an_exception(probe: Probe) -> None:
    outcome = probe.call("stumble")
    assert outcome.error == "ValueError: worse"
    (line,) = probe.host.logs
    assert (line.level, line.filename) == (0, "probe.py")
    source = (HERE / "probe.py").read_text().splitlines()
    assert source[(line.line or 0) - 1].strip().startswith("raise ValueError")
    assert "KeyError: 'missing'\n\nwhich directly caused:" in line.text
    outcome = probe.call("fall")
    assert outcome.error is not None
    assert outcome.error.startswith("RecursionError: ")
    assert len(probe.host.logs[0].text) < 5000
    probe.done("speak")


def test_views(probe: Probe) -> None:
    probe.done("fill", struct.pack("<I", 3))
    mine = probe.host.view(0, sender=SENDER)
    assert mine.code == 2
    assert mine.output[:5] == b"\0" + struct.pack("<I", 3)
    nobody = probe.host.view(0, sender=bytes(32))
    assert (nobody.code, nobody.output) == (2, bytes(5))
    first = probe.host.view(0)
    assert (first.code, first.output[:1]) == (2, b"\0")
    assert first.output[1:5] in (struct.pack("<I", 0), struct.pack("<I", 1))
    sql = b"SELECT * FROM thing WHERE kind = 3"
    third = probe.host.view(1)
    assert (third.code, third.output) == (2, b"\1" + struct.pack("<I", len(sql)) + sql)


def test_procedures(probe: Probe) -> None:
    probe.done("fill", struct.pack("<I", 3))
    outcome = probe.host.procedure(0, bytes([4]), sender=SENDER)
    assert (outcome.code, outcome.output) == (0, struct.pack("<Q", 7))
    outcome = probe.host.procedure(1, sender=SENDER)
    assert (outcome.code, outcome.output) == (0, b"")
