"""The modules of `tests/modules`, built to wasm and kept until source or compiler change."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from .cache import BuildError, cache_folder, lock, run_cargo, say
from .toolchain import TARGET, Toolchain, wasm_toolchain

SOURCES = Path(__file__).resolve().parent.parent / "modules"


def module_names() -> list[str]:
    """The modules there are."""
    return sorted(manifest.parent.name for manifest in SOURCES.glob("*/Cargo.toml"))


def build_module(name: str) -> Path:
    """The wasm file of a module; built when it is not in the cache."""
    if name not in module_names():
        raise BuildError(f"no test module {name!r}; there are {', '.join(module_names())}")
    source = SOURCES / name
    with lock("modules"):
        toolchain = wasm_toolchain(source)
        folder = cache_folder() / "modules" / f"{name}-{_fingerprint(source, toolchain)}"
        wasm = folder / f"{name}.wasm"
        if not wasm.exists():
            _build(source, toolchain, wasm)
    return wasm


def _fingerprint(source: Path, toolchain: Toolchain) -> str:
    """A hash of all that makes a build different."""
    digest = hashlib.sha256(toolchain.version.encode())
    for file in (source / "Cargo.toml", source / "Cargo.lock", *sorted(source.glob("src/**/*.rs"))):
        digest.update(f"\0{file.relative_to(source).as_posix()}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _build(source: Path, toolchain: Toolchain, wasm: Path) -> None:
    name = source.name
    say(f"building test module {name} (the first takes a minute or more, the others seconds)")
    # Kept: all modules share their compiled dependencies.
    target = cache_folder() / "build" / "modules"
    command = [toolchain.cargo, "build", "--release", "--locked", "--target", TARGET]
    command += ["--target-dir", str(target), *toolchain.arguments]
    run_cargo(f"module {name}", command, source, toolchain.settings)
    wasm.parent.mkdir(parents=True, exist_ok=True)
    partial = wasm.with_suffix(".partial")
    shutil.copyfile(target / TARGET / "release" / wasm.name, partial)
    partial.rename(wasm)
