"""A host for modules without a server: the ABI of SpacetimeDB in wasmtime.

The packer runs the runtime in it, and tests run finished modules: reducers, views and procedures
on tables in memory, each call a transaction. It follows what servers do, not how fast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from .database import Database, HostRefusal
from .engine import FUEL_PER_CALL, Compiled

if TYPE_CHECKING:
    import wasmtime

CHUNK = 32 * 1024
"""About as many bytes of rows a server hands over at once."""

FINISHED = -1
NOT_IN_TRANSACTION = 2
NO_SUCH_ITER = 6
NO_SUCH_BYTES = 8
BUFFER_TOO_SMALL = 11
HTTP_ERROR = 21

NO_LINE = 0xFFFFFFFF


@dataclass(frozen=True)
class LogLine:
    """A line that the module logged."""

    level: int
    text: str
    target: str | None = None
    filename: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class Outcome:
    """How a call ended: its return code, what it wrote to its sink, and what it cost."""

    code: int
    output: bytes
    fuel: int

    @property
    def error(self) -> str | None:
        """The text of a failed call."""
        return self.output.decode() if self.code == 1 else None


class Host:
    """One instance of a module, and its database."""

    def __init__(
        self,
        compiled: Compiled,
        database: Database | None = None,
        *,
        on_log: Callable[[LogLine], None] | None = None,
    ) -> None:
        import wasmtime

        self.database = database
        self.logs: list[LogLine] = []
        self.on_log = on_log
        self.identity = bytes(range(32))
        self.now = 0
        self.jwts: dict[bytes, bytes] = {}
        self._sources: dict[int, bytes] = {}
        self._sinks: dict[int, bytearray] = {}
        self._rows: dict[int, list[bytes]] = {}
        self._handles = 0
        self._in_transaction = False
        self.store = wasmtime.Store(compiled.engine)
        self.refuel()
        imports = [self._function(one) for one in compiled.module.imports]
        instance = wasmtime.Instance(self.store, compiled.module, imports)
        self._exports = instance.exports(self.store)
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self.memory = memory

    def _function(self, wanted: wasmtime.ImportType) -> wasmtime.Func:
        import wasmtime

        name = f"{wanted.module}.{wanted.name}"
        kind = wanted.type
        if not isinstance(kind, wasmtime.FuncType):
            raise NotImplementedError(f"the host has no {name}")

        def missing(*_: Any) -> NoReturn:
            # Only now: what a module imports for its reducers is no obstacle to its description.
            raise NotImplementedError(f"the host has no {name}")

        method = getattr(self, f"_{wanted.name}", missing)
        answers = bool(kind.results)

        def checked(*arguments: Any) -> Any:
            try:
                answer = method(*arguments)
            except HostRefusal as refusal:
                answer = refusal.errno
            return (answer or 0) if answers else None

        return wasmtime.Func(self.store, kind, checked)

    # ------------------------------------------------------------ calling the module

    def export(self, name: str) -> object:
        """What the module exports under that name."""
        return self._exports[name]

    def _names(self) -> list[str]:
        return list(self._exports.keys())

    def refuel(self) -> None:
        """Give what a server gives each call."""
        self.store.set_fuel(FUEL_PER_CALL)

    def call(self, name: str, *arguments: int) -> Any:
        """Call an export."""
        import wasmtime

        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        return function(self.store, *arguments)

    def call_with_sink(self, name: str, *arguments: int) -> tuple[Any, bytes]:
        """Call an export whose last parameter is a sink; gives what was written there too."""
        sink = self._handle()
        self._sinks[sink] = bytearray()
        answer = self.call(name, *arguments, sink)
        return answer, bytes(self._sinks.pop(sink))

    def setup(self) -> str | None:
        """What a host runs at the start of an instance; an error's text or `None`."""
        names = [name for name in self._names() if name.startswith("__preinit__")]
        for name in [*(["_initialize"] if "_initialize" in self._names() else []), *sorted(names)]:
            self.call(name)
        if "__setup__" not in self._names():
            return None
        code, output = self.call_with_sink("__setup__")
        return output.decode() if code else None

    def describe(self) -> bytes:
        """`__describe_module__`"""
        return self.call_with_sink("__describe_module__")[1]

    def reducer(
        self,
        number: int,
        arguments: bytes = b"",
        *,
        sender: bytes = bytes(32),
        connection_id: bytes = bytes(16),
        timestamp: int = 0,
    ) -> Outcome:
        """Call a reducer in a transaction, which a failure rolls back."""
        self.now = timestamp
        words = _words(sender) + _words(connection_id)
        source = self._source(arguments)
        return self._transaction("__call_reducer__", number, *words, timestamp, source)

    def procedure(
        self,
        number: int,
        arguments: bytes = b"",
        *,
        sender: bytes = bytes(32),
        connection_id: bytes = bytes(16),
        timestamp: int = 0,
    ) -> Outcome:
        """Call a procedure, which opens its own transactions."""
        self.now = timestamp
        words = _words(sender) + _words(connection_id)
        source = self._source(arguments)
        outcome = self._run("__call_procedure__", number, *words, timestamp, source)
        if self._in_transaction:
            self._procedure_abort_mut_tx()
        return outcome

    def view(self, number: int, arguments: bytes = b"", *, sender: bytes | None = None) -> Outcome:
        """Call a view of the sender, or an anonymous one."""
        source = self._source(arguments)
        if sender is None:
            return self._transaction("__call_view_anon__", number, source)
        return self._transaction("__call_view__", number, *_words(sender), source)

    def _transaction(self, name: str, *arguments: int) -> Outcome:
        self._begin()
        try:
            outcome = self._run(name, *arguments)
        except BaseException:
            self._end(commit=False)
            raise
        self._end(commit=outcome.code in (0, 2))
        return outcome

    def _run(self, name: str, *arguments: int) -> Outcome:
        self.refuel()
        code, output = self.call_with_sink(name, *arguments)
        self._rows.clear()
        self._sources.clear()
        return Outcome(code, output, FUEL_PER_CALL - self.store.get_fuel())

    def _begin(self) -> None:
        self._in_transaction = True
        if self.database is not None:
            self.database.begin()

    def _end(self, *, commit: bool) -> None:
        self._in_transaction = False
        if self.database is not None:
            self.database.end(commit=commit)

    def _open(self) -> Database:
        if self.database is None or not self._in_transaction:
            raise HostRefusal(NOT_IN_TRANSACTION)
        return self.database

    # ------------------------------------------------------------ memory and handles

    def read(self, at: int, size: int) -> bytes:
        return bytes(self.memory.read(self.store, at, at + size))

    def write(self, at: int, data: bytes) -> None:
        self.memory.write(self.store, data, at)

    def memory_size(self) -> int:
        return self.memory.data_len(self.store)

    def _u32(self, at: int) -> int:
        return int.from_bytes(self.read(at, 4), "little")

    def _put(self, at: int, number: int, size: int = 4) -> None:
        self.write(at, number.to_bytes(size, "little"))

    def _handle(self) -> int:
        self._handles += 1
        return self._handles

    def _source(self, data: bytes) -> int:
        if not data:
            return 0
        handle = self._handle()
        self._sources[handle] = data
        return handle

    def _text(self, at: int, size: int) -> str:
        return self.read(_not_null(at), size & 0xFFFFFFFF).decode()

    # ------------------------------------------------------------ imports: bytes and log

    def _console_log(
        self, level: int, target: int, target_size: int, file: int, file_size: int,
        line: int, text: int, size: int,
    ) -> None:  # fmt: skip
        entry = LogLine(
            level,
            self._text(text, size),
            self._text(target, target_size) if target else None,
            self._text(file, file_size) if file else None,
            None if line & 0xFFFFFFFF == NO_LINE else line,
        )
        self.logs.append(entry)
        if self.on_log is not None:
            self.on_log(entry)

    def _console_timer_start(self, name: int, size: int) -> int:
        return self._handle()

    def _console_timer_end(self, timer: int) -> int:
        return 0

    def _bytes_sink_write(self, sink: int, at: int, size: int) -> int:
        if sink not in self._sinks:
            return NO_SUCH_BYTES
        self._sinks[sink] += self.read(_not_null(at), self._u32(size))
        return 0

    def _bytes_source_read(self, source: int, at: int, size: int) -> int:
        data = self._sources.get(source)
        if data is None:
            return NO_SUCH_BYTES
        part = data[: self._u32(size)]
        self.write(_not_null(at), part)
        self._put(size, len(part))
        self._sources[source] = data[len(part) :]
        if self._sources[source]:
            return 0
        del self._sources[source]
        return FINISHED

    def _identity(self, at: int) -> None:
        self.write(at, self.identity)

    # ------------------------------------------------------------ imports: tables

    def _table_id_from_name(self, name: int, size: int, out: int) -> None:
        self._put(out, self._open().table_id(self._text(name, size)))

    def _index_id_from_name(self, name: int, size: int, out: int) -> None:
        self._put(out, self._open().index_id(self._text(name, size)))

    def _datastore_table_row_count(self, table: int, out: int) -> None:
        self._put(out, len(self._open().table(table).rows), 8)

    def _datastore_table_scan_bsatn(self, table: int, out: int) -> None:
        self._give_rows(list(self._open().table(table).rows), out)

    def _give_rows(self, rows: list[bytes], out: int) -> None:
        handle = self._handle()
        self._rows[handle] = rows
        self._put(out, handle)

    def _row_iter_bsatn_advance(self, handle: int, at: int, size: int) -> int:
        rows = self._rows.get(handle)
        if rows is None:
            return NO_SUCH_ITER
        room = min(self._u32(size), max(CHUNK, len(rows[0]) if rows else 0))
        taken = 0
        used = 0
        while taken < len(rows) and used + len(rows[taken]) <= room:
            used += len(rows[taken])
            taken += 1
        if rows and not taken:
            self._put(size, len(rows[0]))
            return BUFFER_TOO_SMALL
        self.write(_not_null(at), b"".join(rows[:taken]))
        self._put(size, used)
        del rows[:taken]
        if rows:
            return 0
        del self._rows[handle]
        return FINISHED

    def _row_iter_bsatn_close(self, handle: int) -> int:
        return 0 if self._rows.pop(handle, None) is not None else NO_SUCH_ITER

    def _range(self, arguments: tuple[int, ...]) -> list[bytes]:
        index, prefix, prefix_size, elements, start, start_size, end, end_size = arguments
        return self._open().range(
            index,
            self.read(_not_null(prefix), prefix_size),
            elements,
            self.read(_not_null(start), start_size),
            self.read(_not_null(end), end_size),
        )

    def _datastore_index_scan_range_bsatn(self, *arguments: int) -> None:
        self._give_rows(self._range(arguments[:-1]), arguments[-1])

    def _datastore_delete_by_index_scan_range_bsatn(self, *arguments: int) -> None:
        rows = self._range(arguments[:-1])
        self._put(arguments[-1], self._open().delete(arguments[0], rows))

    def _datastore_index_scan_point_bsatn(self, index: int, at: int, size: int, out: int) -> None:
        self._give_rows(self._open().point(index, self.read(_not_null(at), size)), out)

    def _datastore_delete_by_index_scan_point_bsatn(
        self, index: int, at: int, size: int, out: int
    ) -> None:
        rows = self._open().point(index, self.read(_not_null(at), size))
        self._put(out, self._open().delete(index, rows))

    def _datastore_delete_all_by_eq_bsatn(self, table: int, at: int, size: int, out: int) -> None:
        self._put(out, self._open().delete_equal(table, self.read(_not_null(at), size)))

    def _datastore_insert_bsatn(self, table: int, at: int, size: int) -> None:
        generated = self._open().insert(table, self.read(_not_null(at), self._u32(size)))
        self.write(at, generated)
        self._put(size, len(generated))

    def _datastore_update_bsatn(self, table: int, index: int, at: int, size: int) -> None:
        row = self.read(_not_null(at), self._u32(size))
        generated = self._open().update(table, index, row)
        self.write(at, generated)
        self._put(size, len(generated))

    def _datastore_clear(self, table: int, out: int) -> None:
        self._put(out, self._open().clear(table), 8)

    # ------------------------------------------------------------ imports: procedures

    def _get_jwt(self, connection_id: int, out: int) -> None:
        self._put(out, self._source(self.jwts.get(self.read(connection_id, 16), b"")))

    def _procedure_sleep_until(self, micros: int) -> int:
        self.now = max(self.now, micros)
        return self.now

    def _procedure_start_mut_tx(self, out: int) -> int:
        if self._in_transaction:
            return 17
        self._begin()
        self._put(out, self.now, 8)
        return 0

    def _procedure_commit_mut_tx(self) -> int:
        return self._close(commit=True)

    def _procedure_abort_mut_tx(self) -> int:
        return self._close(commit=False)

    def _close(self, *, commit: bool) -> int:
        if not self._in_transaction:
            return NOT_IN_TRANSACTION
        self._end(commit=commit)
        return 0

    def _procedure_http_request(
        self, request: int, size: int, body: int, body_size: int, out: int
    ) -> int:
        text = b"there is no network here"
        self._put(out, self._source(len(text).to_bytes(4, "little") + text))
        return HTTP_ERROR


def _words(data: bytes) -> list[int]:
    """Eight bytes each, as the signed numbers that the engine wants."""
    return [
        int.from_bytes(data[at : at + 8], "little", signed=True) for at in range(0, len(data), 8)
    ]


def _not_null(at: int) -> int:
    if at == 0:
        _trap("a null pointer was passed to the host")
    return at & 0xFFFFFFFF


def _trap(text: str) -> NoReturn:
    raise RuntimeError(text)
