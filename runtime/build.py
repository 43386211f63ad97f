"""Build the runtime: `python runtime/build.py` prints the folder that has it.

It has, for the packer (python/spacetime_py/build/):

    runtime-10.0.wasm, runtime-10.5.wasm   CPython for the module ABI, one per level
    Lib.zip                                Python's library as sources
    runtime.json                           versions, hashes, and which functions can be left out
    NOTICE.txt                             licences of what is inside

The first run on a machine compiles CPython (some minutes); a run with the same inputs takes no
time. `--data FOLDER` also writes the files compressed, as the wheel carries them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import sys
from pathlib import Path

import cpython
import link
import notice
from cache import BuildError, cache_folder, key_of, lock, made_once, say
from debian import Source, compiler_versions, fetch_source, install_packages
from functions import groups

HERE = Path(__file__).parent
HASHES = HERE / "hashes.json"
WASM = [f"runtime-10.{minor}.wasm" for minor in link.LEVELS]
FILES = [*WASM, "Lib.zip", "runtime.json", "NOTICE.txt"]


def build() -> Path:
    """The folder with the runtime, made when it is not there yet."""
    with lock("runtime"):
        install_packages()
        source = fetch_source()
        versions = compiler_versions()
        key = key_of([(HERE / "cpython.py").read_bytes(), source.version, *versions.values()])
        compiled = cache_folder() / f"cpython-{key}"
        made_once(compiled, lambda folder: cpython.build(source, folder))
        scripts = [HERE / name for name in ("build.py", "functions.py", "notice.py")]
        inputs = [path.read_bytes() for path in [*scripts, *link.sources()]]
        folder = cache_folder() / f"runtime-{key_of([key, *inputs])}"
        made_once(folder, lambda target: assemble(source, versions, compiled, target))
    check_hashes(source, folder)
    return folder


def assemble(source: Source, versions: dict[str, str], compiled: Path, target: Path) -> None:
    """Link both levels and put what belongs to them beside."""
    environment = cpython.build_environment(cpython.source_date(compiled / "src"))
    functions: dict[str, dict[str, list[int]]] = {}
    library = compiled / "obj" / cpython.LIBRARY
    hashes: dict[str, str] = {}
    for minor, name in zip(link.LEVELS, WASM, strict=True):
        wasm = link.link(compiled, target, minor, environment)
        hashes[name] = hash_of(wasm)
        functions[name] = groups(target / f"{minor}.map", library)
    (target / "Lib.zip").write_bytes((compiled / "Lib.zip").read_bytes())
    (target / "NOTICE.txt").write_text(notice.text(compiled / "src"))
    about = {
        "source": f"python3.11 {source.version}",
        "compilers": versions,
        "sha256": hashes,
        "stack": link.STACK_BYTES,
        "functions": functions,
    }
    (target / "runtime.json").write_text(json.dumps(about, sort_keys=True) + "\n")


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def state_of(source: Source) -> str:
    """What a hash is expected for: the sources, and the compilers in their versions."""
    versions = [f"{name}={version}" for name, version in compiler_versions().items()]
    return f"{_sources(source)} {key_of(versions)}"


def _sources(source: Source) -> str:
    inputs = [path.read_bytes() for path in [HERE / "cpython.py", *link.sources()]]
    return f"{source.version} {key_of(inputs)}"


def check_hashes(source: Source, folder: Path) -> None:
    """Compare with the hashes that were written down; unknown sources are only told."""
    expected = json.loads(HASHES.read_text()).get(state_of(source))
    if expected is None:
        say(f"no hash is known for {state_of(source)}: `build.py --expect` writes it down")
        return
    for name in WASM:
        if hash_of(folder / name) != expected[name]:
            raise BuildError(
                f"{folder / name} is not what these sources gave before: the build is not "
                f"reproducible, or its folder was changed; delete {folder} and try again"
            )


def expect(source: Source, folder: Path) -> None:
    """Write the hashes down: of these sources with any compilers, and of no older ones."""
    known = json.loads(HASHES.read_text())
    kept = {state: known[state] for state in known if state.startswith(_sources(source))}
    kept[state_of(source)] = {name: hash_of(folder / name) for name in WASM}
    HASHES.write_text(json.dumps(kept, indent=2) + "\n")


def write_data(folder: Path, data: Path) -> None:
    """The files as the wheel carries them."""
    data.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        packed = lzma.compress((folder / name).read_bytes(), preset=9 | lzma.PRESET_EXTREME)
        (data / f"{name}.xz").write_bytes(packed)
        say(f"{data / name}.xz: {len(packed):,} bytes")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="write compressed copies there")
    parser.add_argument("--expect", action="store_true", help="write the result's hashes down")
    options = parser.parse_args()
    try:
        folder = build()
    except BuildError as error:
        say(str(error))
        return 1
    if options.expect:
        expect(fetch_source(), folder)
    if options.data:
        write_data(folder, options.data)
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
