"""Keep a process that makes many runs from growing."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path


class Memory:
    """What this process held when it was last cleared of the worlds of past runs.

    A world is a cycle of objects that waits for Python's rare full collection, and glibc keeps what
    is freed in pieces. Measured over 60 runs of a small city: 484 to 593 MB with neither, 410 to
    524 MB with trimming alone, 419 to 420 MB with both after every run. Both take 0.3 s, so they
    wait until the process has grown (then 396 to 505 MB and back), well before loky takes growth
    (300 MB) for a leak.
    """

    GROWTH = 100_000_000

    def __init__(self) -> None:
        self._held = 0
        self._lock = threading.Lock()

    def give_back(self) -> bool:
        """Collect and trim when the process has grown by `GROWTH` bytes; tell whether it was done."""
        with self._lock:
            now = resident()
            self._held = min(self._held or now, now)
            if now - self._held < self.GROWTH:
                return False
            gc.collect()
            trim = trimmer()
            if trim is not None:
                trim(0)
            self._held = resident()
            return True


def resident() -> int:
    """Return the bytes of memory this process holds, 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


@cache
def trimmer() -> Callable[[int], int] | None:
    """Return what gives freed memory back, None where the C library has no such thing."""
    import ctypes

    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
    return found
