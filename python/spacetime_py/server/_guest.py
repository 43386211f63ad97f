"""The functions of the runtime: the one place where Python meets the database.

Outside of a database (type checkers, unit tests, `python module.py`) the names are there too; the
codecs are then plain descriptions, and everything else raises RuntimeError.
"""

from __future__ import annotations

from ._light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    class Codec:
        """How values of one type become bytes; compiled once."""

    class Rows(Iterator[Any]):
        """Rows, decoded as they are asked for."""

        def __next__(self) -> Any: ...

    ABI: tuple[int, int]
    INSIDE: bool

    def codec(description: object) -> Codec: ...
    def codec_forward() -> Codec: ...
    def codec_define(codec: Codec, description: object) -> None: ...
    def encode(codec: Codec, value: object) -> bytes: ...
    def decode(codec: Codec, data: bytes) -> Any: ...
    def table_id(name: str) -> int: ...
    def index_id(name: str) -> int: ...
    def row_count(table: int) -> int: ...
    def scan(table: int, row: Codec) -> Rows: ...
    def index_scan(
        index: int, row: Codec, prefix: bytes, prefix_elems: int, start: bytes, end: bytes
    ) -> Rows: ...
    def find(index: int, row: Codec, key: Codec, value: object) -> Any | None: ...
    def filter(index: int, row: Codec, key: Codec, value: object) -> Rows: ...
    def delete_where(
        index: int, prefix: bytes, prefix_elems: int, start: bytes, end: bytes
    ) -> int: ...
    def delete_key(index: int, key: Codec, value: object) -> int: ...
    def insert(
        table: int, row: Codec, value: object, generated: Codec | None, names: tuple[str, ...]
    ) -> Any: ...
    def insert_many(
        table: int,
        row: Codec,
        values: Iterable[object],
        generated: Codec | None,
        names: tuple[str, ...],
    ) -> int: ...
    def update(
        table: int,
        index: int,
        row: Codec,
        value: object,
        generated: Codec | None,
        names: tuple[str, ...],
    ) -> Any: ...
    def delete_rows(table: int, row: Codec, values: Iterable[object]) -> int: ...
    def log(
        level: int, target: str | None, filename: str | None, line: int | None, text: str
    ) -> None: ...
    def database_identity() -> bytes: ...
    def configure(**classes: object) -> None: ...
    def constructor(
        cls: type, names: tuple[str, ...], defaults: dict[str, object], keywords: bool
    ) -> bool: ...

    # From here on with ABI 10.5 only.
    def jwt(connection_id: bytes) -> bytes | None: ...
    def sleep_until(micros: int) -> int: ...
    def start_tx() -> int: ...
    def commit_tx() -> None: ...
    def abort_tx() -> None: ...
    def http_request(request: bytes, body: bytes) -> tuple[bytes, bytes]: ...
    def clear(table: int) -> int: ...

else:

    def constructor(cls, names, defaults, keywords):
        """Make calls of a class native; on a normal Python they stay as they are."""
        return False

    try:
        from _spacetime import *  # noqa: F403
        from _spacetime import ABI

        INSIDE = True
    except ImportError:
        ABI = (10, 5)
        INSIDE = False

        def codec(description):
            return _Description(description)

        def codec_forward():
            return _Description(None)

        def codec_define(codec, description):
            codec.description = description

    class _Description:
        __slots__ = ("description",)

        def __init__(self, description):
            self.description = description

    def __getattr__(name):
        """A function that the runtime does not have."""
        if name.startswith("_"):
            raise AttributeError(name)

        def missing(*args, **kwargs):
            if INSIDE:
                raise RuntimeError(
                    f"{name} needs a SpacetimeDB 2.2 or later and a module for it: "
                    f'put abi = "10.5" into [tool.spacetime] of pyproject.toml'
                )
            raise RuntimeError(
                f"{name} works only inside a database: publish the module and call its reducers"
            )

        return missing
