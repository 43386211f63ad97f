"""The comparison with the official TypeScript SDK: `python -m benches.compare run` and `report`."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .driver import key_of, run_lines, selected
from .goals import all_lines
from .goals.sizes import QUICK, WHOLE
from .outcome import Outcome, outcome
from .place import SetupError, bench, machine, say, versions
from .report import page, summary, table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benches.compare", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the lines and print the table")
    run.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    run.add_argument(
        "--only", action="append", default=[], help="lines whose name holds this; may be repeated"
    )
    run.add_argument("--json", type=Path, help="a file for the results, written after each round")
    run.add_argument("--quick", action="store_true", help="tiny: to see that each line runs")
    report = commands.add_parser("report", help="print the page of a run")
    report.add_argument("file", type=Path, help="what `run --json` wrote")
    return parser


def _command(options: argparse.Namespace) -> str:
    """What was called, without this machine's folders."""
    given = [Path(each).name if each == str(options.json) else each for each in sys.argv[1:]]
    return shlex.join(["python", "-m", "benches.compare", *given])


def _run(options: argparse.Namespace) -> None:
    started = datetime.now(timezone.utc)
    lines = selected(all_lines(QUICK if options.quick else WHOLE), options.only)
    rounds = 1 if options.quick else options.rounds
    facts = {"versions": versions(), "machine": machine()}
    outcomes: list[Outcome] = []
    with bench(options.quick) as place:
        for number, found in enumerate(run_lines(place, lines, rounds, say), 1):
            outcomes = [outcome(line, found[key_of(line)], options.quick) for line in lines]
            result: dict[str, Any] = {
                "date": started.strftime("%Y-%m-%d %H:%M UTC"),
                "command": _command(options),
                "rounds": number,
                **facts,
                "lines": [one.as_json() for one in outcomes],
                "runs": {key: state.answers for key, state in found.items()},
            }
            if options.json is not None:
                options.json.write_text(json.dumps(result, indent=1) + "\n")
    print(table(outcomes))
    print(f"\n{summary(outcomes)}")


def main() -> None:
    options = _parser().parse_args()
    if options.command == "report":
        print(page(json.loads(options.file.read_text())), end="")
        return
    try:
        _run(options)
    except SetupError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
