"""The cases by name, and which database each of them needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .world import World

Body = Callable[[World], Awaitable[None]]

CONTRACT = "contract"
"""`tests/modules/contract_py`: as a module of a 1.x server, and by its schema on the peer."""
NEWER = "newer"
"""The same with what 2.x servers have more."""
MOD28 = "mod28"
"""The module that was recorded on 2.8.3, as the peer has it."""


@dataclass(frozen=True)
class Case:
    name: str
    body: Body
    module: str
    """One of the three above; all but the first are on the peer only."""
    needs_host: bool
    """The peer lacks what it takes: joins, and reducers that do more than their names say."""


CASES: dict[str, Case] = {}


def case(name: str, *, module: str = CONTRACT, needs_host: bool = False) -> Callable[[Body], Body]:
    """The function shows what the case of that name must."""

    def register(body: Body) -> Body:
        if name in CASES:
            raise ValueError(f"two cases named {name}")
        CASES[name] = Case(name, body, module, needs_host)
        return body

    return register
