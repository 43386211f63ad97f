"""Typed objects made of values that a program has. `typescript/making.mjs` makes the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Values = tuple[Any, ...]
Maker = Callable[[Iterable[Any]], list[Any]]


def _state_values(bindings: Any, state: Any) -> tuple[int, Any]:
    if isinstance(state, bindings.StateMoving):
        return 1, (state.value.x, state.value.y, state.value.z)
    return (2, state.value) if isinstance(state, bindings.StateWaiting) else (0, None)


def values_of(bindings: Any, kind: str, row: Any) -> Values:
    """Plain values, from which `maker` makes the row again."""
    if kind == "point":
        return row.x, row.y, row.z
    if kind == "user":
        return row.identity, row.name, row.online
    if kind == "message":
        return row.id, row.sender, row.sent, row.text
    position = row.position
    return (
        row.id,
        row.owner,
        row.created,
        row.title,
        row.note,
        (position.x, position.y, position.z),
        row.tags,
        row.scores,
        [(attribute.key, attribute.value) for attribute in row.attributes],
        *_state_values(bindings, row.state),
    )


def maker(bindings: Any, kind: str) -> Maker:
    """A function from many `values_of` to new objects, as a program would make them."""
    point, user, message = bindings.Point, bindings.User, bindings.Message
    if kind == "point":
        return lambda values: [point(x=x, y=y, z=z) for x, y, z in values]
    if kind == "user":
        return lambda values: [
            user(identity=identity, name=name, online=online) for identity, name, online in values
        ]
    if kind == "message":
        return lambda values: [
            message(id=id, sender=sender, sent=sent, text=text) for id, sender, sent, text in values
        ]
    make = _complex_maker(bindings)
    return lambda values: [make(*some) for some in values]


def _complex_maker(bindings: Any) -> Callable[..., Any]:
    row, point, attribute = bindings.Complex, bindings.Point, bindings.Attribute
    idle, moving, waiting = bindings.StateIdle, bindings.StateMoving, bindings.StateWaiting

    def make(
        id: int,
        owner: Any,
        created: Any,
        title: str,
        note: str | None,
        position: tuple[float, float, float],
        tags: list[str],
        scores: list[int],
        attributes: Iterable[tuple[str, int]],
        state: int,
        payload: Any,
    ) -> Any:
        x, y, z = position
        if state == 1:
            to_x, to_y, to_z = payload
            now = moving(point(x=to_x, y=to_y, z=to_z))
        else:
            now = waiting(payload) if state == 2 else idle()
        return row(
            id=id,
            owner=owner,
            created=created,
            title=title,
            note=note,
            position=point(x=x, y=y, z=z),
            tags=tags,
            scores=scores,
            attributes=[attribute(key=key, value=value) for key, value in attributes],
            state=now,
        )

    return make
