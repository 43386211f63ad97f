"""Typed objects to bytes.

`args` makes the objects of plain values first, as the caller of a reducer does; `batch` and `each`
have the objects: a list of them in one value, or each alone.
"""

from __future__ import annotations

from spacetime_py import from_bsatn, to_bsatn

from ..frames import read
from ..making import maker, values_of
from ..measure import Result, Run, repeat
from ..rows import array


def run(run: Run) -> Result:
    """Options: `kind` of rows, `mode` args, batch or each, `data`."""
    kind, mode = run.options["kind"], run.options["mode"]
    data = read(run.folder / run.options["data"])
    cls = getattr(run.bindings, kind.capitalize())
    rows = [from_bsatn(cls, row) for row in data]
    work = run.options.get("work", len(rows))
    if mode == "batch":
        batch = getattr(run.bindings, f"{kind.capitalize()}Batch")
        assert to_bsatn(batch(rows=rows)) == array(data), "other bytes than were given"
        return repeat(run, work, lambda: len(to_bsatn(batch(rows=rows))))
    if mode == "each":
        assert [to_bsatn(row) for row in rows] == data, "other bytes than were given"
        return repeat(run, work, lambda: sum(len(to_bsatn(row)) for row in rows))
    make, values = maker(run.bindings, kind), [values_of(run.bindings, kind, row) for row in rows]
    assert [to_bsatn(row) for row in make(values)] == data, "other bytes than were given"
    return repeat(run, work, lambda: sum(len(to_bsatn(row)) for row in make(values)))
