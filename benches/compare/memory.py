"""The resident set of this process, as a user sees it."""

from __future__ import annotations

import gc
import os
from pathlib import Path


def resident() -> int:
    """Bytes, after what is garbage has gone. What the allocators keep for later counts."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
