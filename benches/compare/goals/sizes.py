"""How large things are: in a whole run, in a quick one, and to train a build."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    batch: int
    """Rows that are decoded or encoded in one turn."""
    most: int
    """No more rows, bytes, calls or connections than this."""
    changed: int
    """Rows that are changed in one turn."""

    def of(self, count: int) -> int:
        return min(count, self.most)


WHOLE = Sizes(batch=1_000, most=5_000_000, changed=20_000)
QUICK = Sizes(batch=10, most=10, changed=10)
"""As small as it can be and still run."""
TRAINING = Sizes(batch=1_000, most=1_000, changed=1_000)
"""So that what is done for each row, message and connection all count."""
