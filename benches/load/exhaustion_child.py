"""A client with little memory that subscribes to much: `exhaustion.py` runs it and looks on.

python -m benches.load.exhaustion_child URL DATABASE PLACE BYTES
"""

from __future__ import annotations

import resource
import sys
from typing import Any

import anyio

from benches.bindings import bindings_of_schema

from .places import MAX_MESSAGE, schema_of_module


async def main(bindings: Any, url: str, database: str) -> None:
    async with bindings.DbConnection(
        uri=url, database=database, max_message_size=MAX_MESSAGE, compression="none"
    ) as connection:
        await connection.subscribe("SELECT * FROM job")
        print(f"{len(connection.db.job)} rows fitted", flush=True)
        print(sum(len(row.prompt) for row in connection.db.job))


if __name__ == "__main__":
    url, database, _, size = sys.argv[1:]
    bindings = bindings_of_schema(schema_of_module(), "load_bindings_child")
    resource.setrlimit(resource.RLIMIT_AS, (int(size), int(size)))
    anyio.run(main, bindings, url, database)
