"""The targets of `tests/adversity`."""

from tests.adversity.fixtures import target, target_name, target_server

__all__ = ["target", "target_name", "target_server"]
