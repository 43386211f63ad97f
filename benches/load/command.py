"""What the commands of this folder have in common: options, and a run's figures as text or JSON."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from benches.metrics.markdown import run_report
from benches.metrics.model import Run, save

from .places import PLACES


def parser(about: str, names: tuple[str, ...]) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all")
    made.add_argument("--place", choices=PLACES, default="peer-v3")
    made.add_argument("--quick", action="store_true", help="small, to see that it works")
    made.add_argument("--rounds", type=int)
    made.add_argument("--loop", choices=["asyncio", "uvloop", "trio"], default="asyncio")
    made.add_argument("--out", type=Path, metavar="FOLDER", help="a file of JSON for each")
    return made


def backend_of(loop: str) -> tuple[str, dict[str, bool]]:
    """anyio's backend and its options."""
    return ("trio", {}) if loop == "trio" else ("asyncio", {"use_uvloop": loop == "uvloop"})


def tell(run: Run, name: str, options: argparse.Namespace) -> None:
    """Print it, and write it where that was asked for."""
    run = replace(
        run, environment={**run.environment, "place": options.place, "loop": options.loop}
    )
    print(run_report(run))
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        save(run, options.out / f"{name}-{options.place}.json")
