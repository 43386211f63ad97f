"""Memory and CPU time of processes, as the system counts them. Linux only, but for our own CPU."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path


def resident() -> int:
    """Bytes of this process in memory, without what the allocators keep for later."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return resident_of(os.getpid())


def resident_of(pid: int) -> int:
    """Bytes of a process in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """What all threads of a process took so far, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
