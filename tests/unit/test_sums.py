"""Some, Ok and Err are values."""

from __future__ import annotations

import pickle

import pytest

from spacetime_py import Err, Ok, Some


def test_equal_by_class_and_value() -> None:
    values: list[object] = [Some(None), Some(1), Ok(1), Err(1)]
    assert values == [Some(None), Some(1), Ok(1), Err(1)]
    assert len(set(values)) == 4
    assert Some(1) not in (values[0], values[2], values[3])


@pytest.mark.parametrize("value", [Some(None), Ok([1]), Err("x")])
def test_pickle_and_repr(value: object) -> None:
    assert pickle.loads(pickle.dumps(value)) == value
    assert repr(value).startswith(f"{type(value).__name__}(value=")


def test_match() -> None:
    match Ok(5):
        case Ok(value):
            assert value == 5


def test_they_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Some(1).value = 2  # type: ignore[misc]
