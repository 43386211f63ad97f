"""What was measured, as it is kept in a file: metrics with a value for each round, and facts."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from .histogram import Histogram

VERSION = 1
Better = Literal["lower", "higher", "neither"]


class FormatError(ValueError):
    """A file is none of ours, or of another version."""


@dataclass(frozen=True)
class Metric:
    """One figure, measured once in every round."""

    name: str
    unit: str
    better: Better
    rounds: tuple[float, ...]
    histogram: str | None = None
    """All values of all rounds, encoded (`Histogram.decode`), in nanoseconds."""
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def deviation(self) -> float:
        """Of a round, from the median of the rounds: 1.4826 MAD, as robust as can be."""
        middle = self.median
        return 1.4826 * statistics.median(abs(value - middle) for value in self.rounds)

    @property
    def spread(self) -> float:
        """The deviation as a part of the median; 0.0 when that is 0."""
        return self.deviation / abs(self.median) if self.median else 0.0


@dataclass(frozen=True)
class Facts:
    """What advice is drawn from. A number is None where nothing was measured."""

    loop: str = ""
    """The event loop: `asyncio`, `uvloop`, `trio`."""
    is_uvloop_there: bool = False
    call_p50: float | None = None
    """Nanoseconds of a call, one in flight."""
    work_seconds: float | None = None
    """Of the phases in which callbacks ran."""
    callback_seconds: float | None = None
    """Of these, inside the program's callbacks."""
    callback_p99: float | None = None
    """Nanoseconds."""
    slowest_callback: str = ""
    dropped: int = 0
    """What queues of streams lost."""
    overflows: int = 0
    """Streams that ended since their queue was full."""
    reads_per_row: float | None = None
    """Fields that were read of each row object that was made."""
    scans: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """By table: how often all rows were iterated, and how many rows these were."""
    lookups: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """By table: keys that were found in the cache, and keys that were not."""
    indexed: tuple[str, ...] = ()
    """Tables that have an index."""


@dataclass(frozen=True)
class Run:
    """Everything of one run."""

    what: str
    metrics: tuple[Metric, ...]
    facts: Facts = Facts()
    environment: dict[str, str] = field(default_factory=dict[str, str])
    profile: str = ""
    """What a profiler found, as text."""

    def metric(self, name: str) -> Metric | None:
        return next((metric for metric in self.metrics if metric.name == name), None)


def environment() -> dict[str, str]:
    """Machine and versions."""
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load": " ".join(f"{value:.1f}" for value in os.getloadavg()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: importlib.metadata.version(name) for name in ("spacetime-py", "anyio")},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), "")


def has_uvloop() -> bool:
    return importlib.util.find_spec("uvloop") is not None


def save(run: Run, path: Path) -> None:
    document = {"format": "spacetime-py metrics", "version": VERSION, **asdict(run)}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Run:
    """Raises FormatError, OSError."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != "spacetime-py metrics" or document["version"] != VERSION:
            raise KeyError("version")
        facts = document["facts"]
        for name in ("scans", "lookups"):
            facts[name] = {table: (one, other) for table, (one, other) in facts[name].items()}
        facts["indexed"] = tuple(facts["indexed"])
        return Run(
            what=document["what"],
            metrics=tuple(_metric(metric) for metric in document["metrics"]),
            facts=Facts(**facts),
            environment=document["environment"],
            profile=document["profile"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"{path} is no file of metrics of version {VERSION}: make it anew with "
            f"`python -m benches.metrics run --out {path}` ({error})"
        ) from error


def _metric(document: dict[str, Any]) -> Metric:
    document["rounds"] = tuple(map(float, document["rounds"]))
    return Metric(**document)


def latency_metrics(name: str, rounds: Sequence[Sequence[int]]) -> list[Metric]:
    """p50, p99 and p99.9 of each round's nanoseconds, and the histogram of all."""
    histograms = [Histogram(values) for values in rounds]
    together = Histogram()
    for one in histograms:
        together.add(one)
    encoded = together.encode()
    return [
        Metric(
            f"{name}, p{percent:g}",
            "ns",
            "lower",
            tuple(float(one.percentile(percent)) for one in histograms),
            encoded if percent == 50 else None,
            f"{together.count} values",
        )
        for percent in (50, 99, 99.9)
    ]


def say(text: str) -> None:
    """Progress, apart from results."""
    print(text, file=sys.stderr, flush=True)
