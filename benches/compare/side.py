"""The Python side of one run, in a process of its own: `python -m benches.compare.side`.

Reads `{"scenario", "options", "folder", "quick"}` from standard input; writes a JSON line.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path

from .measure import Run


def main() -> None:
    given = json.load(sys.stdin)
    folder = Path(given["folder"])
    sys.path.insert(0, str(folder))
    warnings.simplefilter("ignore")  # of the SDK's advice; results are checked by their checksums
    bindings = importlib.import_module(given["options"].get("bindings", "bindings"))
    scenario = importlib.import_module(f".scenarios.{given['scenario']}", __package__)
    run = Run(given["options"], folder, bindings, given["quick"])
    try:
        answer = scenario.run(run).as_json()
    except NotImplementedError as error:
        answer = {"failed": str(error)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
