"""The event loop that a line names."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_in(loop: str, program: Coroutine[Any, Any, T]) -> T:
    """Run in `asyncio` or `uvloop`. Raises ImportError when there is no uvloop."""
    if loop == "asyncio":
        return asyncio.run(program)
    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module(
        "uvloop"
    ).new_event_loop
    running = new_event_loop()
    try:
        return running.run_until_complete(program)
    finally:
        running.close()
