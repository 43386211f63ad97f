"""Rows out of bytes: a batch as one value with all rows, or each row alone."""

from __future__ import annotations

from spacetime_py import from_bsatn

from ..frames import read
from ..measure import Result, Run, repeat
from ..reading import reader
from ..rows import array


def run(run: Run) -> Result:
    """Options: `kind` of rows, `fields` made, one or all, `mode` batch or each, `data`."""
    kind, mode = run.options["kind"], run.options["mode"]
    rows = read(run.folder / run.options["data"])
    cls = getattr(run.bindings, kind.capitalize())
    check = reader(run.bindings, kind, run.options["fields"])
    if mode == "array":
        raise NotImplementedError("the SDK gives no buffer or array over the fields of many rows")
    if mode == "each":
        return repeat(run, len(rows), lambda: check([from_bsatn(cls, row) for row in rows]))
    batch, data = getattr(run.bindings, f"{kind.capitalize()}Batch"), array(rows)
    return repeat(
        run, run.options.get("work", len(rows)), lambda: check(from_bsatn(batch, data).rows)
    )
