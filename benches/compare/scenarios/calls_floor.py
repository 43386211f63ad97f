"""What the machine and the peer take of a call: bytes made before, through a socket that blocks.

Nothing is looked at but that an answer has come, so that no client can take less.
"""

from __future__ import annotations

import asyncio
import socket
import time
from urllib.parse import urlsplit

from spacetime_py.transport import Driver, Endpoint, MemoryTransport

from ..measure import Result, Run, percentiles
from ..memory_wire import READ_SIZE, Wire

CALLS = 20_000


def run(run: Run) -> Result:
    """Options: those of `calls`, with one in flight."""
    upgrade, call = asyncio.run(_sent(run))
    address = urlsplit(run.options["uri"])
    assert address.hostname is not None
    latencies: list[float] = []
    with socket.create_connection((address.hostname, address.port or 80)) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.sendall(upgrade)
        # The greeting and a ping come with the answer, or soon after it; no other ping in 15 s.
        time.sleep(0.2)
        peer.recv(READ_SIZE)
        for _ in range(10 if run.is_quick else CALLS):
            start = time.perf_counter()
            peer.send(call)
            peer.recv(READ_SIZE)
            latencies.append(time.perf_counter() - start)
    return Result(values=percentiles(latencies))


async def _sent(run: Run) -> tuple[bytes, bytes]:
    """The request for the upgrade and a call, as the SDK sends them."""
    sent: list[bytes] = []

    def open_wire(endpoint: Endpoint, driver: Driver) -> MemoryTransport:
        def next_data() -> bytes:
            sent.append(driver.next_data())
            return sent[-1]

        return Wire().open(endpoint, driver._replace(next_data=next_data))

    async with run.bindings.DbConnection(
        uri=run.options["uri"], database="bench", transport=open_wire
    ) as connection:
        (upgrade,) = filter(None, sent)
        sent.clear()
        connection.reducers.say("hello, everybody")
        (call,) = filter(None, sent)
    return upgrade, call
