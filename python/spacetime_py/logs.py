"""The loggers, by the names that docs/topics/observing.md promises.

They are told names, numbers, times and SQL, and never a token, a row or an argument.
"""

from __future__ import annotations

import logging

connection_log = logging.getLogger("spacetime_py.connection")
subscription_log = logging.getLogger("spacetime_py.subscription")
calls_log = logging.getLogger("spacetime_py.calls")
callbacks_log = logging.getLogger("spacetime_py.callbacks")
http_log = logging.getLogger("spacetime_py.http")
