"""The command `spacetime-py`. A mistake is one line that says the remedy."""

from .app import main

__all__ = ["main"]
