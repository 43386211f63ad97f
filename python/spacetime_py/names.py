"""What is said of a name that is not there."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def no_such(owner: object, what: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error of an attribute: `what` was looked for, the near ones, and all that there are."""
    there_are = sorted(known)
    if name.startswith("__"):
        return AttributeError(f"{type(owner).__name__} has no attribute {name!r}")
    near = get_close_matches(name, there_are, n=3)
    hint = f"; did you mean {' or '.join(f'`{one}`' for one in near)}?" if near else "."
    listed = f"There are: {', '.join(there_are)}" if there_are else "There are none"
    # With `obj` and without `name` the interpreter does not add a guess of its own.
    return AttributeError(f"there is no {what} `{name}`{hint} {listed}", obj=owner)
