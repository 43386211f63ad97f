"""Every type goes from Python through a reducer and the server into the cache, unchanged.

Values are compared as BSATN too, in which NaN equals itself and -0.0 differs from 0.0.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest

from spacetime_py import ConnectionId, Identity, ScheduleAt, Some, TimeDuration, Timestamp

from .target import Target

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]

WIDTHS = (8, 16, 32, 64, 128, 256)
ZERO_IDENTITY, ONES_IDENTITY = Identity("00" * 32), Identity("ff" * 32)
MIXED_IDENTITY = Identity(bytes(range(32)).hex())
ZERO_CONNECTION, ONES_CONNECTION = ConnectionId("00" * 16), ConnectionId("ff" * 16)
MIXED_CONNECTION = ConnectionId(bytes(range(16)).hex())
FIRST_TIME, LAST_TIME = Timestamp(-(2**63)), Timestamp(2**63 - 1)
SHORTEST, LONGEST = TimeDuration(-(2**63)), TimeDuration(2**63 - 1)
LARGEST_F32 = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
SMALLEST_F32 = struct.unpack("<f", b"\x01\0\0\0")[0]
TEXT = "naïve 漢字 👩‍👩‍👧 \0 \r\n ' \" \\ \U0010ffff"
MEGABYTE = 1 << 20


def unsigned(value: str) -> dict[str, int]:
    """The lowest, the highest, or a value whose bytes all differ, in each unsigned column."""
    return {f"v_u{bits}": _extreme(value, 0, 2**bits - 1, mixed(bits)) for bits in WIDTHS}


def signed(value: str) -> dict[str, int]:
    return {
        f"v_i{bits}": _extreme(value, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1, -mixed(bits))
        for bits in WIDTHS
    }


def mixed(bits: int) -> int:
    return int.from_bytes(bytes(range(1, bits // 8 + 1)), "little")


def _extreme(value: str, low: int, high: int, mixed: int) -> int:
    return {"low": low, "high": high, "mixed": mixed}[value]


FLOATS = {
    "zero": (0.0, 0.0),
    "negative zero": (-0.0, -0.0),
    "nan": (math.nan, math.nan),
    "infinite": (math.inf, -math.inf),
    "negative infinite": (-math.inf, math.inf),
    "largest": (LARGEST_F32, 1.7976931348623157e308),
    "smallest": (SMALLEST_F32, 5e-324),
    "plain": (-1.5, 0.1),
}

PLAIN = {
    "empty": (False, "", b""),
    "odd": (True, TEXT, bytes(range(256))),
    "megabyte": (True, "ä" * (MEGABYTE // 2), bytes(range(256)) * (MEGABYTE // 256)),
}

SPECIAL = {
    "zero": (ZERO_IDENTITY, ZERO_CONNECTION, Timestamp(0), TimeDuration(0), TimeDuration(0)),
    "low": (MIXED_IDENTITY, MIXED_CONNECTION, FIRST_TIME, SHORTEST, SHORTEST),
    "high": (ONES_IDENTITY, ONES_CONNECTION, LAST_TIME, LONGEST, LONGEST),
    "at a time": (MIXED_IDENTITY, MIXED_CONNECTION, Timestamp(1), TimeDuration(-1), Timestamp(0)),
    "at the last time": (ONES_IDENTITY, ONES_CONNECTION, LAST_TIME, LONGEST, LAST_TIME),
    "at the first time": (ZERO_IDENTITY, ZERO_CONNECTION, FIRST_TIME, SHORTEST, FIRST_TIME),
}


def same(got: object, sent: object) -> bool:
    """Equal, with the same type and the same bits."""
    if isinstance(sent, float):
        return isinstance(got, float) and struct.pack("<d", got) == struct.pack("<d", sent)
    return type(got) is type(sent) and got == sent


async def scalars_after(target: Target, reducer: str, columns: dict[str, Any]) -> None:
    """Call a reducer with one argument for each column, and compare what comes back."""
    async with target.connect() as connection:
        await connection.subscribe("SELECT * FROM scalars")
        await getattr(connection.reducers, reducer)(7, **columns)
        row = connection.db.scalars.id.find(7)
        for name, sent in columns.items():
            assert same(getattr(row, name), sent), name
        # A subscription of another client has it from the server's table, not from the call.
        async with target.connect() as other:
            await other.subscribe("SELECT * FROM scalars WHERE id = 7")
            (stored,) = other.db.scalars
            assert bytes(stored) == bytes(row)


@pytest.mark.parametrize("value", ["low", "high", "mixed"])
async def test_integers_as_arguments(all_types: Target, value: str) -> None:
    await scalars_after(all_types, "set_unsigned", unsigned(value))
    await scalars_after(all_types, "set_signed", signed(value))


@pytest.mark.parametrize("value", FLOATS)
async def test_floats_as_arguments(all_types: Target, value: str) -> None:
    v_f32, v_f64 = FLOATS[value]
    await scalars_after(all_types, "set_floats", {"v_f32": v_f32, "v_f64": v_f64})


@pytest.mark.parametrize("value", PLAIN)
async def test_bool_text_and_bytes_as_arguments(all_types: Target, value: str) -> None:
    columns = dict(zip(("v_bool", "v_text", "v_bytes"), PLAIN[value], strict=True))
    await scalars_after(all_types, "set_plain", columns)


@pytest.mark.parametrize("value", SPECIAL)
async def test_special_types_as_arguments(all_types: Target, value: str) -> None:
    names = ("v_identity", "v_conn", "v_time", "v_span", "v_when")
    await scalars_after(all_types, "set_special", dict(zip(names, SPECIAL[value], strict=True)))


async def test_the_server_understands_the_same(all_types: Target, server: Any) -> None:
    """Both directions could be wrong in the same way: the server's SQL tells what it stored."""
    async with all_types.connect() as connection:
        await connection.reducers.set_unsigned(1, **unsigned("mixed"))
        await connection.reducers.set_signed(1, **signed("mixed"))
        await connection.reducers.set_floats(1, -1.5, 0.1)
        await connection.reducers.set_plain(1, True, TEXT, b"\0\xff")
        await connection.reducers.set_special(
            1, MIXED_IDENTITY, MIXED_CONNECTION, Timestamp(5), TimeDuration(-6), Timestamp(7)
        )
    (row,) = server.sql(all_types.database.name, "SELECT * FROM scalars")
    for bits in WIDTHS[:-1]:
        assert row[f"v_u{bits}"] == unsigned("mixed")[f"v_u{bits}"]
        assert row[f"v_i{bits}"] == signed("mixed")[f"v_i{bits}"]
    assert int(row["v_u256"], 16) == unsigned("mixed")["v_u256"]
    assert int(row["v_i256"], 16) == signed("mixed")["v_i256"]
    assert (row["v_f32"], row["v_f64"]) == (-1.5, 0.1)
    assert (row["v_bool"], row["v_text"], row["v_bytes"]) == (True, TEXT, "00ff")
    assert int(row["v_identity"][0], 16) == int(MIXED_IDENTITY)
    assert row["v_conn"] == [int(MIXED_CONNECTION)]
    assert (row["v_time"], row["v_span"], row["v_when"]) == ([5], [-6], [1, [7]])


@pytest.mark.parametrize(
    ("number", "floats", "plain", "special"),
    [
        ("low", "zero", "empty", "zero"),
        ("low", "negative zero", "empty", "low"),
        ("high", "nan", "megabyte", "high"),
        ("mixed", "infinite", "odd", "at a time"),
        ("mixed", "smallest", "odd", "at the last time"),
    ],
)
async def test_scalars_as_a_row(
    all_types: Target, number: str, floats: str, plain: str, special: str
) -> None:
    numbers = {**unsigned(number), **signed(number)}
    v_bool, v_text, v_bytes = PLAIN[plain]
    v_identity, v_conn, v_time, v_span, v_when = SPECIAL[special]
    row = all_types.bindings.Scalars(
        id=2**32 - 1,
        **numbers,
        v_bool=v_bool,
        v_f32=FLOATS[floats][0],
        v_f64=FLOATS[floats][1],
        v_text=v_text,
        v_bytes=v_bytes,
        v_identity=v_identity,
        v_conn=v_conn,
        v_time=v_time,
        v_span=v_span,
        v_when=v_when,
    )
    inserted, deleted = [], []
    async with all_types.connect() as connection:
        connection.db.scalars.on_insert(lambda context, row: inserted.append(row))
        connection.db.scalars.on_delete(lambda context, row: deleted.append(row))
        await connection.subscribe("SELECT * FROM scalars")
        await connection.reducers.put_scalars(row)
        (got,) = connection.db.scalars
        assert bytes(got) == bytes(row)
        for name in type(row).__annotations__:
            assert same(getattr(got, name), getattr(row, name)), name
        assert row in connection.db.scalars
        assert connection.db.scalars.id.find(2**32 - 1) == got
        assert inserted == [row]
        await connection.reducers.drop_scalars(row.id)
        assert deleted == [row]
        assert len(connection.db.scalars) == 0


def container_rows(bindings: Any) -> list[Any]:
    """Empty, full, and one row for each of what an option may hold and each variant."""
    point = bindings.Point(x=-(2**31), y=2**31 - 1)
    origin = bindings.Point(x=0, y=0)
    shapes = [
        bindings.ShapeNothing(),
        bindings.ShapeCount(2**32 - 1),
        bindings.ShapeText(TEXT),
        bindings.ShapeSpot(point),
        bindings.ShapePath([]),
        bindings.ShapePath([point, origin]),
        *(bindings.ShapeTint(color) for color in bindings.Color),
        bindings.ShapeBlob(b"\0\xff"),
        bindings.ShapeBlob(b""),
        bindings.ShapeMaybe(None),
        bindings.ShapeMaybe(-(2**63)),
    ]
    nothing = dict.fromkeys(("o_num", "o_text", "o_point", "o_nested", "o_identity"))
    no_lists: dict[str, list[Any]] = {
        name: [] for name in ("l_num", "l_text", "l_point", "l_opt", "l_list", "l_color", "l_shape")
    }
    types = {
        "line": bindings.Line(from_point=origin, to_point=point, label=None),
        "color": bindings.Color.RED,
        "empty": bindings.Empty(),
    }
    full = bindings.Containers(
        id=100,
        o_num=-(2**31),
        o_text="",
        o_point=point,
        o_nested=Some(True),
        o_identity=MIXED_IDENTITY,
        l_num=[-(2**63), 0, 2**63 - 1],
        l_text=["", TEXT, "x" * 70_000],
        l_point=[origin, point] * 50,
        l_opt=[None, 0, 255, None],
        l_list=[[], [0, 65535], list(range(1000))],
        l_color=list(bindings.Color),
        l_shape=shapes,
        line=bindings.Line(from_point=point, to_point=origin, label=TEXT),
        color=bindings.Color.DARK_BLUE,
        shape=bindings.ShapePath([point]),
        empty=bindings.Empty(),
    )
    rows = [
        bindings.Containers(
            id=200 + number, **{**nothing, "o_nested": nested}, **no_lists, shape=shape, **types
        )
        for number, (shape, nested) in enumerate(
            zip(shapes, [None, Some(None), Some(False), Some(True)] * 4, strict=False)
        )
    ]
    return [full, *rows]


async def test_containers_as_rows(all_types: Target) -> None:
    rows = container_rows(all_types.bindings)
    async with all_types.connect() as connection:
        await connection.subscribe("SELECT * FROM containers")
        for row in rows:
            await connection.reducers.put_containers(row)
        assert len(connection.db.containers) == len(rows)
        for row in rows:
            got = connection.db.containers.id.find(row.id)
            assert bytes(got) == bytes(row)
            for name in type(row).__annotations__:
                assert same(getattr(got, name), getattr(row, name)), name


async def test_containers_as_arguments(all_types: Target) -> None:
    async with all_types.connect() as connection:
        await connection.subscribe("SELECT * FROM containers")
        reducers = connection.reducers
        for row in container_rows(all_types.bindings):
            await reducers.set_options(
                row.id, row.o_num, row.o_text, row.o_point, row.o_nested, row.o_identity
            )
            await reducers.set_lists(
                row.id,
                row.l_num,
                row.l_text,
                row.l_point,
                row.l_opt,
                row.l_list,
                row.l_color,
                row.l_shape,
            )
            await reducers.set_user_types(row.id, row.line, row.color, row.shape, row.empty)
            assert connection.db.containers.id.find(row.id) == row


async def test_other_tables_and_their_reducers(all_types: Target) -> None:
    bindings = all_types.bindings
    async with all_types.connect() as connection:
        await connection.subscribe(
            "SELECT * FROM dot", "SELECT * FROM profile", "SELECT * FROM diary", "SELECT * FROM tag"
        )
        reducers, db = connection.reducers, connection.db
        await reducers.dot_insert(4, 3)
        assert db.dot.id.find(5) == bindings.Dot(id=5, x=2.5, y=-5.0)
        await reducers.set_profile("Ann", bindings.Color.GREEN)
        profile = bindings.Profile(who=connection.identity, name="Ann", color=bindings.Color.GREEN)
        assert list(db.profile) == [profile]
        assert db.profile.name.find("Ann") == db.profile.who.find(connection.identity) == profile
        await reducers.add_diary("a", -1)
        assert bindings.Diary(text="a", n=-1) in db.diary
        await reducers.drop_diary("a", -1)
        assert db.diary.count() == 0
        await reducers.add_tag(2**64 - 1, "auto")
        (tag,) = db.tag
        assert tag.id > 0
        assert (tag.item_id, tag.label) == (2**64 - 1, "auto")
        await reducers.many_args(
            255, TEXT, None, [math.nan, -0.0], bindings.ShapeNothing(), bindings.Point(x=1, y=2)
        )


async def test_a_callback_sees_the_arguments_of_the_call(all_types: Target) -> None:
    """They come back from the server, decoded."""
    when: ScheduleAt = Timestamp(2**63 - 1)
    sent = (3, ONES_IDENTITY, MIXED_CONNECTION, Timestamp(-1), TimeDuration(9), when)
    events: list[Any] = []
    async with all_types.connect() as connection:
        connection.db.scalars.on_insert(lambda context, row: events.append(context.event))
        await connection.subscribe("SELECT * FROM scalars")
        await connection.reducers.set_special(*sent)
    (event,) = events
    assert (event.name, event.args, event.is_own) == ("set_special", sent, True)
