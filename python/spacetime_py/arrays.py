"""Rows as NumPy arrays, for those who look at many of them at once.

Rows of a fixed size only: numbers, bools, enums, Identity, ConnectionId, Timestamp, TimeDuration,
UUID, and structs of these. A field becomes a column of a structured array: `array["x"].mean()`.
Needs the extra: `pip install spacetime-py[numpy]`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from typing_extensions import Buffer

from ._core import packed_format, packed_rows, to_bsatn
from .table import Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["array_from_bsatn", "array_of", "row_dtype"]


@cache
def row_dtype(row_type: type) -> np.dtype[np.void]:
    """The structured dtype of a row class: one field for each of its fields, without gaps.

    Timestamp is `datetime64[us]`, TimeDuration `timedelta64[us]`, an enum its number, and what
    NumPy has no type for (Identity, 128 bits and more) its bytes, least significant first.

    Raises TypeError, with the field's name, when rows have no fixed size; ModuleNotFoundError.
    """
    dtype: np.dtype[np.void] = _numpy().dtype(packed_format(row_type))
    return dtype


def array_of(rows: Table[Any] | Iterable[Any], row_type: type | None = None) -> NDArray[np.void]:
    """A new array of the rows of a table handle (`connection.db.reading`), or of any rows.

    Of shape (number of rows,). `row_type` is needed for rows that may be none. No object is made
    for a row of a table.

    Raises TypeError for rows of several classes or of no fixed size, ValueError for no rows and no
    `row_type`, ModuleNotFoundError.
    """
    if isinstance(rows, Table):
        cache = rows._cache
        return _array(row_dtype(cache.row_type), cache.packed())
    listed = list(rows)
    if row_type is None:
        if not listed:
            raise ValueError("give row_type: there is no row to tell it")
        first: object = listed[0]
        row_type = type(first)
    for row in listed:
        if type(row) is not row_type:
            raise TypeError(f"rows of {row_type.__name__}, and one of {type(row).__name__}")
    return _array(row_dtype(row_type), bytearray(b"".join(map(to_bsatn, listed))))


def array_from_bsatn(row_type: type, data: Buffer) -> NDArray[np.void]:
    """A new array of the rows of the BSATN of an array of them.

    Raises DecodeError when it is not exactly that, TypeError as `row_dtype`, ModuleNotFoundError.
    """
    return _array(row_dtype(row_type), packed_rows(row_type, data))


def _array(dtype: np.dtype[np.void], packed: bytearray) -> NDArray[np.void]:
    array: NDArray[np.void] = _numpy().frombuffer(packed, dtype)
    return array


@cache
def _numpy() -> Any:
    try:
        import numpy
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "arrays of rows need NumPy: pip install 'spacetime-py[numpy]'", name="numpy"
        ) from None
    return numpy
