"""Reads and writes wasm files section by section, as far as the packer needs it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

MAGIC = b"\0asm\1\0\0\0"
PAGE = 65536

CUSTOM, TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT = range(8)
CODE, DATA, DATA_COUNT = 10, 11, 12

KIND_FUNCTION, KIND_TABLE, KIND_MEMORY, KIND_GLOBAL = range(4)

# Zero bytes between two pieces of data that cost less than a new piece.
GAP = 16

# What hosts take; the wasm standard has no limit of its own.
MAX_SEGMENTS = 100_000

I32_CONST, END = b"\x41", b"\x0b"


class WasmError(ValueError):
    """Bytes that are no wasm file, or not one of ours."""


def uleb(number: int) -> bytes:
    """An unsigned number in LEB128."""
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        if not number:
            out.append(low)
            return bytes(out)
        out.append(low | 0x80)


def sleb(number: int) -> bytes:
    """A signed number in LEB128."""
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        if (number == 0 and not low & 0x40) or (number == -1 and low & 0x40):
            out.append(low)
            return bytes(out)
        out.append(low | 0x80)


class Cursor:
    """Reads numbers and names from a section."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def uleb(self) -> int:
        number = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return number

    def sleb(self) -> int:
        start = self.at
        number = self.uleb()
        bits = 7 * (self.at - start)
        return number - (1 << bits) if number >> (bits - 1) else number

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def name(self) -> str:
        return self.take(self.uleb()).decode()

    def rest(self) -> bytes:
        return self.data[self.at :]


Sections = list[tuple[int, bytes]]


def sections_of(wasm: bytes) -> Sections:
    """The sections in their order: number and content."""
    if wasm[:8] != MAGIC:
        raise WasmError("not a wasm file")
    cursor = Cursor(wasm)
    cursor.at = len(MAGIC)
    sections: Sections = []
    while cursor.at < len(wasm):
        number = cursor.take(1)[0]
        sections.append((number, cursor.take(cursor.uleb())))
    return sections


def join(sections: Sections) -> bytes:
    """The file again."""
    parts = (bytes([number]) + uleb(len(content)) + content for number, content in sections)
    return MAGIC + b"".join(parts)


def section(sections: Sections, number: int) -> bytes:
    for found, content in sections:
        if found == number:
            return content
    raise WasmError(f"the wasm file has no section {number}")


@dataclass(frozen=True)
class Export:
    """An entry of the export section."""

    name: str
    kind: int
    index: int


def exports_of(sections: Sections) -> list[Export]:
    cursor = Cursor(section(sections, EXPORT))
    exports: list[Export] = []
    for _ in range(cursor.uleb()):
        name = cursor.name()
        kind = cursor.take(1)[0]
        exports.append(Export(name, kind, cursor.uleb()))
    return exports


def imports_of(sections: Sections) -> list[tuple[str, str]]:
    """Module and name of each import; all of them are functions."""
    cursor = Cursor(section(sections, IMPORT))
    imports: list[tuple[str, str]] = []
    for _ in range(cursor.uleb()):
        imports.append((cursor.name(), cursor.name()))
        if cursor.take(1)[0] != KIND_FUNCTION:
            raise WasmError(f"the import {imports[-1][1]} is no function")
        cursor.uleb()
    return imports


def keep_exports(sections: Sections, names: Collection[str]) -> Sections:
    """The same, with these exports only."""
    kept = [export for export in exports_of(sections) if export.name in names]
    content = uleb(len(kept)) + b"".join(
        uleb(len(one.name.encode())) + one.name.encode() + bytes([one.kind]) + uleb(one.index)
        for one in kept
    )
    return [(number, content if number == EXPORT else old) for number, old in sections]


def with_memory(sections: Sections, memory: bytes) -> Sections:
    """The same module starting with this memory, and without sections that only people read."""
    pieces = list(data_of(memory))
    if len(pieces) > MAX_SEGMENTS:
        pieces = list(data_of(memory, gap=256))
    data = uleb(len(pieces)) + b"".join(_segment(at, piece) for at, piece in pieces)
    replaced = {
        MEMORY: _memory_of(section(sections, MEMORY), len(memory) // PAGE),
        DATA_COUNT: uleb(len(pieces)),
        DATA: data,
    }
    return [
        (number, replaced.get(number, content)) for number, content in sections if number != CUSTOM
    ]


def data_of(memory: bytes, gap: int = GAP) -> Iterator[tuple[int, bytes]]:
    """What is not zero, with its places."""
    for found in re.finditer(rb"[^\0](?:[^\0]|\0{1,%d}(?=[^\0]))*" % gap, memory):
        yield found.start(), found.group()


def segments_of(sections: Sections) -> Iterator[tuple[int, bytes]]:
    """The data segments, each at a constant place."""
    cursor = Cursor(section(sections, DATA))
    for _ in range(cursor.uleb()):
        if cursor.take(2) != b"\0" + I32_CONST:
            raise WasmError("a data segment that is not at a constant place")
        at = cursor.sleb() & 0xFFFFFFFF
        cursor.take(1)
        yield at, cursor.take(cursor.uleb())


def pages_of(sections: Sections) -> int:
    """How many pages of memory the module starts with."""
    cursor = Cursor(section(sections, MEMORY))
    cursor.take(2)
    return cursor.uleb()


def _segment(at: int, data: bytes) -> bytes:
    signed = at - (1 << 32) if at >= 1 << 31 else at
    return b"\0" + I32_CONST + sleb(signed) + END + uleb(len(data)) + data


def _memory_of(content: bytes, pages: int) -> bytes:
    cursor = Cursor(content)
    if cursor.uleb() != 1:
        raise WasmError("a module with more than one memory")
    flags = cursor.take(1)
    least = cursor.uleb()
    return uleb(1) + flags + uleb(max(least, pages)) + cursor.rest()


UNREACHABLE_BODY = b"\x00\x00\x0b"
"""No locals, `unreachable`, `end`."""


def blank_functions(sections: Sections, ranges: Iterable[tuple[int, int]]) -> Sections:
    """Empties functions that nothing can call any more; they are numbered without the imports."""
    blanked = {number for first, end in ranges for number in range(first, end)}
    cursor = Cursor(section(sections, CODE))
    count = cursor.uleb()
    bodies = [cursor.take(cursor.uleb()) for _ in range(count)]
    for number in blanked:
        bodies[number] = UNREACHABLE_BODY
    content = uleb(count) + b"".join(uleb(len(body)) + body for body in bodies)
    return [(number, content if number == CODE else old) for number, old in sections]
