"""Connections that are cut, stalled, truncated and refused while rows change: what must hold after.

`targets.py` says what runs against which server and protocol; `proxy.py` harms the connections;
`model.py` knows what the cache and the callbacks have to be.
"""

import pytest

pytest.register_assert_rewrite("tests.adversity.client", "tests.adversity.model")
