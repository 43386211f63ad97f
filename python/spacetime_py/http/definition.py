"""A module's definition as the server gives it, version 9 or 10, under one form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Element = Mapping[str, Any]
"""A field, parameter or variant: its name and its type."""


class Function(NamedTuple):
    """A reducer or a procedure. Lifecycle reducers too."""

    kind: str
    name: str
    parameters: Sequence[Element]


class Definition:
    """The parts of a definition that calls and descriptions need."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._parts = schema
        if "sections" in schema:
            sections = [pair for one in schema["sections"] for pair in one.items()]
            self._parts = {key.lower(): body for key, body in sections}

    @property
    def types(self) -> Sequence[Any]:
        """What a Ref may name."""
        typespace: Mapping[str, Any] = self._parts.get("typespace", {})
        types: Sequence[Any] = typespace.get("types", [])
        return types

    def tables(self) -> Iterator[Mapping[str, Any]]:
        yield from self._parts.get("tables", [])

    def views(self) -> Iterator[Mapping[str, Any]]:
        yield from (one["View"] for one in self._parts.get("misc_exports", []) if "View" in one)
        yield from self._parts.get("views", [])

    def functions(self) -> Iterator[Function]:
        miscellaneous = self._parts.get("misc_exports", [])
        procedures = [one["Procedure"] for one in miscellaneous if "Procedure" in one]
        procedures += self._parts.get("procedures", [])
        for kind, raw in (("reducer", self._parts.get("reducers", [])), ("procedure", procedures)):
            for one in raw:
                yield Function(kind, name_of(one), one["params"]["elements"])

    def function(self, name: str) -> Function | None:
        """The one with that name, if there is one."""
        return next((one for one in self.functions() if one.name == name), None)


def name_of(raw: Mapping[str, Any]) -> str:
    """The name of a table or function, by either version's key."""
    name: str = raw.get("name") or raw["source_name"]
    return name
