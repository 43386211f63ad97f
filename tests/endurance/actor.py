"""Calls chosen at random, good and bad, and what the rows should be after each."""

from __future__ import annotations

import json
import random
import struct
from collections import Counter
from typing import Any

import anyio
import pytest

from spacetime_py import InternalError, SenderError
from tests.server.api import Api, ApiError, Database

from .raw import RawSocket

KEYS = 200
KEPT = 100
"""What the module keeps of its steps, and the last one."""
HUGE = 1_000_000
PATIENCE = 180.0
"""Seconds for one call: a loop without an end takes some ten until its energy is used."""
ARRIVAL = 10.0
"""Seconds for rows that are under way."""

WEIGHTS = {
    "put": 30,
    "drop": 12,
    "drop_group": 2,
    "put_many": 6,
    "put_new": 6,
    "step": 10,
    "refuse": 8,
    "crash": 6,
    "deep": 3,
    "nested": 3,
    "huge": 1,
    "over_http": 6,
    "nonsense_over_http": 4,
    "nonsense_in_frames": 3,
}


class Actor:
    """One connection, and the model."""

    def __init__(self, connection: Any, server: Api, database: Database, seed: int) -> None:
        self.connection = connection
        self.server = server
        self.database = database
        self.random = random.Random(seed)
        self.raw = RawSocket(database)
        self.rows: dict[int, str] = {}
        self.steps = 0
        self.done: Counter[str] = Counter()

    async def act(self) -> None:
        (name,) = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))
        await self.do(name)

    async def do(self, name: str) -> None:
        self.done[name] += 1
        with anyio.move_on_after(PATIENCE) as scope:
            await getattr(self, name)(self.random.randrange(KEYS))
        assert not scope.cancelled_caught, f"{name} does not come to an end: {self.done}"

    async def call(self, name: str, *arguments: object) -> None:
        await getattr(self.connection.reducers, name)(*arguments)

    async def refused(self, name: str, *arguments: object) -> str:
        """The text of a call that fails."""
        with pytest.raises(SenderError) as caught:
            await self.call(name, *arguments)
        return caught.value.message

    def text(self) -> str:
        return f"{self.random.randrange(10**6)} " + "ä" * self.random.choice((0, 3, 300))

    # ------------------------------------------------------------ good calls

    async def put(self, key: int) -> None:
        self.rows[key] = text = self.text()
        await self.call("put", key, text)

    async def drop(self, key: int) -> None:
        if self.rows.pop(key, None) is None:
            assert await self.refused("drop", key) == f"no row {key}"
        else:
            await self.call("drop", key)

    async def drop_group(self, key: int) -> None:
        await self.call("drop_group", key % 7)
        self.rows = {one: text for one, text in self.rows.items() if one % 7 != key % 7}

    async def put_many(self, key: int) -> None:
        keys, text = [self.random.randrange(KEYS * 10) % KEYS for _ in range(key % 12)], self.text()
        # A row that is there already, the same in all columns, is no violation: tables are sets.
        if all(self.rows.get(one, text) == text for one in keys):
            await self.call("put_many", keys, text)
            self.rows.update(dict.fromkeys(keys, text))
        else:
            said = await self.refused("put_many", keys, text)
            assert said.startswith("UniqueViolation: row: a row with the same value"), said

    async def put_new(self, key: int) -> None:
        keys, text = [self.random.randrange(KEYS) for _ in range(key % 12)], self.text()
        await self.call("put_new", keys, text)
        self.rows = {**dict.fromkeys(keys, text), **self.rows}

    async def step(self, key: int) -> None:
        await self.call("step", key)
        self.steps += 1

    async def over_http(self, key: int) -> None:
        self.rows[key] = text = self.text()
        await anyio.to_thread.run_sync(self.server.call, self.database.name, "put", [key, text])

    # ------------------------------------------------------------ calls that leave nothing

    async def refuse(self, key: int) -> None:
        text = self.text()
        assert await self.refused("refuse", key, text) == text

    async def crash(self, key: int) -> None:
        assert await self.refused("crash", key) == f"KeyError: {key}"

    async def deep(self, key: int) -> None:
        said = await self.refused("deep", key)
        assert said.startswith("RecursionError: "), said

    async def nested(self, key: int) -> None:
        said = await self.refused("nested", key * 50)
        assert said == str(key * 100 + 2) or said.startswith("RecursionError: "), said

    async def huge(self, key: int) -> None:
        data = self.random.randbytes(HUGE + key)
        assert await self.refused("measure", data) == str(len(data))
        text = "ü" * HUGE
        assert await self.refused("refuse", key, text) == text

    async def nonsense_over_http(self, key: int) -> None:
        texts = ["", "[", "{}", "[1]", '["x", "y"]', "[null, null]", "[-1, 5]", "[" * 100]
        texts.append(json.dumps([2**70, "x"]))
        bodies = [*(text.encode() for text in texts), self.random.randbytes(key + 1)]
        body = self.random.choice(bodies)
        await anyio.to_thread.run_sync(self._post, body)

    def _post(self, body: bytes) -> None:
        path = f"/v1/database/{self.database.name}/call/put"
        with pytest.raises(ApiError) as caught:
            self.server._request("POST", path, body, self.database.owner.token)
        assert 400 <= caught.value.status < 500, caught.value

    async def nonsense_in_frames(self, key: int) -> None:
        name = self.random.choice(["put", "put_many", "put_new", "measure", "no_such_reducer"])
        # A text of a length that it does not have, and bytes that are no text.
        wrong = [b"", b"\xff" * (key + 1), struct.pack("<II", key, 10**9)]
        wrong.append(struct.pack("<II", 5, 1) + b"\xff")
        if key % 10 == 0:
            await anyio.to_thread.run_sync(self.raw.nonsense, self.random.randbytes(key + 1))
        else:
            await anyio.to_thread.run_sync(self.raw.call, name, self.random.choice(wrong))

    # ------------------------------------------------------------ the end of an instance

    async def trap(self, key: int) -> None:
        await self._ask_twice()
        with pytest.raises(InternalError):
            await self.call("trap", key)
        await self._is_new(key)

    async def spin_over_http(self, key: int) -> None:
        await self._ask_twice()
        with pytest.raises(ApiError) as caught:
            await anyio.to_thread.run_sync(self.server.call, self.database.name, "spin", [key])
        assert caught.value.status == 402, caught.value
        await self._is_new(key)

    async def spin(self, key: int) -> None:
        """Servers 1.2 do not tell the connection that called; others wait, and are served."""
        await self._ask_twice()
        async with anyio.create_task_group() as group:
            group.start_soon(self.call, "spin", key)
            await anyio.sleep(0.1)
            await self._is_new(key)
            group.cancel_scope.cancel()

    async def _ask_twice(self) -> None:
        before = int(await self.refused("age"))
        assert int(await self.refused("age")) == before + 1

    async def _is_new(self, key: int) -> None:
        assert await self.refused("age") == "1"
        await self.step(key)

    # ------------------------------------------------------------ what should be there

    def _shown(self) -> dict[int, str]:
        return {row.key: row.text for row in self.connection.db.row}

    async def compare(self) -> None:
        """With what the connection's own rows are, and with what the server says."""
        # What was done over HTTP comes to the connection a moment after the answer to that.
        with anyio.move_on_after(ARRIVAL):
            while self._shown() != self.rows:
                await anyio.sleep(0.01)
        assert self._shown() == self.rows
        found = await anyio.to_thread.run_sync(
            self.server.sql, self.database.name, "SELECT * FROM row"
        )
        assert {row["key"]: row["text"] for row in found} == self.rows
        assert all(row["group"] == row["key"] % 7 for row in found)
        numbers = sorted(row.id for row in self.connection.db.step)
        assert len(numbers) == min(self.steps, KEPT + 1)
        assert not numbers or numbers[-1] >= self.steps
