"""Upstream's command with our patches, built once for each state of them.

`python -m tests.cli_patches.patched` builds it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.server.cache import BuildError, cache_folder, lock, run_cargo, say
from tests.server.install import server_binary

CRATE = "spacetimedb-cli"
VERSION = os.environ.get("SPACETIME_TEST_CLI_VERSION", "1.2.0")
VERSIONS = ("1.2.0", "1.3.0")
ROOT = Path(__file__).parents[2]
APPLY = ROOT / "cli-patches" / "apply"
OURS = ("cli-patches", "templates/python", "crates/spacetime_py_codegen/src")

# Most of the time of a build goes into optimizing what no test waits for.
SETTINGS = {"CARGO_PROFILE_DEV_DEBUG": "0"}


def patched_cli() -> Path:
    """The path of the command. It finds the server's binary beside itself, as `generate` wants."""
    folder = cache_folder() / f"{CRATE}-{VERSION}-{_fingerprint()}"
    if not folder.exists():
        with lock("cli"):
            if not folder.exists():
                _build(folder)
    return folder / CRATE


def patched_source(version: str, place: Path) -> Path:
    """The crate as it was published, with the patches applied to it."""
    source = download(version, place)
    done = subprocess.run([APPLY, source], capture_output=True, text=True)
    if done.returncode != 0:
        raise BuildError(f"{CRATE} {version}: {done.stderr.strip()}")
    return source


def run_own_tests() -> None:
    """Run the Rust tests of our own files, inside of upstream's crate."""
    with lock("cli"):
        source = patched_source(VERSION, _workplace())
        _cargo("cli own tests", source, "test", "--lib", "python")


def _build(folder: Path) -> None:
    say(f"building {CRATE} {VERSION} with Python in it (430 crates) into {folder}")
    say("this takes about 3 minutes the first time, and seconds after a change of ours")
    source = patched_source(VERSION, _workplace())
    _cargo("cli build", source, "build", "--bin", CRATE)
    for old in cache_folder().glob(f"{CRATE}-{VERSION}-*"):
        shutil.rmtree(old)
    partial = _workplace() / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    shutil.copy(_workplace() / "target" / "debug" / CRATE, partial)
    (partial / "spacetimedb-standalone").symlink_to(server_binary())
    partial.rename(folder)


def _cargo(title: str, source: Path, *command: str) -> None:
    """The bundled lock file holds all but our generator, which cargo adds to it."""
    target = ("--target-dir", str(_workplace() / "target"))
    run_cargo(title, ["cargo", *command, *target], source, SETTINGS)


def _workplace() -> Path:
    """Outside of our repository: upstream's build asks git for the commit."""
    folder = cache_folder() / "build" / f"cli-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def download(version: str, place: Path) -> Path:
    """Unpack the crate as it was published.

    `cargo info` is the command that fetches one alone and checks its sum.
    """
    name = f"{CRATE}-{version}"
    command = ["cargo", "info", "--quiet", "--registry", "crates-io", f"{CRATE}@{version}"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    found = sorted(home.glob(f"registry/cache/*/{name}.crate"))
    if not found:
        raise BuildError(f"cannot get {CRATE} {version} from the registry:\n{done.stderr}")
    shutil.rmtree(place / name, ignore_errors=True)
    subprocess.run(["tar", "xzf", found[-1], "-C", place], check=True)
    return place / name


def _fingerprint() -> str:
    """Different for every state of the files that get into the command."""
    files = [path for folder in OURS for path in (ROOT / folder).rglob("*") if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def main() -> int:
    try:
        print(patched_cli())
    except BuildError as error:
        print(f"check: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
