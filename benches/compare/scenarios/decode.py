"""Rows out of bytes: a batch as one value with all rows, or each row alone."""

from __future__ import annotations

from types import GenericAlias
from typing import Any

from spacetime_py import from_bsatn
from spacetime_py.arrays import array_from_bsatn

from ..frames import read
from ..measure import Result, Run, repeat
from ..reading import reader
from ..rows import array


def run(run: Run) -> Result:
    """Options: `kind` of rows, `fields` made, one or all, `mode` batch, array or each, `data`."""
    kind, mode = run.options["kind"], run.options["mode"]
    rows = read(run.folder / run.options["data"])
    cls = getattr(run.bindings, kind.capitalize())
    check = reader(run.bindings, kind, run.options["fields"])
    if mode == "array":
        data = array(rows)
        return repeat(run, len(rows), lambda: _sum(array_from_bsatn(cls, data)))
    if mode == "each":
        return repeat(run, len(rows), lambda: check([from_bsatn(cls, row) for row in rows]))
    rows_type: Any = GenericAlias(list, (cls,))
    data = array(rows)
    return repeat(
        run, run.options.get("work", len(rows)), lambda: check(from_bsatn(rows_type, data))
    )


def _sum(points: Any) -> float:
    """Of every field: `reading.point_all` for an array, exact since the numbers are short.

    The fields are of one type, so that the array is a matrix of numbers as well.
    """
    return float(points.view("f8").sum())
