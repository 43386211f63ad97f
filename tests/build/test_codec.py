"""BSATN in the guest: the same vectors as everywhere, and any bytes and values without a crash."""

from __future__ import annotations

import random

import pytest

from .probe import Probe

VECTORS: list[tuple[str, str, str]] = [
    ('"u32"', "7", "07000000"),
    ('"str"', '"ab"', "020000006162"),
    ('("list", "u16")', "[1, 2]", "0200000001000200"),
    ('("option", "u8")', "5", "0005"),
    ('("option", "u8")', "None", "01"),
    ('("product", None, (("x", "i32"), ("y", "bool")))', "(-1, True)", "ffffffff01"),
    ('"bool"', "False", "00"),
    ('"i8"', "-128", "80"),
    ('"u16"', "65535", "ffff"),
    ('"i64"', "-2", "feffffffffffffff"),
    ('"u64"', "2**64 - 1", "ffffffffffffffff"),
    ('"u64"', "2**30", "0000004000000000"),
    ('"i128"', "-1", "ff" * 16),
    ('"u128"', "1", "01" + "00" * 15),
    ('"i256"', "-2**255", "00" * 31 + "80"),
    ('"u256"', "2**256 - 1", "ff" * 32),
    ('"f32"', "1.5", "0000c03f"),
    ('"f64"', "-0.0", "0000000000000080"),
    ('"bytes"', "b'\\x00\\xff'", "0200000000ff"),
    ('("list", ("list", "str"))', "[[], ['é']]", "02000000000000000100000002000000c3a9"),
    ('("product", None, ())', "()", ""),
]


@pytest.mark.parametrize(("description", "value", "data"), VECTORS)
def test_vectors(probe: Probe, description: str, value: str, data: str) -> None:
    assert probe(f"encode(codec({description}), {value}).hex()") == data
    assert probe(f"decode(codec({description}), bytes.fromhex('{data}')) == {value}") is True


def test_nans_keep_their_payload(probe: Probe) -> None:
    for kind, data in (("f32", "0100a07f"), ("f32", "0000c0ff"), ("f64", "010000000000f47f")):
        text = f"encode(codec('{kind}'), decode(codec('{kind}'), bytes.fromhex('{data}'))).hex()"
        assert probe(text) == data


CLASSES = """
class P:
    def __init__(self, x, y): self.x = x; self.y = y
class S:
    __slots__ = ("x", "y")
    def __init__(self, x, y): self.x = x; self.y = y
class A:
    __slots__ = ("value",)
    def __init__(self, value): self.value = value
class B:
    def __init__(self, value=None): self.value = value
"""


@pytest.mark.parametrize("cls", ["P", "S"])
def test_products_are_instances(probe: Probe, cls: str) -> None:
    text = f"""{CLASSES}
c = codec(("product", {cls}, (("x", "u8"), ("y", "str"))))
data = encode(c, {cls}(1, "a"))
back = decode(c, data)
(data.hex(), type(back).__name__, back.x, back.y)"""
    assert probe(text) == ("010100000061", cls, 1, "a")


def test_sums_enums_and_unions(probe: Probe) -> None:
    text = f"""{CLASSES}
s = codec(("sum", ((A, "u8"), (B, None))))
e = codec(("enum", (1.5, "two")))
u = codec(("union", ((A, ("product", A, (("value", "u8"),))), (str, "str"))))
a, b = decode(s, b"\\0\\x07"), decode(s, b"\\1")
(encode(s, A(7)).hex(), encode(s, B()).hex(), a.value, type(b).__name__, encode(e, "two").hex(),
 decode(e, b"\\0"), encode(u, A(3)).hex(), encode(u, "x").hex(), decode(u, b"\\0\\x09").value)"""
    assert probe(text.replace("\n (", "\n(").replace(",\n ", ", ")) == (
        "0007", "01", 7, "B", "01", 1.5, "0003", "010100000078", 9,
    )  # fmt: skip


def test_options_of_options_are_boxed(probe: Probe) -> None:
    text = """
from spacetime_py.server import Some
c = codec(("option", ("option", "u8")))
values = [None, Some(None), Some(5)]
[(encode(c, v).hex(), decode(c, encode(c, v)) == v) for v in values]"""
    assert probe(text) == [("01", True), ("0001", True), ("000005", True)]


RECURSIVE = f"""{CLASSES}
tree = codec_forward()
codec_define(tree, ("product", B, (("value", ("list", tree)),)))
def deep(n):
    b = B([])
    for _ in range(n): b = B([b])
    return b
"""


def test_types_that_hold_themselves(probe: Probe) -> None:
    assert (
        probe(f"{RECURSIVE}\nencode(tree, B([B([]), B([])])).hex()") == "020000000000000000000000"
    )
    assert probe(f"{RECURSIVE}\nlen(encode(tree, decode(tree, encode(tree, deep(50)))))") == 51 * 4
    assert "too deeply nested" in probe.error(f"{RECURSIVE}\nencode(tree, deep(5000))")
    deep_bytes = f"{RECURSIVE}\ndecode(tree, b'\\1\\0\\0\\0' * 5000 + bytes(4))"
    assert "too deeply nested" in probe.error(deep_bytes)
    cycle = f"{RECURSIVE}\nb = B([])\nb.value.append(b)\nencode(tree, b)"
    assert "too deeply nested" in probe.error(cycle)


@pytest.mark.parametrize(
    ("description", "value", "message"),
    [
        ('"u8"', "300", "OverflowError: 300 does not fit u8 (0 to 255)"),
        ('"u8"', "-1", "OverflowError: -1 does not fit u8 (0 to 255)"),
        ('"i8"', "128", "OverflowError: 128 does not fit i8 (-128 to 127)"),
        ('"u64"', "2**64", "OverflowError: 18446744073709551616 does not fit u64"),
        ('"u256"', "10**5000", "OverflowError: an int of 16610 bits does not fit u256"),
        ('"u8"', "True", "TypeError: expected int (u8), got bool True"),
        ('"u8"', "1.0", "TypeError: expected int (u8), got float 1.0"),
        ('"bool"', "1", "TypeError: expected bool, got int 1"),
        ('"f32"', "1e300", "OverflowError: 1e+300 does not fit f32"),
        ('"f64"', "'1'", "TypeError: expected float, got str '1'"),
        ('"str"', "b'x'", "TypeError: expected str, got bytes b'x'"),
        ('"str"', "'\\ud800'", "ValueError: a str with lone surrogates"),
        ('"bytes"', "'x'", "TypeError: expected bytes, got str 'x'"),
        ('("list", "u8")', "'x'", "TypeError: expected list, got str 'x'"),
        ('("list", "u8")', "[1, 2, 'x']", "TypeError: [2]: expected int (u8), got str 'x'"),
        ('("product", None, (("n", "u8"),))', "(1, 2)", "TypeError: expected 1 values, got 2"),
        ('("product", None, (("n", ("list", "u8")),))', "([256],)", "OverflowError: n[0]: 256 d"),
        ('("enum", (1, 2))', "3", "TypeError: expected int, got int 3"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit(probe: Probe, description: str, value: str, message: str) -> None:
    assert probe.error(f"encode(codec({description}), {value})").startswith(message)


def test_the_way_to_a_value_is_told(probe: Probe) -> None:
    assert probe.error("ctx.db[Item].insert(Item(name=5))") == (
        "TypeError: Item.name: expected str, got int 5"
    )
    assert probe.error("ctx.db[Item].insert(Item(name='', size=256))") == (
        "OverflowError: Item.size: 256 does not fit u8 (0 to 255)"
    )


@pytest.mark.parametrize(
    "description",
    [
        '"what"',
        "5",
        "()",
        '("list",)',
        '("product", 5, ())',
        '("enum", [1])',
        '("sum", ((5, None),))',
    ],
)
def test_descriptions_that_are_none(probe: Probe, description: str) -> None:
    assert "codec" in probe.error(f"codec({description})")


def test_a_forward_type_that_is_never_defined(probe: Probe) -> None:
    assert "never defined" in probe.error("encode(codec_forward(), 1)")
    assert "only itself" in probe.error("f = codec_forward()\ncodec_define(f, f)")


def test_counts_are_checked_before_anything_is_allocated(probe: Probe) -> None:
    before = probe.host.memory_size()
    for description in ('("list", "u8")', '"str"', '"bytes"', '("list", ("product", None, ()))'):
        error = probe.error(f"decode(codec({description}), b'\\xff\\xff\\xff\\xff')")
        assert error.startswith("ValueError")
    assert probe.host.memory_size() == before


FUZZ = f"""{RECURSIVE}
r = random
kinds = ["bool", "u8", "i32", "u64", "i256", "f32", "f64", "str", "bytes"]
def shape(rng, depth):
    pick = rng.randrange(9 if depth else 3)
    if pick < 3: return rng.choice(kinds)
    if pick == 3: return ("list", shape(rng, depth - 1))
    if pick == 4: return ("option", shape(rng, depth - 1))
    if pick == 5:
        return ("product", None, tuple((f"f{{i}}", shape(rng, depth - 1)) for i in range(3)))
    if pick == 6: return ("sum", ((A, shape(rng, depth - 1)), (B, None)))
    if pick == 7: return ("enum", (1, 2, 3))
    return tree
rng = r.Random(SEED)
good = bad = 0
for _ in range(300):
    c = codec(shape(rng, 3))
    data = rng.randbytes(rng.choice((0, 1, 3, 8, 40)))
    if rng.random() < 0.5: data = bytes(b & 3 for b in data)
    try:
        value = decode(c, data)
    except ValueError:
        bad += 1
    else:
        good += 1
        again = encode(c, value)
        assert again == data, (data, again)
good + bad"""


def test_any_bytes_are_a_value_or_an_error(probe: Probe) -> None:
    for seed in random.Random(5).sample(range(10**6), 10):
        assert probe(FUZZ.replace("SEED", str(seed))) == 300
