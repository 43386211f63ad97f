"""What the loops alone take, over plain objects with slots that were made before, fields too."""

from __future__ import annotations

from spacetime_py import from_bsatn

from ..frames import read
from ..making import values_of
from ..measure import Result, Run, repeat
from ..reading import reader


def run(run: Run) -> Result:
    """Options: those of `decode`, with the mode `batch`."""
    kind = run.options["kind"]
    cls = getattr(run.bindings, kind.capitalize())
    plain = type(cls.__name__, (), {"__slots__": cls.__match_args__})
    rows = []
    for data in read(run.folder / run.options["data"]):
        values = values_of(run.bindings, kind, from_bsatn(cls, data))
        row = plain()
        for name, value in zip(cls.__match_args__, values, strict=True):
            setattr(row, name, value)
        rows.append(row)
    check = reader(run.bindings, kind, run.options["fields"])
    return repeat(run, len(rows), lambda: check(rows))
