"""The runtime's functions in plain Python, over tables in memory: `_spacetime` for unit tests.

What it knows of tables it takes from the program's own description. Rows are kept as bytes, so
that everything goes through the encoding.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

ABI = (10, 5)


class HostError(RuntimeError):
    errno = 0
    call = ""


CLASSES: dict[str, Any] = {"HostError": HostError}
LOG: list[tuple[int, str | None, str | None, int | None, str]] = []


class Codec:
    def __init__(self, description: Any) -> None:
        self.description = description


def codec(description: Any) -> Codec:
    return Codec(description)


def codec_forward() -> Codec:
    return Codec(None)


def codec_define(codec: Codec, description: Any) -> None:
    codec.description = description


def configure(**classes: Any) -> None:
    CLASSES.update(classes)


def log(level: int, target: str | None, file: str | None, line: int | None, text: str) -> None:
    LOG.append((level, target, file, line, text))


# ---------------------------------------------------------------- values


def encode(codec: Any, value: Any) -> bytes:
    d = codec.description if isinstance(codec, Codec) else codec
    if isinstance(d, Codec):
        return encode(d, value)
    if isinstance(d, str):
        return _encode_scalar(d, value)
    kind = d[0]
    if kind == "list":
        return struct.pack("<I", len(value)) + b"".join([encode(d[1], item) for item in value])
    if kind == "option":
        if value is None:
            return b"\1"
        return b"\0" + encode(d[1], value.value if _is_option(d[1]) else value)
    if kind == "product":
        values = value if d[1] is None else [getattr(value, name) for name, _ in d[2]]
        return b"".join([encode(part, item) for (_, part), item in zip(d[2], values, strict=True)])
    if kind == "enum":
        return bytes([d[1].index(value)])
    for tag, (cls, part) in enumerate(d[1]):
        if type(value) is cls:
            payload = value if kind == "union" else getattr(value, "value", None)
            return bytes([tag]) + (b"" if part is None else encode(part, payload))
    raise TypeError(f"no variant: {value!r}")


def _encode_scalar(name: str, value: Any) -> bytes:
    if name == "bool":
        return b"\1" if value else b"\0"
    if name in ("str", "bytes"):
        if type(value).__name__ != name:
            raise TypeError(f"expected {name}, got {type(value).__name__}")
        data: bytes = value.encode() if name == "str" else value
        return struct.pack("<I", len(data)) + data
    if name in ("f32", "f64"):
        return struct.pack("<f" if name == "f32" else "<d", value)
    if not isinstance(value, int):
        raise TypeError(f"expected int, got {type(value).__name__}")
    return value.to_bytes(int(name[1:]) // 8, "little", signed=name[0] == "i")


def _is_option(d: Any) -> bool:
    d = d.description if isinstance(d, Codec) else d
    return isinstance(d, tuple) and d[0] == "option"


def decode(codec: Any, data: bytes) -> Any:
    value, rest = _decode(codec, data)
    if rest:
        raise ValueError("bytes are left over")
    return value


def _decode(codec: Any, data: bytes) -> tuple[Any, bytes]:
    d = codec.description if isinstance(codec, Codec) else codec
    if isinstance(d, Codec):
        return _decode(d, data)
    if isinstance(d, str):
        return _decode_scalar(d, data)
    kind = d[0]
    if kind == "list":
        items, (count,), data = [], struct.unpack("<I", data[:4]), data[4:]
        for _ in range(count):
            item, data = _decode(d[1], data)
            items.append(item)
        return items, data
    if kind == "product":
        values = []
        for _, part in d[2]:
            value, data = _decode(part, data)
            values.append(value)
        return _made(d, values), data
    tag, data = data[0], data[1:]
    if kind == "option":
        if tag == 1:
            return None, data
        value, data = _decode(d[1], data)
        return CLASSES["Some"](value) if _is_option(d[1]) else value, data
    if kind == "enum":
        return d[1][tag], data
    cls, part = d[1][tag]
    if part is None:
        return cls(), data
    value, data = _decode(part, data)
    return value if kind == "union" else cls(value), data


def _made(d: Any, values: list[Any]) -> Any:
    _, cls, fields = d
    if cls is None:
        return tuple(values)
    made = cls.__new__(cls)
    for (name, _), value in zip(fields, values, strict=True):
        object.__setattr__(made, name, value)
    return made


def _decode_scalar(name: str, data: bytes) -> tuple[Any, bytes]:
    if name == "bool":
        return data[0] == 1, data[1:]
    if name in ("str", "bytes"):
        (size,) = struct.unpack("<I", data[:4])
        part = data[4 : 4 + size]
        return (part.decode() if name == "str" else part), data[4 + size :]
    size = int(name[1:]) // 8
    if name in ("f32", "f64"):
        return struct.unpack("<f" if name == "f32" else "<d", data[:size])[0], data[size:]
    return int.from_bytes(data[:size], "little", signed=name[0] == "i"), data[size:]


# ---------------------------------------------------------------- tables


class FakeTable:
    def __init__(self, raw: dict[str, Any], columns: list[str]) -> None:
        self.columns = columns
        self.unique = [one["data"]["Unique"]["columns"][0] for one in raw["constraints"]]
        self.sequences = [one["column"] for one in raw["sequences"]]
        self.rows: list[bytes] = []
        self.next = 1


TABLES: list[FakeTable] = []
TABLE_IDS: dict[str, int] = {}
INDEXES: list[tuple[FakeTable, list[int]]] = []
INDEX_IDS: dict[str, int] = {}


def load(description: dict[str, Any]) -> None:
    """Empty tables, from a description of version 9."""
    TABLES.clear()
    TABLE_IDS.clear()
    INDEX_IDS.clear()
    INDEXES.clear()
    for raw in description["tables"]:
        row = description["typespace"]["types"][raw["product_type_ref"]]
        columns = [one["name"]["some"] for one in row["Product"]["elements"]]
        table = FakeTable(raw, columns)
        TABLES.append(table)
        TABLE_IDS[raw["name"]] = len(TABLES)
        for index in raw["indexes"]:
            ((kind, places),) = index["algorithm"].items()
            places = places if isinstance(places, list) else [places]
            INDEXES.append((table, places))
            names = "_".join(columns[place] for place in places)
            INDEX_IDS[f"{raw['name']}_{names}_idx_{kind.lower()}"] = len(INDEXES)


def table_id(name: str) -> int:
    return TABLE_IDS[name]


def index_id(name: str) -> int:
    return INDEX_IDS[name]


def row_count(table: int) -> int:
    return len(TABLES[table - 1].rows)


def scan(table: int, row: Codec) -> Iterator[Any]:
    return iter([decode(row, data) for data in TABLES[table - 1].rows])


def _cells(row: Codec, data: bytes) -> list[tuple[Any, bytes]]:
    """(value, bytes) of each column."""
    cells = []
    for _, part in row.description[2]:
        value, rest = _decode(part, data)
        cells.append((value, data[: len(data) - len(rest)]))
        data = rest
    return cells


def _refuse(name: str, errno: int, call: str) -> None:
    error = CLASSES.get(name, HostError)(f"{call}: errno {errno}")
    error.errno, error.call = errno, call
    raise error


def insert(
    table: int, row: Codec, value: Any, generated: Codec | None, names: tuple[str, ...]
) -> Any:
    kept = TABLES[table - 1]
    for name in names:
        if getattr(value, name) == 0:
            setattr(value, name, kept.next)
            kept.next += 1
    data = encode(row, value)
    cells = _cells(row, data)
    for other in kept.rows:
        others = _cells(row, other)
        if any(cells[place] == others[place] for place in kept.unique):
            _refuse("UniqueViolation", 12, "datastore_insert_bsatn")
    if data not in kept.rows:
        kept.rows.append(data)
    return value


def insert_many(
    table: int,
    row: Codec,
    values: Iterable[Any],
    generated: Codec | None,
    names: tuple[str, ...],
) -> int:
    return len([insert(table, row, value, generated, names) for value in values])


def update(
    table: int,
    index: int,
    row: Codec,
    value: Any,
    generated: Codec | None,
    names: tuple[str, ...],
) -> Any:
    _, (place,) = INDEXES[index - 1]
    key = _cells(row, encode(row, value))[place][1]
    if not _remove(index, lambda cells: cells[0] == key):
        _refuse("NoSuchRow", 15, "datastore_update_bsatn")
    return insert(table, row, value, generated, names)


def delete_rows(table: int, row: Codec, values: Iterable[Any]) -> int:
    kept, wanted = TABLES[table - 1], [encode(row, value) for value in values]
    before = len(kept.rows)
    kept.rows = [data for data in kept.rows if data not in wanted]
    return before - len(kept.rows)


def clear(table: int) -> int:
    count = row_count(table)
    TABLES[table - 1].rows.clear()
    return count


ROWS: dict[int, Codec] = {}


def _remove(index: int, wanted: Callable[[list[bytes]], bool]) -> int:
    table, places = INDEXES[index - 1]
    row = _row_codec(table)
    before = len(table.rows)
    table.rows = [
        data for data in table.rows if not wanted([_cells(row, data)[place][1] for place in places])
    ]
    return before - len(table.rows)


def _row_codec(table: FakeTable) -> Codec:
    """What the program made for it: the fake has no types of its own."""
    from spacetime_py.server import handles

    name = next(name for name, place in TABLE_IDS.items() if TABLES[place - 1] is table)
    found: Codec = next(
        handle._row for handle in vars(handles.database).values() if handle._name == name
    )
    return found


def find(index: int, row: Codec, key: Codec, value: Any) -> Any | None:
    return next(filter(index, row, key, value), None)


def filter(index: int, row: Codec, key: Codec, value: Any) -> Iterator[Any]:
    bound = b"\0" + encode(key, value)
    return index_scan(index, row, b"", 0, bound, bound)


def delete_key(index: int, key: Codec, value: Any) -> int:
    wanted = encode(key, value)
    return _remove(index, lambda cells: cells[0] == wanted)


def index_scan(
    index: int, row: Codec, prefix: bytes, prefix_elems: int, start: bytes, end: bytes
) -> Iterator[Any]:
    table, places = INDEXES[index - 1]
    found = []
    for data in table.rows:
        cells = [_cells(row, data)[place] for place in places]
        part = row.description[2][places[prefix_elems]][1]
        if _within(cells, part, prefix, prefix_elems, start, end):
            found.append(([value for value, _ in cells], data))
    return iter([decode(row, data) for _, data in sorted(found)])


def _within(
    cells: list[tuple[Any, bytes]], part: Any, prefix: bytes, count: int, start: bytes, end: bytes
) -> bool:
    if b"".join([data for _, data in cells[:count]]) != prefix:
        return False
    value = cells[count][0]
    if start[0] != 2 and (value < decode(part, start[1:]) or _excluded(start, part, value)):
        return False
    return end[0] == 2 or not (value > decode(part, end[1:]) or _excluded(end, part, value))


def _excluded(bound: bytes, part: Any, value: Any) -> bool:
    return bound[0] == 1 and bool(value == decode(part, bound[1:]))


def delete_where(index: int, prefix: bytes, prefix_elems: int, start: bytes, end: bytes) -> int:
    table, _ = INDEXES[index - 1]
    row = _row_codec(table)
    rows = list(index_scan(index, row, prefix, prefix_elems, start, end))
    number = next(place for place in TABLE_IDS.values() if TABLES[place - 1] is table)
    return delete_rows(number, row, rows)


# ---------------------------------------------------------------- the rest


def database_identity() -> bytes:
    return b"\7" * 32


def jwt(connection_id: bytes) -> bytes | None:
    return b'{"sub":"me"}' if any(connection_id) else None


TRANSACTIONS: list[str] = []


def start_tx() -> int:
    TRANSACTIONS.append("start")
    return 1_000_000


def commit_tx() -> None:
    TRANSACTIONS.append("commit")


def abort_tx() -> None:
    TRANSACTIONS.append("abort")


def install() -> None:
    """Become `_spacetime`, before `spacetime_py.server` is imported."""
    module = ModuleType("_spacetime")
    module.__dict__.update(
        {name: value for name, value in globals().items() if not name.startswith("_")}
    )
    sys.modules["_spacetime"] = module
