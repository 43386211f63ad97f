"""Recursion of every form ends in a RecursionError, on less stack than servers give (512 KiB)."""

from __future__ import annotations

import pytest
import wasmtime

from spacetime_py.build import Packed, pack
from spacetime_py.build.engine import Compiled
from spacetime_py.build.host import Host

from .probe import program

pytestmark = pytest.mark.runtime
STACK = 400 * 1024

HEAD = """
from __future__ import annotations
import copy, functools, json
import _spacetime
from spacetime_py.server import ReducerContext, reducer

class Attribute:
    def __getattr__(self, name): return getattr(self, name + "x")
class Repr:
    def __repr__(self): return f"{self}"
class Call:
    def __call__(self): return self()
class Equal:
    def __eq__(self, other): return self == other
class Iterate:
    def __iter__(self): return iter(list(self))
class Init:
    def __init__(self): Init()
class Meta(type):
    def __instancecheck__(cls, one): return isinstance(one, cls)
class Instance(metaclass=Meta): pass
class Row:
    @property
    def value(self): return _spacetime.encode(codec, Row())
class Tree:
    def __init__(self, value): self.value = value

codec = _spacetime.codec(("product", Row, (("value", "bytes"),)))
tree = _spacetime.codec_forward()
_spacetime.codec_define(tree, ("product", Tree, (("value", ("list", tree)),)))

def nested(count, make=lambda inner: [inner]):
    value = make([])
    for _ in range(count):
        value = make(value)
    return value

def plain(n): return plain(n + 1)
def key(n): return sorted([1, 2], key=key)
def mapped(n): return list(map(mapped, [n]))
def generator():
    yield from generator()
def comprehended(n): return [comprehended(n) for _ in range(1)]
def with_codec(depth):
    if depth:
        return with_codec(depth - 1)
    return _spacetime.encode(tree, Tree([Tree([])]))
def many_partials():
    call = plain
    for _ in range(100_000):
        call = functools.partial(call)
    return call(1)
@functools.lru_cache
def cached(n): return cached(n + 1)
"""

FORMS = {
    "plain": "plain(1)",
    "attribute": "Attribute().a",
    "repr": "repr(Repr())",
    "call": "Call()()",
    "equal": "Equal() == 1",
    "iterate": "list(Iterate())",
    "init": "Init()",
    "isinstance": "isinstance(1, Instance)",
    "property": "_spacetime.encode(codec, Row())",
    "sort": "key(1)",
    "map": "mapped(1)",
    "generator": "next(generator())",
    "comprehension": "comprehended(1)",
    "partials": "many_partials()",
    "cached": "cached(1)",
    "nested repr": "repr(nested(100_000))",
    "nested json": "json.dumps(nested(100_000))",
    "parsed json": "json.loads('[' * 100_000)",
    "copy": "copy.deepcopy(nested(1000))",
    "codec, deep down": "[with_codec(n) for n in range(0, 700, 10)]",
    "nested compare": "nested(100_000) == nested(100_000)",
    "nested tuple": "hash(nested(100_000, lambda inner: (inner,)[:1] if inner else ()))",
}


@pytest.fixture(scope="module")
def packed(runtime: object) -> Packed:
    reducers = [
        f"@reducer\ndef form_{number}(ctx: ReducerContext) -> None:\n    {text}\n"
        for number, text in enumerate(FORMS.values())
    ]
    return pack(program(HEAD + "\n".join(reducers)))


@pytest.fixture(scope="module")
def compiled(packed: Packed) -> Compiled:
    config = wasmtime.Config()
    config.consume_fuel = True
    config.max_wasm_stack = STACK
    engine = wasmtime.Engine(config)
    return Compiled(engine, wasmtime.Module(engine, packed.wasm))


@pytest.mark.parametrize("form", FORMS)
def test_recursion_is_an_exception(compiled: Compiled, form: str) -> None:
    host = Host(compiled)
    number = list(FORMS).index(form)
    outcome = host.reducer(number)
    if form not in ("partials", "nested tuple"):  # which CPython flattens, or makes no loop of
        assert outcome.output.startswith(b"RecursionError"), outcome
    assert host.reducer(number).code == outcome.code, "the interpreter goes on"
