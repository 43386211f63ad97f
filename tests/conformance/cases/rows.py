"""Values of every type to the server and back: as arguments, in rows, in the events of rows."""

from __future__ import annotations

import uuid
from typing import Any

from spacetime_py import ConnectionId, Identity, TimeDuration, Timestamp

from ..registry import NEWER, case
from ..world import World, all_empty, equal, holds, listen, listen_to_events, own_call

INTEGERS = ("u8", "u16", "u32", "u64", "u128", "u256", "i8", "i16", "i32", "i64", "i128", "i256")
PRIMITIVES: dict[str, Any] = {
    **dict.fromkeys(INTEGERS, 0),
    "bool": False,
    "f32": 0.0,
    "f64": 0.0,
    "string": "",
}
DUMMY = Identity("0" * 64)
MOMENT = Timestamp(1_700_000_000_123_456)


def every_primitive(world: World) -> Any:
    """No two bytes of a number are the same, so that their order is seen."""
    number = int.from_bytes(bytes(range(1, 33)), "big")
    return world.bindings.EveryPrimitive(
        a=1,
        b=0x0102,
        c=0x01020304,
        d=number >> 192,
        e=number >> 128,
        f=number,
        g=-1,
        h=-0x0102,
        i=-0x01020304,
        j=-(number >> 192),
        k=-(number >> 128),
        l=-number,
        m=True,
        n=1.5,
        o=-2.25,
        p="text",
        q=DUMMY,
        r=ConnectionId(f"{number >> 128:032x}"),
        s=MOMENT,
        t=TimeDuration(-67_419_000_000_003),
    )


def every_list(world: World) -> Any:
    return world.bindings.EveryList(
        a=b"",
        b=[1],
        c=[2, 2],
        d=[-3, 3, -3],
        e=[-4] * 4,
        f=[False, True],
        g=[0.0, -1.0],
        h=[0.5],
        i=["lists", "of", ""],
        j=[DUMMY],
        k=[ConnectionId("1" * 32)],
        l=[MOMENT],
        m=[TimeDuration(-1)],
    )


async def insert_one(world: World, connection: Any, table: str, value: Any) -> None:
    """Insert a row by its reducer: one callback, with the row, of the call."""
    heard, events = listen(connection, table), listen_to_events(connection, table)
    await getattr(connection.reducers, f"insert_{table}")(value)
    equal(heard, [("insert", world.row(table, value))], f"callbacks of {table}")
    own_call(events[0], f"insert_{table}", value)
    equal(list(getattr(connection.db, table)), [world.row(table, value)], f"rows of {table}")


async def insert_all(world: World, values: dict[str, Any]) -> None:
    """Rows by table, in a database in which there is nothing."""
    async with world.connect() as connection:
        await connection.subscribe(*[f"SELECT * FROM {table}" for table in values])
        all_empty(connection)
        for table, value in values.items():
            await insert_one(world, connection, table, value)


@case("insert-primitive")
async def insert_primitive(world: World) -> None:
    await insert_all(world, {f"one_{name}": value for name, value in PRIMITIVES.items()})


@case("subscribe-all-select-star")
async def subscribe_all_select_star(world: World) -> None:
    async with world.connect() as connection:
        handle = connection.subscription_builder().subscribe_to_all_tables()
        await handle.applied()
        all_empty(connection)
        for name, value in PRIMITIVES.items():
            await insert_one(world, connection, f"one_{name}", value)


@case("insert-identity")
async def insert_identity(world: World) -> None:
    await insert_all(world, {"one_identity": DUMMY})


@case("insert-connection-id")
async def insert_connection_id(world: World) -> None:
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM one_connection_id")
        await insert_one(world, connection, "one_connection_id", connection.connection_id)


@case("insert-timestamp")
async def insert_timestamp(world: World) -> None:
    await insert_all(world, {"one_timestamp": MOMENT})


@case("insert-uuid", module=NEWER)
async def insert_uuid(world: World) -> None:
    value = uuid.UUID("01020304-0506-0708-090a-0b0c0d0e0f10")
    await insert_all(world, {"one_uuid": value, "vec_uuid": [value], "option_uuid": None})


async def insert_own(world: World, table: str, reducer: str, value: str) -> None:
    """The reducer inserts what it knows of its caller."""
    async with world.connect() as connection:
        await connection.subscribe(f"SELECT * FROM {table}")
        heard, events = listen(connection, table), listen_to_events(connection, table)
        await getattr(connection.reducers, reducer)()
        equal(heard, [("insert", world.row(table, getattr(connection, value)))], "callbacks")
        own_call(events[0], reducer)


@case("insert-caller-identity", needs_host=True)
async def insert_caller_identity(world: World) -> None:
    await insert_own(world, "one_identity", "insert_caller_identity", "identity")


@case("insert-caller-connection-id", needs_host=True)
async def insert_caller_connection_id(world: World) -> None:
    await insert_own(world, "one_connection_id", "insert_caller_connection_id", "connection_id")


@case("insert-call-timestamp", needs_host=True)
async def insert_call_timestamp(world: World) -> None:
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM one_timestamp")
        events = listen_to_events(connection, "one_timestamp")
        await connection.reducers.insert_call_timestamp()
        (row,) = connection.db.one_timestamp
        equal(row.n, events[0].timestamp, "the time in the row, and that of the event")


@case("insert-vec")
async def insert_vec(world: World) -> None:
    async with world.connect() as connection:
        values: dict[str, Any] = {f"vec_{name}": [0, 1] for name in INTEGERS}
        values |= {"vec_u8": b"\0\1", "vec_bool": [False, True], "vec_string": ["zero", "one"]}
        values |= {"vec_f32": [0.0, 1.0], "vec_f64": [0.0, 1.0], "vec_timestamp": [MOMENT]}
        values |= {"vec_identity": [connection.identity]}
        values |= {"vec_connection_id": [connection.connection_id]}
        await connection.subscribe(*[f"SELECT * FROM {table}" for table in values])
        for table, value in values.items():
            await insert_one(world, connection, table, value)


@case("insert-option-some")
async def insert_option_some(world: World) -> None:
    values = {
        "option_i32": 0,
        "option_string": "string",
        "option_identity": DUMMY,
        "option_simple_enum": world.bindings.SimpleEnum.ZERO,
        "option_every_primitive": every_primitive(world),
        "option_vec_option_i32": [0, None],
    }
    await insert_all(world, values)


@case("insert-option-none")
async def insert_option_none(world: World) -> None:
    names = ("i32", "string", "identity", "simple_enum", "every_primitive", "vec_option_i32")
    await insert_all(world, dict.fromkeys([f"option_{name}" for name in names]))


@case("insert-struct")
async def insert_struct(world: World) -> None:
    values = {
        "unit_struct": world.bindings.UnitStruct(),
        "byte_struct": world.bindings.ByteStruct(0),
        "every_primitive": every_primitive(world),
        "every_list": every_list(world),
    }
    one = {f"one_{name}": value for name, value in values.items()}
    await insert_all(world, one | {f"vec_{name}": [value] for name, value in values.items()})


@case("insert-simple-enum")
async def insert_simple_enum(world: World) -> None:
    enum = world.bindings.SimpleEnum
    await insert_all(world, {"one_simple_enum": enum.ONE, "vec_simple_enum": list(enum)})


@case("insert-enum-with-payload")
async def insert_enum_with_payload(world: World) -> None:
    names = world.bindings
    values = [
        names.PayloadNumber(2**256 - 1),
        names.PayloadText("text"),
        names.PayloadBytes(b"\xde\xad\xbe\xef"),
        names.PayloadWho(DUMMY),
        names.PayloadEnums(list(names.SimpleEnum)),
        names.PayloadNothing(),
    ]
    await insert_all(world, {"one_payload": values[0], "vec_payload": values})


@case("insert-delete-large-table")
async def insert_delete_large_table(world: World) -> None:
    names = world.bindings
    row = names.LargeTable(
        a=0,
        b=1,
        c=-2,
        d=False,
        e=0.5,
        f="string",
        g=names.SimpleEnum.ZERO,
        h=names.PayloadText(""),
        i=names.UnitStruct(),
        j=every_primitive(world),
        k=every_list(world),
    )
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM large_table")
        heard = listen(connection, "large_table")
        events = listen_to_events(connection, "large_table")
        await connection.reducers.insert_large_table(row)
        await connection.reducers.delete_large_table(row)
        equal(heard, [("insert", row), ("delete", row)], "callbacks")
        own_call(events[0], "insert_large_table", row)
        own_call(events[1], "delete_large_table", row)
        all_empty(connection)


@case("insert-primitives-as-strings", needs_host=True)
async def insert_primitives_as_strings(world: World) -> None:
    value = every_primitive(world)
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM vec_string")
        await connection.reducers.insert_primitives_as_strings(value)
        (row,) = connection.db.vec_string
    texts = [str(getattr(value, name)) for name in "abcdefghijkl"]
    texts += ["True", "1.5", "-2.25", "text", str(value.q), str(value.r)]
    texts += [str(value.s.micros), str(value.t.micros)]
    equal(row.n, texts, "the values as the module prints them")


@case("sorted-uuids-insert", module=NEWER)
async def sorted_uuids_insert(world: World) -> None:
    """A thousand keys in the order in which they were made, as `uuid7` makes them."""
    made = [uuid.UUID(int=(0x018C_0000_0000 + n) << 80 | 7 << 76 | 2 << 62) for n in range(1000)]
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM pk_uuid")
        heard = listen(connection, "pk_uuid")
        for call in [connection.reducers.insert_pk_uuid(key, 0) for key in made]:
            await call
        equal([row.n for _, row in heard], made, "the keys in the order of their transactions")
        equal(sorted(row.n for row in connection.db.pk_uuid), made, "the keys in their order")
        holds(all(connection.db.pk_uuid.n.find(key) for key in made), "each key finds its row")
