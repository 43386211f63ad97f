"""What is compared, with the goals: the one place for both, in a module for each kind of line."""

from __future__ import annotations

from ..line import Line
from . import cache, codec, network, others, process
from .sizes import WHOLE, Sizes


def all_lines(sizes: Sizes = WHOLE) -> list[Line]:
    """Every line."""
    modules = (codec, cache, network, process, others)
    return [line for module in modules for line in module.lines(sizes)]
