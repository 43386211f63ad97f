"""What the packer decides about a module: it writes this file anew where options say so."""

from __future__ import annotations

DEBUG = False
"""Callers of a reducer that raises get the traceback, which otherwise only the log has."""
