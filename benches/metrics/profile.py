"""The workload under a profiler: cProfile for time, memray for memory (docs/decisions says why)."""

from __future__ import annotations

import cProfile
import io
import pstats
import tempfile
from pathlib import Path
from typing import Any

from .workload import Size, measure

LINES = 25


class ProfilerError(Exception):
    """The profiler is not installed."""


def profile_cpu(size: Size, out: Path | None) -> str:
    """Where time goes, as text; `out` gets the file for `python -m pstats` or snakeviz."""
    profiler = cProfile.Profile()
    measure(size, "asyncio", around=profiler)
    if out is not None:
        profiler.dump_stats(out)
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(LINES)
    return text.getvalue()


def profile_memory(size: Size, out: Path | None) -> str:
    """What held the most memory at its peak, as text, with the core's own allocations.

    `out` gets the file for `memray flamegraph`. Raises ProfilerError.
    """
    try:
        import memray
    except ImportError as error:
        raise ProfilerError(
            "memray is missing: `pip install memray`, which there is for Linux and macOS"
        ) from error
    with tempfile.TemporaryDirectory(prefix="spacetime-py-memray-") as folder:
        file = out or Path(folder) / "memray.bin"
        file.unlink(missing_ok=True)
        measure(size, "asyncio", around=memray.Tracker(file, native_traces=True))
        with memray.FileReader(file) as reader:
            shown = _peak(list(reader.get_high_watermark_allocation_records(merge_threads=True)))
    return shown


def _peak(records: list[Any]) -> str:
    total, count = sum(one.size for one in records), sum(one.n_allocations for one in records)
    lines = [f"{total / 1e6:.1f} MB at the peak, in {count:,} allocations"]
    for record in sorted(records, key=lambda one: one.size, reverse=True)[:LINES]:
        stack = record.hybrid_stack_trace(max_stacks=3)
        where = " < ".join(f"{name} ({Path(path).name}:{line})" for name, path, line in stack)
        lines.append(f"{record.size / 1e6:10.2f} MB  {record.n_allocations:9,}  {where}")
    return "\n".join(lines) + "\n"
