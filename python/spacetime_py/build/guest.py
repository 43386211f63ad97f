"""An instance of the bare runtime, into which a program is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import BuildError
from .host import Host, LogLine

if TYPE_CHECKING:
    from .engine import Compiled
    from .program import Source

EXPORTS = (
    "spacetime_py_start",
    "spacetime_py_alloc",
    "spacetime_py_command",
    "spacetime_py_bind",
    "spacetime_py_drop",
    "spacetime_py_scrub",
    "__stack_pointer",
)
"""What the runtime exports for the packer; a finished module has none of it."""

PROGRAM = "spacetime_py.server._program"
"""The module that the runtime looks things up in."""


@dataclass(frozen=True)
class Frame:
    """A line of a traceback."""

    file: str
    line: int
    function: str


class ProgramError(Exception):
    """An exception of the program's, raised inside the guest."""

    def __init__(self, kind: str, text: str, frames: Sequence[Frame]) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.text = text
        self.frames = frames


class GuestEnded(Exception):
    """The interpreter ended in the middle of a command; the text says why."""


class Guest:
    """A running interpreter."""

    def __init__(self, compiled: Compiled) -> None:
        self._logs: list[LogLine] = []
        self.host = Host(compiled, on_log=self._logs.append)
        self._do("spacetime_py_start")
        self.stack_pointer = self._stack_pointer()

    @property
    def logs(self) -> Sequence[LogLine]:
        """What the program printed."""
        return self._logs

    def add(self, modules: Mapping[str, Source], *, strip: bool = False) -> None:
        """Offer modules as sources; with `strip` without their assertions and docstrings.

        Those of Python's library are of no use in a database, and never there.
        """
        self._add(
            (name, source, "s" if strip or source.path.startswith("Lib/") else "", None)
            for name, source in modules.items()
        )

    def add_code(self, modules: Mapping[str, Source], code: Mapping[str, bytes]) -> None:
        """Offer modules as bytecode, those that there is some of."""
        self._add((name, modules[name], "c", content) for name, content in code.items())

    def _add(self, modules: Iterable[tuple[str, Source, str, bytes | None]]) -> None:
        fields: list[bytes] = []
        for name, source, letters, code in modules:
            kind = ("p" if source.is_package else "") + letters
            content = source.text.encode() if code is None else code
            fields += [name.encode(), source.path.encode(), kind.encode(), content]
        self._command(b"add", *fields)

    def run(self, entries: Sequence[str]) -> list[str]:
        """Import the program; gives the problems of its declarations."""
        status, *rest = self._command(b"run", *(n.encode() for n in (PROGRAM, *entries)))
        texts = [field.decode() for field in rest]
        if status == b"ok":
            return texts
        kind, text, *flat = texts
        places = zip(*[iter(flat)] * 3, strict=False)
        raise ProgramError(kind, text, [Frame(f, int(n), name) for f, n, name in places])

    def used(self) -> dict[str, bytes]:
        """The modules that were imported, as bytecode of the guest's own Python."""
        fields = self._command(b"used")
        return {n.decode(): code for n, code in zip(fields[::2], fields[1::2], strict=True)}

    def loaded(self) -> set[str]:
        """All modules that are imported now."""
        return {name.decode() for name in self._command(b"loaded")}

    def seal(self, drop: Iterable[str]) -> None:
        """Bind the host's entry points; from now on nothing is imported.

        `drop` are groups of functions that the interpreter is to live without.
        """
        self._do("spacetime_py_bind")
        self._command(b"seal")
        for group in drop:
            at = self._put(group.encode() + b"\0")
            self.host.call("spacetime_py_drop", at)
        self._do("spacetime_py_scrub")
        if self._stack_pointer() != self.stack_pointer:
            raise BuildError("the runtime did not come back from a call: this is a bug in it")

    def memory(self, stack: int) -> bytes:
        """All of memory, with zeros where the stack was."""
        return bytes(stack) + self.host.read(stack, self.host.memory_size() - stack)

    def _stack_pointer(self) -> int:
        import wasmtime

        pointer = self.host.export("__stack_pointer")
        assert isinstance(pointer, wasmtime.Global)
        value = pointer.value(self.host.store)
        assert isinstance(value, int)
        return value

    def _do(self, name: str) -> None:
        self.host.refuel()
        if self.host.call(name):
            raise BuildError(f"the runtime failed in {name}:\n{self._told()}")

    def _command(self, *fields: bytes) -> list[bytes]:
        data = b"".join(len(field).to_bytes(4, "little") + field for field in fields)
        self.host.refuel()
        at = self._put(data)
        status, answer = self._answer(at, len(data))
        if status:
            raise BuildError(f"the runtime failed at {fields[0].decode()}:\n{self._told()}")
        return _split(answer)

    def _answer(self, at: int, size: int) -> tuple[int, bytes]:
        import wasmtime

        try:
            return self.host.call_with_sink("spacetime_py_command", at, size)
        except wasmtime.Trap as trap:
            if trap.trap_code == wasmtime.TrapCode.OUT_OF_FUEL:
                raise GuestEnded("that does not come to an end: look for a loop") from None
            raise GuestEnded(f"that ends the interpreter: {trap.message}") from None

    def _put(self, data: bytes) -> int:
        at = int(self.host.call("spacetime_py_alloc", len(data)))
        if not at:
            raise BuildError("the runtime has no memory left")
        self.host.write(at & 0xFFFFFFFF, data)
        return at

    def _told(self) -> str:
        return "\n".join(line.text for line in self._logs[-20:])


def _split(data: bytes) -> list[bytes]:
    fields: list[bytes] = []
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        fields.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return fields
