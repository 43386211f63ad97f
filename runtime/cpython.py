"""CPython as a static library for wasm32-wasi, and its library as sources."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

from cache import BuildError, run
from debian import Source

CC = "clang-19 --target=wasm32-wasi"
WARNINGS = (
    "-Wno-int-conversion -Wno-incompatible-function-pointer-types -Wno-unused-but-set-variable"
)
OPTIMISE = "-O3 -DNDEBUG"
LIBRARY = "libpython3.11.a"

# C modules that need a system below them, or a library that is not there.
DISABLED = [
    "_asyncio",
    "_lsprof",
    "_queue",
    "_zoneinfo",
    "audioop",
    "_lzma",
    "zlib",
    "_bz2",
    "pyexpat",
    "_elementtree",
    "_socket",
    "select",
    "mmap",
    "fcntl",
    "grp",
    "pwd",
    "termios",
    "resource",
    "syslog",
    "_posixsubprocess",
    "_posixshmem",
    "_multiprocessing",
    "_ctypes",
    "_sqlite3",
    "_ssl",
    "_hashlib",
    "_uuid",
    "_curses",
    "_curses_panel",
    "readline",
    "nis",
    "ossaudiodev",
    "spwd",
    "_crypt",
    "_tkinter",
    "_dbm",
    "_gdbm",
    "_codecs_cn",
    "_codecs_hk",
    "_codecs_iso2022",
    "_codecs_jp",
    "_codecs_kr",
    "_codecs_tw",
    "_multibytecodec",
    "xxsubtype",
    "_xxsubinterpreters",
    "unicodedata",
    "_decimal",
]

# What a module could not use: graphical programs, tests, installers, other processes.
LEFT_OUT = frozenset(
    [
        "test",
        "tests",
        "idlelib",
        "tkinter",
        "turtledemo",
        "lib2to3",
        "ensurepip",
        "distutils",
        "venv",
        "pydoc_data",
        "msilib",
        "sqlite3",
        "curses",
        "dbm",
        "wsgiref",
        "xmlrpc",
        "multiprocessing",
        "ctypes",
        "__pycache__",
        "turtle.py",
    ]
)


def build_environment(source_date: str) -> dict[str, str]:
    """The same for everyone: nothing of the user's settings, language or time zone."""
    keep = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    return {
        **keep,
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": source_date,
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def source_date(unpacked: Path) -> str:
    """When the source package was made, in seconds since 1970."""
    changelog = unpacked / "debian" / "changelog"
    command = ["dpkg-parsechangelog", "-l", str(changelog), "-S", "Timestamp"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def unpack(source: Source, folder: Path, log: Path) -> Path:
    """The source tree with Debian's patches."""
    target = folder / "src"
    command = ["dpkg-source", "--no-check", "--no-copy", "--extract", source.description, target]
    run("unpack CPython", command, folder, {**os.environ, "LC_ALL": "C"}, log)
    return target


# Python's calls of Python need no stack of the machine, but what comes back into the interpreter
# through C (a `key=` function, `__getattr__`, a generator) needs a lot, and hosts give 512 KiB.
# So each such level counts as this many, and too many of them are a RecursionError in time.
LEVELS_OF_AN_ENTRY = 4

EVAL = """
PyObject* _Py_HOT_FUNCTION
_PyEval_EvalFrameDefault(PyThreadState *tstate, _PyInterpreterFrame *frame, int throwflag)
{
"""
EVAL_INSIDE = EVAL.replace("PyObject* _", "static PyObject* _").replace(
    "_PyEval_EvalFrameDefault", "eval_frame_inside"
)
EVAL_COUNTED = f"""
static PyObject *eval_frame_inside(PyThreadState *, _PyInterpreterFrame *, int);

PyObject *
_PyEval_EvalFrameDefault(PyThreadState *tstate, _PyInterpreterFrame *frame, int throwflag)
{{
    int cost = tstate->recursion_headroom ? 0 : {LEVELS_OF_AN_ENTRY - 1};
    tstate->recursion_remaining -= cost;
    if (cost && tstate->recursion_remaining <= 0 && _Py_CheckRecursiveCall(tstate, "")) {{
        tstate->recursion_remaining += cost - 1; /* one was given back by the check */
        return NULL;
    }}
    PyObject *result = eval_frame_inside(tstate, frame, throwflag);
    tstate->recursion_remaining += cost;
    return result;
}}
"""


def patch(unpacked: Path) -> None:
    """What CPython's own configuration cannot say."""
    path = unpacked / "Python" / "ceval.c"
    text = path.read_text()
    if text.count(EVAL) != 1:
        raise BuildError("Python/ceval.c is another one: look at EVAL in runtime/cpython.py")
    path.write_text(text.replace(EVAL, EVAL_COUNTED + EVAL_INSIDE))


def build(source: Source, folder: Path) -> None:
    """Fill `folder` with `src`, the build tree `obj` with the library, and `Lib.zip`."""
    log = folder / "build.log"
    unpacked = unpack(source, folder, log)
    patch(unpacked)
    environment = build_environment(source_date(unpacked))
    build_tree = folder / "obj"
    build_tree.mkdir()
    _configure(build_tree, environment, log)
    # Relative paths to the source, and no others, get into the output: `__FILE__` and VPATH.
    make = ["make", f"-j{os.cpu_count() or 1}", f"OPT={OPTIMISE}", f"CC={CC} {WARNINGS}", LIBRARY]
    run("compile CPython (about 5 minutes)", make, build_tree, environment, log)
    zip_library(unpacked / "Lib", folder / "Lib.zip")


def _configure(build_tree: Path, environment: dict[str, str], log: Path) -> None:
    settings = {
        **environment,
        "CONFIG_SITE": "../src/Tools/wasm/config.site-wasm32-wasi",
        "CC": CC,
        "CPP": f"{CC} -E",
        "AR": "llvm-ar-19",
        "RANLIB": "llvm-ranlib-19",
        "LD": "wasm-ld-19",
        # Libraries of this machine are none of the target's.
        "PKG_CONFIG": "false",
    }
    command = [
        "../src/configure",
        "--prefix=/",
        "--host=wasm32-unknown-wasi",
        "--build=x86_64-linux-gnu",
        "--with-build-python=/usr/bin/python3.11",
        "--with-pymalloc",
        "--disable-test-modules",
        "--disable-shared",
        "--with-ensurepip=no",
    ]
    run("configure CPython", command, build_tree, settings, log)
    disabled = "*disabled*\n" + "\n".join(DISABLED) + "\n"
    (build_tree / "Modules" / "Setup.local").write_text(disabled)


def zip_library(folder: Path, target: Path) -> None:
    """The library's sources, in the order of their names and without dates."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*.py")):
            name = path.relative_to(folder)
            if LEFT_OUT.isdisjoint(name.parts) and _is_utf8(path):
                archive.writestr(zipfile.ZipInfo(name.as_posix()), path.read_bytes())


def _is_utf8(path: Path) -> bool:
    try:
        path.read_bytes().decode()
    except UnicodeDecodeError:
        return False
    return True
