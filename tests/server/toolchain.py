"""A Rust compiler for wasm: the one in PATH, or Debian's newer one with its library's source."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .cache import BuildError
from .packages import install_packages

TARGET = "wasm32-unknown-unknown"

# Where Debian's packages put their tools, whatever rustup has put before them in PATH.
DEBIAN_BIN = Path("/usr/bin")
DEBIAN_LINKER = "wasm-ld-14"
DEBIAN_PACKAGES = ("rustc-web", "cargo-web", "rust-web-src", "lld-14", "gcc", "libc6-dev")

ADVICE = f"""\
no Rust compiler here can build for {TARGET}. Either:
  rustup target add {TARGET}
or, on Debian 12 (bookworm, with its security archive), as root:
  apt-get update && apt-get install {" ".join(DEBIAN_PACKAGES)}"""


@dataclass(frozen=True)
class Toolchain:
    """How to call cargo; `version` tells builds of different compilers apart."""

    version: str
    cargo: str = "cargo"
    arguments: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


def wasm_toolchain(folder: Path) -> Toolchain:
    """The toolchain for a crate in that folder; installs Debian's when there is none."""
    found = _plain(folder) or _debian()
    if found is None:
        install_packages(DEBIAN_PACKAGES, ADVICE)
        found = _debian()
    if found is None:
        raise BuildError(ADVICE)
    return found


def _plain(folder: Path) -> Toolchain | None:
    """The compiler in PATH, when the target's library is there."""
    rustc = shutil.which("rustc")
    if rustc is None or shutil.which("cargo") is None:
        return None
    if not (_sysroot(rustc, folder) / TARGET / "lib").is_dir():
        return None
    return Toolchain(version=_ask(rustc, "--version", folder))


def _debian() -> Toolchain | None:
    """Debian's compiler, with the library as source: cargo's unstable `build-std` compiles it."""
    rustc, cargo, linker = (DEBIAN_BIN / tool for tool in ("rustc", "cargo", DEBIAN_LINKER))
    if not (rustc.is_file() and cargo.is_file() and linker.is_file()):
        return None
    if not (_sysroot(str(rustc), DEBIAN_BIN) / "src" / "rust" / "library").is_dir():
        return None
    linker_option = f'target.{TARGET}.linker="{linker}"'
    return Toolchain(
        version=_ask(str(rustc), "--version", DEBIAN_BIN),
        cargo=str(cargo),
        arguments=("-Zbuild-std=std,panic_abort", "--config", linker_option),
        settings={"RUSTC": str(rustc), "RUSTC_BOOTSTRAP": "1"},
    )


def _sysroot(rustc: str, folder: Path) -> Path:
    return Path(_ask(rustc, "--print=sysroot", folder)) / "lib" / "rustlib"


def _ask(rustc: str, question: str, folder: Path) -> str:
    done = subprocess.run([rustc, question], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise BuildError(f"{rustc} {question} failed:\n{done.stderr}")
    return done.stdout.strip()
