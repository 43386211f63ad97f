"""`python -m benches.metrics`: see the package."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from . import __doc__ as ABOUT
from .compare import compare
from .html import page
from .markdown import comparison_report, run_report
from .model import FormatError, Run, load, save
from .profile import ProfilerError, profile_cpu, profile_memory
from .workload import QUICK, Size, measure


def main(arguments: list[str] | None = None) -> int:
    """The status: 0; 1 for a regression; 2 when a file or a profiler is missing."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except (FormatError, ProfilerError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benches.metrics",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True)

    run = commands.add_parser("run", help="measure the workload on the live peer")
    _add_size(run)
    run.add_argument("--loop", choices=["asyncio", "uvloop", "trio"], default="asyncio")
    run.add_argument("--out", type=Path, metavar="FILE", help="JSON, for `report` and `compare`")
    run.set_defaults(command=_run)

    report = commands.add_parser("report", help="show what a file holds")
    report.add_argument("file", type=Path)
    report.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots instead")
    report.set_defaults(command=_report)

    both = commands.add_parser("compare", help="two files; status 1 when something became worse")
    both.add_argument("before", type=Path)
    both.add_argument("after", type=Path)
    both.add_argument(
        "--floor", type=float, default=5.0, metavar="PERCENT", help="what counts as no change (5)"
    )
    both.set_defaults(command=_compare)

    profile = commands.add_parser("profile", help="the workload under a profiler")
    profile.add_argument("what", choices=["cpu", "memory"])
    profile.add_argument("--out", type=Path, metavar="FILE", help="for pstats, or for memray")
    profile.add_argument("--into", type=Path, metavar="FILE", help="add it to a run's file")
    _add_size(profile)
    profile.set_defaults(command=_profile)
    return parser


def _add_size(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="small, to see that it works")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--calls", type=int)


def _size(options: argparse.Namespace) -> Size:
    size = QUICK if options.quick else Size()
    given = {name: getattr(options, name) for name in ("rounds", "rows", "calls")}
    return replace(size, **{name: value for name, value in given.items() if value is not None})


def _run(options: argparse.Namespace) -> int:
    backend = "trio" if options.loop == "trio" else "asyncio"
    run = measure(_size(options), backend, use_uvloop=options.loop == "uvloop")
    if options.out is not None:
        save(run, options.out)
    print(run_report(run), end="")
    return 0


def _report(options: argparse.Namespace) -> int:
    run = load(options.file)
    if options.html is None:
        print(run_report(run), end="")
    else:
        options.html.write_text(page(run), encoding="utf-8")
    return 0


def _compare(options: argparse.Namespace) -> int:
    before, after = load(options.before), load(options.after)
    comparisons = compare(before, after, options.floor / 100)
    print(comparison_report(comparisons, before, after), end="")
    return 1 if any(one.is_failing for one in comparisons) else 0


def _profile(options: argparse.Namespace) -> int:
    profiler = profile_cpu if options.what == "cpu" else profile_memory
    text = profiler(_size(options), options.out)
    if options.into is not None:
        run: Run = load(options.into)
        save(replace(run, profile=text), options.into)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
