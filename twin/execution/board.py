"""A board that runs in many processes share: how far each is, and whether to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

_INTERVAL = 0.1
_HANDED = 1


class Board:
    """Two int64 per run, its simulated time in us and where this session began it, and one that says stop.

    In a file when processes share it; the numbers are for people and for
    stopping, never for results, so a torn read does no harm.
    """

    def __init__(self, runs: int, path: Path | None = None) -> None:
        """Make a board for a number of runs, in a file when a path is given."""
        self.path = path
        values: Any
        if path is None:
            values = np.zeros(2 * runs + 1, dtype=np.int64)
        else:
            if not path.exists():
                path.write_bytes(bytes(8 * (2 * runs + 1)))
            values = np.asarray(np.memmap(path, np.int64, "r+", shape=(2 * runs + 1,)))
        self._stop, self._times, self._begun = values[:1], values[1 : runs + 1], values[runs + 1 :]

    @property
    def stopping(self) -> bool:
        """Tell whether every run is to save and leave."""
        return bool(self._stop[0])

    def stop(self) -> None:
        """Ask every run to save and leave."""
        self._stop[0] = 1

    def begin(self, run: int) -> None:
        """Note that a run was handed to somebody."""
        self._begun[run] = max(self._begun[run], _HANDED)

    def note(self, run: int, now: int) -> None:
        """Write how far one run is, us; the first time says where this session took it up."""
        if self._begun[run] <= _HANDED:
            self._begun[run] = now + _HANDED + 1
        self._times[run] = now

    def has_begun(self, run: int) -> bool:
        """Tell whether somebody took up a run in this session."""
        return bool(self._begun[run])

    def times(self) -> list[int]:
        """Return how far each run is, us."""
        return [int(value) for value in self._times]

    def bases(self) -> list[int]:
        """Return where this session took up each run, us; 0 for those it has not."""
        return [max(int(value) - _HANDED - 1, 0) for value in self._begun]


class Pace:
    """Let a call through at most ten times a second of wall time."""

    def __init__(self, interval: float = _INTERVAL) -> None:
        """Take the least seconds between two calls."""
        self._interval = interval
        self._next = 0.0

    def due(self) -> bool:
        """Tell whether enough time has gone by since the last True."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._interval
        return True


@contextmanager
def stopping_on_signals(board: Board) -> Iterator[None]:
    """Turn the first Ctrl-C or termination into a stop on the board, a second into KeyboardInterrupt.

    Outside the main thread, where Python delivers no signals, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if board.stopping:
            raise KeyboardInterrupt
        board.stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
