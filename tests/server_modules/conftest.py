"""The server package with the fake runtime under it.

Only here is it imported that way: what has looked at the package before this, without a runtime,
is forgotten first.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from . import fake

for _name in [name for name in sys.modules if name.startswith("spacetime_py.server")]:
    del sys.modules[_name]
fake.install()
_STREAMS = sys.stdout, sys.stderr

sys.stdout, sys.stderr = _STREAMS


@pytest.fixture(autouse=True)
def empty_log() -> Iterator[None]:
    yield
    fake.LOG.clear()
    fake.TRANSACTIONS.clear()
