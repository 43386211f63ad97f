"""A task beside the user's: it ends however early it is cancelled."""

from __future__ import annotations

import anyio
import pytest

from spacetime_py.background import Background

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_cancelled_as_soon_as_it_is_started(turns: int) -> None:
    background = Background()
    await background.start(anyio.sleep_forever)
    background.add(anyio.sleep_forever)
    for _ in range(turns):
        await anyio.sleep(0)
    background.cancel()
    with anyio.fail_after(5, shield=True):
        await background.wait()
    await background.release()
