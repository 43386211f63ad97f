"""The same beside other languages, without goals: where the next step would be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..line import Line, Other
from . import cache, codec, network
from .sizes import Sizes

GO = "a minimal client of our own in benches/compare/go: the module proxy serves no Go SDK"
RUST = "our own core without Python, which checks rows and keeps their bytes"
DECODERS: dict[Other, tuple[str, str]] = {
    "msgspec": (
        "msgspec",
        "MessagePack into Structs: the fastest typed decoder that Python has",
    ),
    "floor": (
        "rows made before",
        "objects with slots that are there when the clock starts: a decoder that takes no time",
    ),
}
BESIDE_GO = (
    *(f"decode {kind}, batch, every field" for kind in codec.KINDS),
    *(f"encode {kind}, each" for kind in codec.KINDS),
    "first subscription of 100,000 rows, no callback",
    "first subscription of 100,000 rows, on_insert reads 4 fields",
    "transactions of 1 inserts, on_insert reads 4 fields",
    "transactions of 1,000 inserts, on_insert reads 4 fields",
    "transactions of 1,000 updates, on_update reads 5 fields",
)


def lines(sizes: Sizes) -> Iterator[Line]:
    named = {line.name: line for module in (codec, cache) for line in module.lines(sizes)}
    for name in BESIDE_GO:
        line = replace(named[name], name=f"beside Go: {name}", other="go", goal=None, rounds=3)
        yield replace(line, note=GO if name == BESIDE_GO[0] else "")
    for kind in codec.KINDS:
        name, data = f"beside Rust: {kind} rows checked", f"rows.{kind}.{sizes.batch}"
        options = {"kind": kind, "fields": "made", "mode": "each", "data": data}
        note = RUST if kind == codec.KINDS[0] else ""
        line = Line(name, "decode", options, "rows/s", other="rust", rounds=3, note=note)
        yield replace(line, data=(data,))
    for other, (title, note) in DECODERS.items():
        for kind, fields in codec.BATCH_GOALS:
            if kind == "complex":
                continue
            line = named[f"decode {kind}, batch, {codec.FIELDS[fields]}"]
            name = f"beside {title}: {line.name.removeprefix('decode ')}"
            yield replace(line, name=name, other=other, goal=None, rounds=3, note=note)
            note = ""
    note = "bytes made before, through a socket that blocks: what machine and peer take"
    for line in network.one_call("uvloop"):
        name = f"beside a bare socket: {line.name}"
        yield replace(line, name=name, other="floor", goal=None, rounds=3, note=note)
        note = ""
    for count in (1_000, 100_000, 1_000_000):
        line = named[name := f"first subscription of {count:,} rows, no callback"]
        yield replace(line, name=f"beside Rust: {name}", other="rust", goal=None, rounds=3)
