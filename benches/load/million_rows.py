"""A million rows subscribed, updated and unsubscribed: time and memory, and the memory afterwards.

    python -m benches.load.million_rows [ROWS] [--json]

The server is the live peer, a process of its own, whose memory does not count. Its table `message`
has rows of about 100 bytes and one unique index; another client's calls update them in slices.
Memory is the resident set of this process, after the system had back what is free.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import anyio

from benches.bindings import bindings_of
from benches.metrics.process import resident
from tests.peer.process import Peer

SLICE = 100_000


async def measure(bindings: Any, peer: Peer, rows: int) -> dict[str, Any]:
    """The figures, in seconds and in bytes."""
    database = {"uri": peer.url, "database": "load", "max_message_size": 1 << 30}
    updates = 0

    def count(context: object, old: object, new: object) -> None:
        nonlocal updates
        updates += 1

    async with (
        bindings.DbConnection(**database) as reader,
        bindings.DbConnection(**database) as writer,
    ):
        await writer.reducers.fill_message(rows)
        before = resident()
        start = time.perf_counter()
        handle = await reader.subscribe("SELECT * FROM message")
        subscribed = time.perf_counter() - start
        assert len(reader.db.message) == rows
        held = resident() - before
        reader.db.message.on_update(count)
        start = time.perf_counter()
        for first in range(0, rows, SLICE):
            # The ids are those of a sequence: from 1.
            await writer.reducers.rewrite_message(first + 1, min(SLICE, rows - first), 1)
            while updates < min(first + SLICE, rows):
                await anyio.sleep(0.001)
        updated = time.perf_counter() - start
        held_after_updates = resident() - before
        start = time.perf_counter()
        await handle.unsubscribe()
        unsubscribed = time.perf_counter() - start
        assert len(reader.db.message) == 0
        left = resident() - before
    return {
        "rows": rows,
        "subscribe_seconds": subscribed,
        "update_seconds": updated,
        "unsubscribe_seconds": unsubscribed,
        "bytes_per_row": held / rows,
        "bytes_per_row_after_updates": held_after_updates / rows,
        "bytes_left": left,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, usage="python -m benches.load.million_rows"
    )
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    options = parser.parse_args()
    with Peer(databases={"load": "generic"}) as peer:
        figures = anyio.run(measure, bindings_of(peer, "load"), peer, options.rows)
    if options.json:
        print(json.dumps(figures))
        return
    print(f"{figures['rows']:,} rows subscribed in {figures['subscribe_seconds']:.2f} s")
    print(f"  updated one by one, with a callback, in {figures['update_seconds']:.2f} s")
    print(f"  unsubscribed in {figures['unsubscribe_seconds']:.2f} s")
    print(f"  memory per row: {figures['bytes_per_row']:.0f} bytes,", end=" ")
    print(f"after the updates {figures['bytes_per_row_after_updates']:.0f}")
    print(f"  memory left afterwards: {figures['bytes_left'] / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
