"""What a profile-guided build of the core is trained by: `maturin build --pgo` runs it.

Our side of the comparison's lines that need no server, their work done once or twice.
"""

from __future__ import annotations

import importlib
import logging
import sys
import tempfile
import warnings
from pathlib import Path

from .compare import data
from .compare.goals import all_lines
from .compare.goals.sizes import TRAINING
from .compare.line import Line
from .compare.measure import Run

SCENARIOS = ("decode", "encode", "in_process", "subscribe", "transactions")


def _train(line: Line, folder: Path) -> None:
    bindings = line.options.get("bindings", "bindings")
    data.make_bindings(folder, bindings, more_tables=line.options.get("tables", 0))
    for name in line.data:
        data.make(folder, name)
    scenario = importlib.import_module(f"benches.compare.scenarios.{line.scenario}")
    scenario.run(Run(line.options, folder, importlib.import_module(bindings), is_quick=True))


def main() -> None:
    warnings.simplefilter("ignore")  # of the SDK's advice
    logging.disable()  # so few rows are changed that some changes come twice
    lines = {str(line.options): line for line in all_lines(TRAINING) if line.scenario in SCENARIOS}
    with tempfile.TemporaryDirectory() as name:
        sys.path.insert(0, name)
        for line in lines.values():
            _train(line, Path(name))
    print(f"trained by {len(lines)} lines")


if __name__ == "__main__":
    main()
