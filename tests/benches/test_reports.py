"""What reports say, and that a page loads nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benches.metrics.__main__ import main
from benches.metrics.advice import advice
from benches.metrics.histogram import Histogram
from benches.metrics.html import page
from benches.metrics.markdown import run_report, shown
from benches.metrics.model import Facts, Metric, Run, latency_metrics, load, save

pytestmark = pytest.mark.slow

RUN = Run(
    what="a client & a server",
    metrics=(
        *latency_metrics("call", [[1_000, 2_000, 90_000], [1_100, 2_100, 95_000]]),
        Metric("rows", "rows/s", "higher", (1e6, 2e6, 3e6), note="each <one>"),
    ),
    facts=Facts(loop="asyncio", call_p50=2_000, dropped=3),
    environment={"python": "CPython 3.13"},
    profile="1.0 MB  main",
)


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    facts = Facts(scans={"a": (1, 2)}, lookups={"b": (3, 4)}, indexed=("a", "b"))
    for run in (RUN, Run("empty", (), facts)):
        save(run, tmp_path / "run.json")
        assert load(tmp_path / "run.json") == run


def test_markdown() -> None:
    text = run_report(RUN)
    assert "# a client & a server" in text
    assert "| call, p50 | 2.05 us | ±3.7% | 2 | 6 values |" in text
    assert "| rows | 2,000,000 rows/s | ±74.1% | 3 | each <one> |" in text
    assert "- python: CPython 3.13" in text
    assert "- a stream's queue was full (3 entries dropped" in text
    assert "1.0 MB  main" in text


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)


def test_html_is_whole_and_loads_nothing() -> None:
    text = page(RUN)
    parsed = _Page()
    parsed.feed(text)
    assert parsed.open == []
    assert {"h1", "table", "svg", "polyline", "rect", "pre"} <= parsed.seen
    assert parsed.addresses == []
    assert "script" not in parsed.seen
    assert "a client &amp; a server" in text
    assert "each &lt;one&gt;" in text
    for plot in re.findall(r"<svg.*?</svg>", text):
        ElementTree.fromstring(plot)


def test_the_line_of_a_plot_rises_with_the_latencies() -> None:
    line = re.search(r'points="([^"]*)"', page(RUN))
    assert line is not None
    heights = [float(point.split(",")[1]) for point in line[1].split()]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] > heights[-1]


def test_a_run_without_latencies_has_no_plot_of_them() -> None:
    assert "Latencies" not in page(Run("empty", (Metric("rows", "rows", "higher", (0.0,)),)))


def test_the_report_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, html = tmp_path / "run.json", tmp_path / "run.html"
    save(RUN, file)
    assert main(["report", str(file)]) == 0
    assert capsys.readouterr().out == run_report(RUN)
    assert main(["report", str(file), "--html", str(html)]) == 0
    assert html.read_text() == page(RUN)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0, "ns", "0 ns"),
        (999, "ns", "999 ns"),
        (1_234, "ns", "1.23 us"),
        (12_345_678, "ns", "12.3 ms"),
        (5e9, "ns", "5 s"),
        (1234.5, "rows/s", "1,234 rows/s"),
        (None, "ns", ""),
    ],
)
def test_figures_as_people_read_them(value: float | None, unit: str, expected: str) -> None:
    assert shown(value, unit) == expected


HEALTHY = Facts(
    loop="uvloop",
    call_p50=20_000,
    work_seconds=1.0,
    callback_seconds=0.1,
    callback_p99=5_000,
    reads_per_row=1.0,
    scans={"small": (50, 500)},
    lookups={"message": (1_000, 10)},
    indexed=("message", "item"),
)


def test_nothing_is_advised_without_a_reason() -> None:
    assert advice(HEALTHY) == []
    assert advice(Facts()) == []


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(loop="asyncio", call_p50=60_000), "`pip install uvloop`"),
        (Facts(loop="asyncio", call_p50=60_000, is_uvloop_there=True), "it is installed"),
        (Facts(callback_p99=2e7, slowest_callback="on_insert of item"), "on_insert of item takes"),
        (Facts(work_seconds=1, callback_seconds=0.9), "callbacks take 90% of the time"),
        (Facts(dropped=5), "5 entries dropped"),
        (Facts(overflows=1), "1 streams ended by StreamOverflow"),
        (Facts(reads_per_row=20.0), "fields of a row are read 20 times"),
        (Facts(scans={"item": (9, 90_000)}, indexed=("item",)), "its indexes were never asked"),
        (Facts(scans={"item": (9, 90_000)}), "has no index"),
    ],
)
def test_advice_names_its_reason(facts: Facts, expected: str) -> None:
    (sentence,) = advice(facts)
    assert expected in sentence


def test_latency_metrics_keep_all_values() -> None:
    p50, p99, p999 = latency_metrics("call", [[10, 20, 30], [40, 50, 60]])
    assert (p50.rounds, p99.rounds) == ((20.0, 50.0), (30.0, 60.0))
    assert p999.name == "call, p99.9"
    assert p50.histogram is not None
    assert Histogram.decode(p50.histogram).count == 6
