"""Whether a database still is what a connection's bindings were made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from .shapes import Schema, Type
from .transport import Driver, Endpoint, Transport, TransportFactory

_KINDS = {"Tables": "table", "Views": "view", "Reducers": "reducer", "Procedures": "procedure"}


def differences(old: Schema, new: Schema) -> list[str]:
    """What clients of `old` cannot go on with, in words. What is new does not disturb them."""
    found: list[str] = []
    for kind, word in _KINDS.items():
        there = {one["source_name"]: one for one in new.sections.get(kind, [])}
        for one in old.sections.get(kind, []):
            name = one["source_name"]
            if name not in there:
                found.append(f"{word} `{name}` is gone")
            elif not _Comparison(old, new).all_same(_types_of(one), _types_of(there[name])):
                found.append(f"{word} `{name}` has other types")
    return found


def _types_of(one: Mapping[str, Any]) -> Iterator[Type]:
    """Of a table, a view or a function."""
    if "product_type_ref" in one:
        yield {"Ref": one["product_type_ref"]}
    if "params" in one:
        yield {"Product": one["params"]}
    if "return_type" in one:
        yield one["return_type"]


class _Comparison:
    """Types of two schemas, which have their own numbers for them."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old
        self._new = new
        # Types may contain themselves.
        self._seen: set[tuple[int, int]] = set()

    def all_same(self, old: Iterator[Type], new: Iterator[Type]) -> bool:
        pairs = list(zip(old, new, strict=False))
        return all(self._is_same(one, other) for one, other in pairs)

    def _is_same(self, old: Type, new: Type) -> bool:
        ((name, body),), ((new_name, new_body),) = old.items(), new.items()
        if name != new_name:
            return False
        if name == "Ref":
            pair = (int(body), int(new_body))
            if pair in self._seen:
                return True
            self._seen.add(pair)
            return self._is_same(self._old.types[pair[0]], self._new.types[pair[1]])
        if name == "Array":
            return self._is_same(body, new_body)
        if name not in ("Product", "Sum"):
            return True
        ((_, parts),), ((_, new_parts),) = body.items(), new_body.items()
        return len(parts) == len(new_parts) and all(
            one["name"] == other["name"]
            and self._is_same(one["algebraic_type"], other["algebraic_type"])
            for one, other in zip(parts, new_parts, strict=True)
        )


class SchemaGuard:
    """Transports that look at the schema before they connect, but for the first one."""

    def __init__(self, factory: TransportFactory, check: Callable[[], Awaitable[None]]) -> None:
        self._factory = factory
        self._check = check
        self._is_first = True

    def __call__(self, endpoint: Endpoint, driver: Driver) -> Transport:
        transport = self._factory(endpoint, driver)
        if self._is_first:
            self._is_first = False
            return transport
        return _Checked(transport, self._check)


class _Checked:
    """A transport whose `connect` checks first."""

    def __init__(self, inner: Transport, check: Callable[[], Awaitable[None]]) -> None:
        self._inner = inner
        self._check = check
        self.flush = inner.flush
        self.flush_soon = inner.flush_soon
        self.close = inner.close
        self.abort = inner.abort
        self.wait_ended = inner.wait_ended

    async def __aenter__(self) -> object:
        return await self._inner.__aenter__()

    async def __aexit__(self, *exc_info: object) -> object:
        return await self._inner.__aexit__(*exc_info)

    async def connect(self) -> None:
        await self._check()
        await self._inner.connect()
