"""What the build takes from Debian: compiler packages, and CPython's source with its patches."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cache import BuildError, cache_folder, say

SOURCE = "python3.11"
# dpkg-dev unpacks the source; python3.11 freezes the modules that CPython has built in.
PACKAGES = (
    "clang-19",
    "lld-19",
    "llvm-19",
    "wasi-libc",
    "libclang-rt-19-dev-wasm32",
    "dpkg-dev",
    "make",
    "xz-utils",
    "python3.11",
)
# The output depends on the versions of these.
COMPILERS = ("clang-19", "lld-19", "wasi-libc", "libclang-rt-19-dev-wasm32", "python3.11-minimal")

SOURCE_LISTS = ("/etc/apt/sources.list", "/etc/apt/sources.list.d")


@dataclass(frozen=True)
class Source:
    """A source package on disk: its version, its files, and the date of its last change."""

    version: str
    description: Path


def install_packages() -> None:
    """Install what is missing when we are root; otherwise say what to install."""
    missing = [package for package in PACKAGES if package_version(package) is None]
    if not missing:
        return
    advice = (
        "the runtime's build needs packages of Debian 12; as root:\n"
        f"  apt-get update && apt-get install {' '.join(missing)}"
    )
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BuildError(advice)
    say(f"installing {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        done = subprocess.run(
            ["apt-get", "--quiet", *words], env=environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise BuildError(f"{advice}\n\napt-get said:\n{(done.stdout + done.stderr)[-2000:]}")


def package_version(name: str) -> str | None:
    """The installed version of a package, `None` when it is not there."""
    command = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", name]
    done = subprocess.run(command, capture_output=True, text=True)
    status, _, version = done.stdout.partition(" ")
    return version if done.returncode == 0 and status == "installed" else None


def compiler_versions() -> dict[str, str]:
    """The versions that the output depends on."""
    return {name: package_version(name) or "missing" for name in COMPILERS}


def fetch_source() -> Source:
    """CPython's source package: the one in the cache, or the newest that the archive can give."""
    folder = cache_folder() / "runtime-source"
    folder.mkdir(exist_ok=True)
    found = sorted(folder.glob(f"{SOURCE}_*.dsc"))
    if not found:
        _download(folder)
        found = sorted(folder.glob(f"{SOURCE}_*.dsc"))
    description = found[-1]
    match = re.search(r"^Version: (\S+)$", description.read_text(), re.MULTILINE)
    if match is None:
        raise BuildError(f"{description} names no version: delete {folder} and try again")
    return Source(match.group(1), description)


def _download(folder: Path) -> None:
    """Ask apt, with a copy of this machine's archives to which source packages are added."""
    say(f"fetching the source package {SOURCE}")
    settings = {**os.environ, "APT_CONFIG": str(_apt_settings(folder / "apt")), "LC_ALL": "C"}
    _apt(["apt-get", "update"], folder, settings)
    listing = _apt(["apt-cache", "showsrc", SOURCE], folder, settings)
    versions = re.findall(r"^Version: (\S+)$", listing, re.MULTILINE)
    problems: list[str] = []
    # A mirror may list a security update whose files it does not have yet.
    for version in reversed(versions):
        try:
            _apt(["apt-get", "source", "--download-only", f"{SOURCE}={version}"], folder, settings)
        except BuildError as error:
            problems.append(str(error))
        else:
            return
    raise BuildError("\n".join(problems) or f"no archive here has the source package {SOURCE}")


def _apt_settings(folder: Path) -> Path:
    parts = folder / "parts"
    for made in (parts, folder / "lists" / "partial", folder / "archives" / "partial"):
        made.mkdir(parents=True, exist_ok=True)
    for place in map(Path, SOURCE_LISTS):
        for file in sorted(place.iterdir()) if place.is_dir() else [place]:
            if file.suffix not in (".list", ".sources") or not file.exists():
                continue
            text = file.read_text()
            if "debian.org" in text:
                (parts / file.name).write_text(_with_sources(text))
    config = folder / "apt.conf"
    config.write_text(
        'Dir::Etc::sourcelist "/dev/null";\n'
        f'Dir::Etc::sourceparts "{parts}";\n'
        f'Dir::State::lists "{folder / "lists"}";\n'
        f'Dir::Cache "{folder}";\n'
        'APT::Sandbox::User "root";\n'
    )
    return config


def _with_sources(text: str) -> str:
    """A list of archives, in either of apt's two formats, with their sources."""
    text = re.sub(r"^Types:.*$", "Types: deb deb-src", text, flags=re.MULTILINE)
    one_line = re.findall(r"^deb (.*)$", text, re.MULTILINE)
    return text + "".join(f"\ndeb-src {archive}" for archive in one_line) + "\n"


def _apt(command: list[str], folder: Path, settings: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=dict(settings), capture_output=True, text=True)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout
