"""Bindings without generated files: from the schema that a database tells when a program connects.

The generator writes the same source as for a package on disk, and it is run as a package in memory:
so names, classes and calls are those of generated bindings.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import linecache
import ssl
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from . import _core
from .connection import DbConnection
from .exceptions import CodegenError, SchemaMismatchError, SpacetimeDBError
from .names import no_such
from .query import Queries, Query
from .reducer import ProcedureCall, Procedures, ReducerCall, Reducers
from .schema_guard import SchemaGuard, differences
from .shapes import Schema, schema_of
from .sockets import trusted
from .table import Table, Tables
from .token_source import TokenSource
from .transport import checked_headers, parse_uri

_FILES = ("_module", "types", "procedures", "reducers", "tables", "queries")
"""Of a generated package, each after those that it imports."""


class AnyTable(Table[Any]):
    """What type checkers know of a table: everything but its indexes."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class AnyTables(Tables):
    """What type checkers know of `db`."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> AnyTable: ...


class AnyReducers(Reducers):
    """What type checkers know of `reducers`."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., ReducerCall]: ...


class AnyProcedures(Procedures):
    """What type checkers know of `procedures`."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., ProcedureCall[Any]]: ...


class AnyQueries(Queries):
    """What type checkers know of `query`."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Query[Any, Any]: ...


class DynamicConnection(DbConnection):
    """A connection whose tables, reducers and procedures are those of the schema it was made of."""

    db: AnyTables
    reducers: AnyReducers
    procedures: AnyProcedures
    bindings: ClassVar[Bindings]
    """The classes of rows and types, and `query`."""
    _remedies: ClassVar[Mapping[str, str]] = {
        "run `spacetime-py generate` again": "connect again, which reads the schema anew",
        "`spacetime-py generate` makes new bindings (with --include-private for private tables)": (
            "connecting again reads the schema anew (with include_private=True for private tables)"
        ),
    }

    def __init__(self, *, uri: str, database: str, **options: Any) -> None:
        # It reads the schema itself, and what it made of it needs no comparison.
        options.setdefault("check_schema", False)
        super().__init__(uri=uri, database=database, **options)
        self._database = database
        self._reading = _reading(options)
        if options.get("transport") is None:  # with one there may be no network
            guard = SchemaGuard(self._options.transport, self._check_schema)
            self._options = dataclasses.replace(self._options, transport=guard)

    async def _check_schema(self) -> None:
        """Raises SchemaMismatchError when the database is another one than before."""
        mine, uri = self.bindings, self._explain.uri
        try:
            now = await fetch_async(
                uri, self._database, include_private=mine.has_private, **self._reading
            )
        except SpacetimeDBError:
            return  # connecting will say what is wrong
        found = [] if now is mine else differences(_schema_of(mine), _schema_of(now))
        if found:
            raise SchemaMismatchError(
                f"`{self._database}` has changed since its schema was read ({', '.join(found)}): "
                "connect again, which reads it anew"
            )


class Bindings(ModuleType):
    """A generated package in memory: a class for each row and type, `query`, `DbConnection`.

    Of equal schemas there is one, as long as the process lives. `dir()` lists what there is.
    """

    DbConnection: type[DynamicConnection]
    query: AnyQueries
    has_private: bool
    """Whether private tables are among them."""
    __all__: list[str]

    def __dir__(self) -> list[str]:
        return sorted(self.__all__)

    def __repr__(self) -> str:
        names = sorted(set(self.__all__) - {"DbConnection", "EventContext", "query"})
        return f"<bindings: {', '.join(names)}>"

    def __getattr__(self, name: str) -> Any:
        raise no_such(
            self, "class in these bindings called", name, self.__dict__.get("__all__", ())
        )


@asynccontextmanager
async def connect(
    uri: str, database: str, *, include_private: bool = False, **options: Any
) -> AsyncGenerator[DynamicConnection]:
    """Read the database's schema and connect: `async with connect(...) as connection:`.

    Args:
        uri: As that of `DbConnection`.
        database: Name or identity.
        include_private: Private tables too, for the owner.
        options: Those of `DbConnection`.

    Raises what entering a `DbConnection` raises; HttpError where the server does not give the
    schema, CodegenError for one that bindings cannot be made of. After a reconnect to a database
    whose tables or reducers are others than before the connection ends with SchemaMismatchError.
    """
    made = await fetch_async(uri, database, include_private=include_private, **_reading(options))
    async with made.DbConnection(uri=uri, database=database, **options) as connection:
        yield connection


def connection(
    uri: str, database: str, *, include_private: bool = False, **options: Any
) -> DynamicConnection:
    """As `connect`, for a program that does not await: `sync.connect(dynamic.connection(...))`.

    Reads the schema; the connection is not made yet.
    """
    made = fetch(uri, database, include_private=include_private, **_reading(options))
    return made.DbConnection(uri=uri, database=database, **options)


def _reading(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that reading the schema takes as well."""
    names = ("token", "connect_timeout", "ca_file", "ssl_context", "headers", "proxy")
    return {name: options[name] for name in names if name in options}


def _http_options(
    uri: str,
    *,
    token: TokenSource = None,
    connect_timeout: float | None = 10.0,
    ca_file: str | Path | None = None,
    ssl_context: ssl.SSLContext | None = None,
    headers: Mapping[str, str] | None = None,
    proxy: str | bool = True,
) -> dict[str, Any]:
    """Those of a connection as those of an HTTP client. Raises ValueError."""
    parse_uri(uri)
    return {
        "token": token,
        "timeout": connect_timeout,
        "ssl_context": trusted(ca_file, ssl_context),
        "headers": checked_headers(headers or {}),
        "proxy": proxy,
    }


def fetch(uri: str, database: str, *, include_private: bool = False, **options: Any) -> Bindings:
    """The bindings of a running database, for a program that does not await.

    `options` are `token`, `connect_timeout` (seconds), `ca_file`, `ssl_context` and `headers` as
    those of `DbConnection`. Raises ConnectError, HttpError, CodegenError.
    """
    from .http import HttpClient

    with HttpClient(uri, **_http_options(uri, **options)) as client:
        return bindings(client.schema(database), include_private=include_private)


async def fetch_async(
    uri: str, database: str, *, include_private: bool = False, **options: Any
) -> Bindings:
    """As `fetch`, for a program that awaits."""
    from .http import AsyncHttpClient

    async with AsyncHttpClient(uri, **_http_options(uri, **options)) as client:
        return bindings(await client.schema(database), include_private=include_private)


def bindings(
    schema: str | bytes | Path | Mapping[str, Any], *, include_private: bool = False
) -> Bindings:
    """The bindings of a schema: JSON of version 9 or 10 as a server tells it, or a file of it.

    Raises CodegenError; OSError for a file that cannot be read.
    """
    if isinstance(schema, Path):
        schema = schema.read_bytes()
    if isinstance(schema, bytes):
        try:
            schema = schema.decode()
        except UnicodeDecodeError as error:
            raise CodegenError(f"a schema is JSON in UTF-8: {error}") from error
    text = schema if isinstance(schema, str) else json.dumps(schema)
    generated = _core.generate(text, "", include_private)
    # By what was generated: a server may list the same schema in another order.
    digest = hashlib.sha256(repr((generated, include_private)).encode()).hexdigest()
    name = f"spacetime_py_bindings_{digest[:16]}"
    files = {file.removesuffix(".py"): source for file, source in generated}
    with _lock:
        if (known := _loaded.get(name)) is None:
            known = _loaded[name] = _load(name, files)
            known.has_private = include_private
        return known


_lock = Lock()
# For good: their classes are, as those of every module.
_loaded: dict[str, Bindings] = {}


def _load(name: str, files: Mapping[str, str]) -> Bindings:
    package = Bindings(name)
    package.__path__ = []
    modules = {file: ModuleType(f"{name}.{file}") for file in _FILES}
    modules["__init__"] = package
    added = {module.__name__: module for module in modules.values()}
    sys.modules.update(added)
    try:
        for file, module in modules.items():
            _run(module, package=name, source=files[file])
    except BaseException:
        for each in added:
            del sys.modules[each]
        raise
    package.DbConnection = _connection_class(package)
    return package


def _run(module: ModuleType, package: str, source: str) -> None:
    module.__package__ = package
    file = f"<{module.__name__}>"
    # For tracebacks.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)


def _schema_of(package: Bindings) -> Schema:
    return schema_of(package.DbConnection._module)


def _connection_class(package: Bindings) -> type[DynamicConnection]:
    """The generated class, as a `DynamicConnection`."""
    body = {"__module__": package.__name__, "__doc__": None, "bindings": package}
    made: type[DynamicConnection] = type(
        "DbConnection", (DynamicConnection, package.DbConnection), body
    )
    return made
