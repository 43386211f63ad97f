"""What is compared, with the goals: the one place for both, in a module for each kind of line."""

from __future__ import annotations

from ..line import Line
from . import cache, codec, network, others, process
from .sizes import QUICK, WHOLE


def all_lines(is_quick: bool = False) -> list[Line]:
    """Every line; `is_quick` makes each as small as it can be and still run."""
    sizes = QUICK if is_quick else WHOLE
    modules = (codec, cache, network, process, others)
    return [line for module in modules for line in module.lines(sizes)]
