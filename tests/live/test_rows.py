"""Rows of a server in other forms: classes of one's own, and the server's own JSON."""

from __future__ import annotations

import dataclasses
import datetime
import json
from enum import Enum
from typing import Any

import anyio
import msgspec
import pydantic
import pytest

from spacetime_py import ConversionError, asdict, from_json, into, replace, to_json
from tests.server.api import Api

from .target import Target
from .test_values import container_rows

pytestmark = [pytest.mark.anyio, pytest.mark.real_server]


@dataclasses.dataclass
class Note:
    sender: str
    sent: datetime.datetime
    text: str
    stars: int = 0


class NoteStruct(msgspec.Struct):
    sender: str
    sent: datetime.datetime
    text: str


class NoteModel(pydantic.BaseModel):
    sender: str
    sent: datetime.datetime
    text: str


@dataclasses.dataclass
class Wrong:
    text: datetime.datetime


async def test_into_classes_of_each_kind(chat: Target) -> None:
    query = chat.bindings.query
    begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)
    async with chat.connect() as connection:
        await connection.subscribe("SELECT * FROM message")
        await connection.reducers.send_message("hello")
        (row,) = connection.db.message
        for model in (Note, NoteStruct, NoteModel):
            (cached,) = connection.db.message.iter(into=model)
            assert isinstance(cached, model)
            assert (cached.sender, cached.text) == (str(connection.identity), "hello")
            assert cached.sent > begin
            assert cached.sent == row.sent.to_datetime()
            assert into(row, model) == cached
            assert await connection.query("SELECT * FROM message", into=model) == [cached]
            assert await connection.query(query.message, into=model, timeout=30) == [cached]
        with pytest.raises(ConversionError, match=r"^Wrong\.text: expected datetime, got str"):
            await connection.query(query.message, into=Wrong)
        with pytest.raises(ConversionError, match=r"^Wrong\.text"):
            list(connection.db.message.iter(into=Wrong))
        with pytest.raises(TypeError, match="is no dataclass"):
            connection.db.message.iter(into=int)


class Shade(Enum):
    RED = "r"
    GREEN = "g"
    DARK_BLUE = "b"


@dataclasses.dataclass
class Spot:
    x: int
    y: int


@dataclasses.dataclass
class Mapped:
    id: int
    o_point: Spot | None
    l_point: list[Spot]
    l_opt: tuple[int | None, ...]
    l_color: list[Shade]
    color: Shade
    shape: Any
    line: dict[str, Any]


async def test_into_with_nested_types(all_types: Target) -> None:
    rows = container_rows(all_types.bindings)
    async with all_types.connect() as connection:
        await connection.subscribe("SELECT * FROM containers")
        for row in rows:
            await connection.reducers.put_containers(row)
        for made in connection.db.containers.iter(into=Mapped):
            row = connection.db.containers.id.find(made.id)
            assert (made.o_point is None) == (row.o_point is None)
            assert [(spot.x, spot.y) for spot in made.l_point] == [
                (point.x, point.y) for point in row.l_point
            ]
            assert made.l_opt == tuple(row.l_opt)
            assert [shade.name for shade in made.l_color] == [color.name for color in row.l_color]
            assert made.line == asdict(row.line)
            assert made.shape == row.shape


async def test_json_is_what_the_server_says_and_takes(all_types: Target, server: Api) -> None:
    rows = container_rows(all_types.bindings)
    cls, name = all_types.bindings.Containers, all_types.database.name
    async with all_types.connect() as connection:
        await connection.subscribe("SELECT * FROM containers")
        for row in rows:
            argument = json.loads(to_json(row))
            await anyio.to_thread.run_sync(server.call, name, "put_containers", [argument])
        # A query over the same socket comes after what the calls changed.
        assert set(await connection.query("SELECT * FROM containers")) == set(rows)
        told = await anyio.to_thread.run_sync(server.sql, name, "SELECT * FROM containers")
        assert {from_json(cls, json.dumps(row)) for row in told} == set(rows)


async def test_json_of_scalars_and_special_types(all_types: Target, server: Api) -> None:
    cls, name = all_types.bindings.Scalars, all_types.database.name
    async with all_types.connect() as connection:
        await connection.subscribe("SELECT * FROM scalars")
        reducers = connection.reducers
        low = [-(2 ** (bits - 1)) for bits in (8, 16, 32, 64, 128, 256)]
        high = [2**bits - 1 for bits in (8, 16, 32, 64, 128, 256)]
        await reducers.set_signed(1, *low)
        await reducers.set_unsigned(1, *high)
        await reducers.set_floats(1, -1.5, 0.1)
        await reducers.set_plain(1, True, "é\0", b"\0\xff")
        (row,) = connection.db.scalars
        (told,) = await anyio.to_thread.run_sync(server.sql, name, "SELECT * FROM scalars")
        assert from_json(cls, json.dumps(told)) == row
        changed = replace(
            row, id=2, v_identity=connection.identity, v_conn=connection.connection_id
        )
        argument = json.loads(to_json(changed))
        await anyio.to_thread.run_sync(server.call, name, "put_scalars", [argument])
        assert changed in await connection.query("SELECT * FROM scalars")
