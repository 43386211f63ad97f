"""What `typing` would give at run time, without importing it.

Every module imported at build time is in the snapshot that the database loads. `typing` and what
it draws in (collections, functools, re) would be the larger part of a small program.
"""

from __future__ import annotations

# Type checkers take a constant of this name for true, wherever it comes from. Programs may have it
# from here: importing that of `typing` makes a module larger by a megabyte.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from types import GenericAlias as GenericAlias
    from types import UnionType as UnionType
    from typing import Generic as Generic
    from typing import TypeVar

    T = TypeVar("T")
    E = TypeVar("E")
    Row = TypeVar("Row")
    Key = TypeVar("Key")
    T_co = TypeVar("T_co", covariant=True)
else:
    GenericAlias = type(list[int])
    UnionType = type(int | None)

    class Generic:
        """A base whose subscription is remembered and otherwise without effect."""

        __slots__ = ()
        __class_getitem__ = classmethod(GenericAlias)

    T = E = Row = Key = T_co = object
