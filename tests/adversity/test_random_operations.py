"""Random operations over a connection that is cut again and again, checked against a model.

`SPACETIME_TEST_SEED` repeats a run; how often the connection is cut at which place depends on the
timing as well.
"""

from __future__ import annotations

import os
import random
import time

import pytest

from .client import RandomClient, Script, Writer
from .proxy import Proxy
from .targets import OPTIONS, RECONNECTS, SOAK, Target, reconnecting

pytestmark = pytest.mark.anyio

OPERATIONS = 10_000 if SOAK else 2_000
CUTS = (1_000 if SOAK else 200) if RECONNECTS else 0
# A run that needs more rounds for its cuts than this does not do what it should.
MOST_ROUNDS = OPERATIONS


def choose_seed() -> int:
    """A new one for each soak."""
    given = os.environ.get("SPACETIME_TEST_SEED")
    if given:
        return int(given)
    return random.SystemRandom().randrange(10**6) if SOAK else 1


async def test_random_operations(
    target: Target, target_name: str, anyio_backend_name: str, summary: list[str]
) -> None:
    seed = choose_seed()
    print(f"repeat it with SPACETIME_TEST_SEED={seed}")
    rng = random.Random(seed)
    start = time.monotonic()
    rounds = 0
    with Proxy(target.port, seed) as proxy:
        client = RandomClient(target, proxy, rng)
        connection = target.connect(proxy.url, **{**reconnecting(), **client.options()})
        client.use(connection)
        async with target.connect() as writing, connection:
            writer = Writer(writing, Script(random.Random(seed + 1), "writer", client.ledger))
            while client.operations < OPERATIONS or proxy.counts.cuts < CUTS:
                rounds += 1
                assert rounds <= MOST_ROUNDS
                await client.round(rng.randint(8, 28), writer)
            if "protocols" in OPTIONS:
                assert connection.protocol == target.kind.protocol
        counts = proxy.counts
    outcomes = ", ".join(f"{count} {name}" for name, count in client.ledger.outcomes.items())
    summary.append(
        f"{target_name} on {anyio_backend_name}, seed {seed}: {client.operations} operations, "
        f"{counts.cuts} cuts, {counts.stalls} stalls, {client.reconnects} reconnects, "
        f"{client.checks} checks, {time.monotonic() - start:.1f} s (calls: {outcomes})"
    )
