"""A module that runs texts: tests of the runtime's own functions say in Python what to do."""

from __future__ import annotations

import ast
from typing import Any

from spacetime_py.build import Packed, Program, Source, pack
from spacetime_py.build.database import Database
from spacetime_py.build.engine import compile_wasm
from spacetime_py.build.host import Host

PROBE = """
from __future__ import annotations

import random

import _spacetime
from spacetime_py.server import PrimaryKey, ReducerContext, auto_inc, log, reducer, table, u8, u64

@table(public=True)
class Item:
    id: PrimaryKey[u64] = auto_inc()
    name: str
    size: u8 = 1

names = {}

@reducer
def probe(ctx: ReducerContext, text: str) -> None:
    space = {**globals(), **vars(_spacetime), "ctx": ctx, **names}
    lines = text.rsplit("\\n", 1)
    if len(lines) == 2:
        exec(lines[0], space)
    result = eval(lines[-1], space)
    names.update({k: v for k, v in space.items() if k.startswith("keep_")})
    _spacetime.log(2, "result", None, None, repr(result))
"""


def program(text: str, **others: str) -> Program:
    """A program of one module `main`, and of others by their names."""
    modules = {"main": Source(text, "main.py")}
    for name, other in others.items():
        modules[name] = Source(other, f"{name}.py")
    return Program("main", modules)


def host_of(packed: Packed, *, cached: bool = False) -> Host:
    """A started instance with empty tables."""
    host = Host(compile_wasm(packed.wasm, cached=cached), Database(packed.module_def))
    assert host.setup() is None
    return host


def text_argument(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "little") + data


class Probe:
    """Runs texts inside one instance."""

    def __init__(self, abi: str = "10.0") -> None:
        self.packed = pack(program(PROBE), abi=abi, compiler=True)
        self.host = host_of(self.packed, cached=True)

    def __call__(self, text: str) -> Any:
        """The value of the text's last line, which has to be a literal."""
        outcome = self.host.reducer(0, text_argument(text))
        if outcome.error is not None:
            raise AssertionError(outcome.error + "\n" + self.host.logs[-1].text)
        shown = next(line for line in reversed(self.host.logs) if line.target == "result")
        return ast.literal_eval(shown.text)

    def error(self, text: str) -> str:
        """The error's text."""
        outcome = self.host.reducer(0, text_argument(text))
        assert outcome.code == 1, self.host.logs[-1]
        return outcome.output.decode()
