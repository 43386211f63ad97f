"""The runtime's own C, compiled and linked with CPython: one wasm file per ABI level."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cache import run

HERE = Path(__file__).parent
SOURCES = HERE / "src"

# Minor versions of the ABI `spacetime_10`: what 1.x servers know, and what 2.2 and newer do. A
# module that imports a newer function than its host has does not start, so there is one each.
LEVELS = (0, 5)

STACK_BYTES = 1 << 20

COMPILE = [
    "clang-19",
    "--target=wasm32-wasi",
    "-O3",
    "-DNDEBUG",
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-parameter",
    "-Wno-missing-field-initializers",
    "-Wno-cast-function-type-mismatch",
    "-Iobj",
    "-Isrc/Include",
    "-Isrc/Include/internal",
    "-DPy_BUILD_CORE",
    "-D_WASI_EMULATED_SIGNAL",
    "-D_WASI_EMULATED_PROCESS_CLOCKS",
]
LINK = [
    "clang-19",
    "--target=wasm32-wasi",
    "-O2",
    "-nostartfiles",
    "-Wl,--no-entry",
    "-Wl,--stack-first",
    f"-Wl,-z,stack-size={STACK_BYTES}",
    "-Wl,--export=__stack_pointer",
    "-Wl,--gc-sections",
    "-Wl,--strip-all",
    "-Wl,--wrap=_PyParser_ASTFromString,--wrap=PyAST_Check",
]
LIBRARIES = ["-lm", "-lwasi-emulated-signal", "-lwasi-emulated-getpid"]
LIBRARIES += ["-lwasi-emulated-process-clocks"]


def sources() -> list[Path]:
    """The files that the result depends on."""
    scripts = [HERE / name for name in ("link.py", "freeze.py", "boot.py")]
    return [*scripts, *sorted(SOURCES.glob("*.[ch]"))]


def link(cpython: Path, target: Path, minor: int, environment: dict[str, str]) -> Path:
    """Make `runtime-10.<minor>.wasm` in `target`; `<minor>.map` beside it says what is where."""
    log = target / "link.log"
    objects = target / f"objects-{minor}"
    objects.mkdir()
    frozen = objects / "frozen.c"
    freeze = ["/usr/bin/python3.11", HERE / "freeze.py", cpython / "src" / "Lib", HERE / "boot.py"]
    with frozen.open("w") as output:
        subprocess.run(freeze, stdout=output, env=environment, check=True)
    made: list[Path] = []
    for source in [*sorted(SOURCES.glob("*.c")), frozen]:
        made.append(objects / f"{source.stem}.o")
        # Nothing of where the sources are gets into the output.
        prefix = f"-ffile-prefix-map={source.parent}=runtime"
        command = [*COMPILE, prefix, f"-DABI_MINOR={minor}", "-c", source, "-o", made[-1]]
        run(f"compile {source.name}", command, cpython, environment, log, quiet=True)
    wasm = target / f"runtime-10.{minor}.wasm"
    archives = ["obj/libpython3.11.a"]
    command = [*LINK, f"-Wl,-Map={target}/{minor}.map", *made, *archives, *LIBRARIES, "-o", wasm]
    run(f"link {wasm.name}", command, cpython, environment, log)
    return wasm
