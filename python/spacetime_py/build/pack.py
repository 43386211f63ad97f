"""A program and the runtime to one wasm file.

A first instance of the runtime is offered the whole library and finds out what the program imports;
it compiles exactly that. A second one loads the bytecode, so that nothing of the search and of the
compiler is left in its memory, and the memory becomes the module's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from . import wasm as wasm_file
from .description import ModuleDef, parse
from .engine import Compiled, compile_wasm
from .errors import BuildError
from .explain import explain
from .guest import EXPORTS, Guest, GuestEnded, ProgramError
from .host import Host, LogLine
from .program import Program, Source, guest_modules
from .runtime import Runtime, load_runtime

REQUIRED = ("memory", "__setup__", "__describe_module__", "__call_reducer__")


@dataclass(frozen=True)
class Packed:
    """A finished module."""

    wasm: bytes
    description: bytes
    """RawModuleDef in BSATN, as the module answers it."""
    modules: tuple[str, ...]
    """What it contains of the program, of packages and of Python's library."""
    logs: tuple[LogLine, ...]
    """What the program printed while it was imported."""
    notice: str
    """Licences of the runtime, to be passed on with the module."""

    @property
    def module_def(self) -> ModuleDef:
        """The description, read."""
        return parse(self.description)


def pack(
    program: Program,
    *,
    abi: str = "10.0",
    include: Sequence[str] = (),
    compiler: bool = False,
    strip: bool = False,
    debug: bool = False,
) -> Packed:
    """Make the module. `include` names modules that are imported only later, inside of functions;
    with `compiler` the program can `eval` and `exec` text; with `strip` it is without assertions
    and docstrings; with `debug` callers get tracebacks, which otherwise only the log has.

    `BuildError` has file and line of what is wrong with the program. The same program gives the
    same bytes, wherever it is and whoever builds it.
    """
    runtime = load_runtime(abi)
    compiled = compile_wasm(runtime.wasm, cached=True)
    entries = (program.entry, *include)
    sources = {**runtime.library, **guest_modules(debug), **_with_namespaces(program.modules)}
    guest = Guest(compiled)
    guest.add(sources, strip=strip)
    problems = _run(guest, runtime, program, entries)
    if problems:
        raise BuildError(*problems)
    code = guest.used()  # in the order of the imports
    guest = Guest(compiled)
    guest.add_code(sources, code)
    _run(guest, runtime, program, entries)
    groups = _unused(runtime, guest.loaded(), compiler)
    guest.seal(groups)
    description = guest.host.describe()
    wasm = _rewrite(runtime, guest.memory(runtime.stack), groups)
    _check(wasm, runtime, compiled, description)
    return Packed(wasm, description, tuple(code), tuple(guest.logs), runtime.notice)


def _with_namespaces(modules: Mapping[str, Source]) -> dict[str, Source]:
    """Folders without `__init__.py` are packages too, with nothing in them."""
    complete = dict(modules)
    for name, source in modules.items():
        parts = name.split(".")
        for length in range(1, len(parts)):
            path = f"{'/'.join(source.path.split('/')[: length - len(parts)])}/__init__.py"
            complete.setdefault(".".join(parts[:length]), Source("", path, is_package=True))
    return complete


def _run(guest: Guest, runtime: Runtime, program: Program, entries: Sequence[str]) -> Sequence[str]:
    try:
        return guest.run(entries)
    except ProgramError as error:
        raise explain(error, program, runtime.python) from None
    except GuestEnded as ended:
        path = program.modules[program.entry].path
        raise BuildError(f"{path}: the build imports the program, and {ended}") from None


# These have the compiler's functions in them, and `_ast` has what it needs.
_COMPILER_USERS = {"_symtable", "_tokenize"}
_COMPILER_MODULES = {"_ast", *_COMPILER_USERS}


def _unused(runtime: Runtime, loaded: set[str], compiler: bool) -> list[str]:
    """The groups of functions that the program does not need: what is not imported now never is."""
    needed = loaded | {"compiler"} | _COMPILER_MODULES if compiler else loaded
    if needed & _COMPILER_USERS:
        needed = needed | {"compiler", "_ast"}
    return [group for group in runtime.groups if group not in needed]


def _ranges(runtime: Runtime, groups: Sequence[str]) -> Iterator[tuple[int, int]]:
    for group in groups:
        flat = runtime.groups[group]
        yield from zip(flat[::2], flat[1::2], strict=True)


def _rewrite(runtime: Runtime, memory: bytes, unused: Sequence[str]) -> bytes:
    """The runtime's file with the program's memory, without what only the packer needed."""
    sections = wasm_file.sections_of(runtime.wasm)
    names = {export.name for export in wasm_file.exports_of(sections)}
    sections = wasm_file.with_memory(sections, memory)
    sections = wasm_file.blank_functions(sections, _ranges(runtime, unused))
    return wasm_file.join(wasm_file.keep_exports(sections, names - set(EXPORTS)))


def _check(wasm: bytes, runtime: Runtime, compiled: Compiled, description: bytes) -> None:
    """What a server would refuse is refused here."""
    sections = wasm_file.sections_of(wasm)
    highest = tuple(map(int, runtime.level.split(".")))
    for module, name in wasm_file.imports_of(sections):
        prefix, _, level = module.partition("_")
        if prefix != "spacetime" or tuple(map(int, level.split("."))) > highest:
            raise BuildError(f"the runtime imports {module}.{name}: this is a bug in it")
    names = {export.name for export in wasm_file.exports_of(sections)}
    if missing := set(REQUIRED) - names:
        raise BuildError(f"the runtime has no {', '.join(missing)}: this is a bug in it")
    parse(description)
    _dry_start(sections, compiled, description)


def _dry_start(sections: wasm_file.Sections, compiled: Compiled, description: bytes) -> None:
    """Start an instance with the finished file's memory; its code is compiled already."""
    host = Host(compiled)
    missing = wasm_file.pages_of(sections) - host.memory_size() // wasm_file.PAGE
    host.memory.grow(host.store, missing)
    for at, data in wasm_file.segments_of(sections):
        host.write(at, data)
    problem = host.setup()
    if problem is None and host.describe() != description:
        problem = "its description is another one"
    if problem is not None:
        raise BuildError(f"the finished module does not start: {problem}; this is a bug in it")
