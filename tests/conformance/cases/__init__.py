"""All cases."""

from tests.conformance.registry import CASES

from . import calls, connections, joins, keys, newer, rows, subscriptions

__all__ = ["CASES", "calls", "connections", "joins", "keys", "newer", "rows", "subscriptions"]
