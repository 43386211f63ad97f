"""The sum types that have no form of their own in Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

_T_co = TypeVar("_T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Some(Generic[_T_co]):
    """A present value of an option whose value may itself be None: `Option<Option<String>>`."""

    value: _T_co


@dataclass(frozen=True, slots=True)
class Ok(Generic[_T_co]):
    """The good case of a `Result`."""

    value: _T_co


@dataclass(frozen=True, slots=True)
class Err(Generic[_T_co]):
    """The bad case of a `Result`."""

    value: _T_co
