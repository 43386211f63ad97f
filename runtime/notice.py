"""The licences of what a packed module contains."""

from __future__ import annotations

from pathlib import Path

OTHERS = """\
wasi-libc and musl: MIT (https://github.com/WebAssembly/wasi-libc)
dlmalloc: CC0
LLVM compiler-rt: Apache-2.0 WITH LLVM-exception
"""


def text(source: Path) -> str:
    """CPython's licence whole, as it asks for, and the names of the others with their texts."""
    parts = ["A server module built by spacetime-py contains:\n", OTHERS]
    parts += ["CPython, with Debian's patches:\n", (source / "LICENSE").read_text()]
    for package in ("wasi-libc", "libclang-rt-19-dev-wasm32"):
        copyright_file = Path("/usr/share/doc") / package / "copyright"
        if copyright_file.exists():
            parts += [f"\n{package}, as in Debian:\n", copyright_file.read_text()]
    return "\n".join(parts)
