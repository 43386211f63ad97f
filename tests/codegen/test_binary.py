"""Descriptions in BSATN, as modules give them, say what their JSON says."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
import wasmtime
from spacetime_py import CodegenError
from spacetime_py._core import Module, describe, generate, schema_json
from spacetime_py.build import Program, pack, read_modules

from tests.server.modules import build_module
from tests.server.python_modules import MODULES, python_module

from .packages import SCHEMAS, golden, package_name, run

each_schema = pytest.mark.parametrize("schema", SCHEMAS, ids=package_name)


@each_schema
def test_what_packages_hold_of_their_modules(schema: Path) -> None:
    """That is BSATN of version 10, which the core reads too."""
    description = describe(schema.read_text(encoding="utf-8"))
    (module,) = json.loads(schema_json(description)).values()
    (tables,) = [section["Tables"] for section in module["sections"] if "Tables" in section]
    (views,) = [section["Views"] for section in module["sections"] if "Views" in section]
    names = [table["source_name"] for table in tables] + [view["source_name"] for view in views]
    assert sorted(names) == sorted(Module(description).table_names)


@pytest.mark.runtime
@pytest.mark.parametrize("abi", ["10.0", "10.5"])
def test_a_module_in_python_at_each_level(abi: str, runtime: None) -> None:
    program = Program("chat", read_modules(MODULES / "chat_py" / "src"))
    files = dict(generate(schema_json(pack(program, abi=abi).description), "chat"))
    expected = golden(Path("chat.json"))
    for name in ("__init__.py", "tables.py", "reducers.py", "queries.py"):
        assert files[name] == (expected / name).read_text()


@each_schema
def test_broken_bytes(schema: Path) -> None:
    description = describe(schema.read_text(encoding="utf-8"))
    for end in range(0, len(description), 7):
        with pytest.raises(CodegenError, match="no description of a module in BSATN"):
            schema_json(description[:end])
    with pytest.raises(CodegenError, match="bytes after the end"):
        schema_json(description + b"\0")
    for position in range(0, min(len(description), 2000), 3):
        broken = bytearray(description)
        broken[position] ^= 0xFF
        with suppress(CodegenError):  # some bytes are another description
            json.loads(schema_json(bytes(broken)))


def test_submodules() -> None:
    """Version 10 with one section, of one submodule, which has one section without tables."""
    inner = b"\1\0\0\0" + b"\2" + b"\0\0\0\0"
    description = b"\2" + b"\1\0\0\0" + b"\x0e" + b"\1\0\0\0" + b"\4\0\0\0shop" + inner
    module: dict[str, list[dict[str, list[str]]]] = {"sections": [{"Tables": []}]}
    expected = {"sections": [{"Submodules": [{"namespace": "shop", "module": module}]}]}
    assert json.loads(schema_json(description)) == {"V10": expected}


def test_versions_that_nobody_knows() -> None:
    with pytest.raises(CodegenError, match="version tag 9, which is not 9 or 10"):
        schema_json(b"\x09")


def test_types_in_types_without_end() -> None:
    array = b"\x03" * 100_000
    with pytest.raises(CodegenError, match="too many types in types"):
        schema_json(b"\x01\x01\0\0\0" + array)


@pytest.mark.real_server
@pytest.mark.runtime
@pytest.mark.parametrize("language", ["rust", "python"])
def test_a_wasm_file(language: str, tmp_path: Path) -> None:
    wasm = build_module("chat").read_bytes() if language == "rust" else python_module("chat")
    file = tmp_path / "chat.wasm"
    file.write_bytes(wasm)
    out = tmp_path / "out"
    done = run("generate", "--wasm", file, "--out", out)
    assert (done.returncode, done.stderr) == (0, b"")
    expected = golden(Path("chat.json"))
    for name in ("__init__.py", "tables.py", "reducers.py", "queries.py"):
        assert (out / name).read_text() == (expected / name).read_text()


NEWER = r"""
(module
  (import "spacetime_10.0" "bytes_sink_write" (func $write (param i32 i32 i32) (result i32)))
  (import "spacetime_99.0" "what_nobody_knows_yet" (func $new (param i64) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\0a\00\00\00")
  (data (i32.const 16) "\02\01\00\00\00\02\00\00\00\00")
  (func (export "__setup__") (param i32) (result i32) SETUP)
  (func (export "__describe_module__") (param i32)
    (drop (call $write (local.get 0) (i32.const 16) (i32.const 8)))))
"""
"""A module of a later ABI, in WebAssembly's text: version 10, one section of no tables."""


@pytest.mark.parametrize(
    ("setup", "works"), [("(i32.const 0)", True), ("(call $new (i64.const 0))", False)]
)
def test_a_wasm_file_of_a_later_abi(setup: str, works: bool, tmp_path: Path) -> None:
    """What it imports for its reducers is no obstacle to its description."""
    wasm = wasmtime.wat2wasm(NEWER.replace("SETUP", setup))
    file = tmp_path / "newer.wasm"
    file.write_bytes(wasm)
    done = run("generate", "--wasm", file, "--out", tmp_path / "out")
    assert done.returncode == (0 if works else 1), done.stderr
    assert (b"the host has no spacetime_99.0.what_nobody_knows_yet" in done.stderr) is not works
    assert (tmp_path / "out").exists() is works


@pytest.mark.parametrize("data", [b"", b"\0asm", b"\0asm\x01\0\0\0"])
def test_a_wasm_file_that_is_no_module(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "no.wasm"
    file.write_bytes(data)
    done = run("generate", "--wasm", file, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.startswith(f"spacetime-py: {file} is no module of SpacetimeDB".encode())
    assert done.stderr.count(b"\n") == 1
    assert not (tmp_path / "out").exists()
