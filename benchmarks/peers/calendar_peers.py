"""The hold model on simpy and on our calendar: each event that happens schedules one a random time later."""

from __future__ import annotations

import time

import numpy as np

from twin.kernels._jit import jit
from twin.kernels.calendar import Calendar, new_calendar, schedule, take

_MEAN = 1_000_000


def gaps(seed: int, count: int) -> np.ndarray:
    """Draw exponential times to the next event (us, at least 1)."""
    drawn = np.random.Generator(np.random.Philox(seed)).exponential(_MEAN, count)
    return np.maximum(1, drawn).astype(np.int64)


@jit
def hold(calendar: Calendar, times: np.ndarray, pending: int) -> int:
    """Fill a calendar and move one event per further time; return the last instant."""
    now = 0
    for i in range(pending):
        schedule(calendar, times[i], 0, 1, i, 0)
    for i in range(pending, times.shape[0]):
        now = calendar.heap[0, 0]
        row = take(calendar)
        schedule(calendar, now + times[i], 0, 1, calendar.entry[row, 1], 0)
    return now


def ours(times: np.ndarray, pending: int) -> tuple[float, int]:
    """Return wall time and last instant of our calendar."""
    calendar = new_calendar(pending)
    begun = time.thread_time()
    last = hold(calendar, times, pending)
    return time.thread_time() - begun, int(last)


def simpy_timeouts(times: np.ndarray, pending: int) -> tuple[float, int]:
    """Return wall time and last instant of simpy, by call-backs on timeouts: its cheapest way, without processes."""
    import simpy

    environment = simpy.Environment()
    waits = iter(times.tolist())
    environment_timeout = environment.timeout

    def again(_event: simpy.Event) -> None:
        environment_timeout(next(waits)).callbacks.append(again)

    begun = time.thread_time()
    for _ in range(pending):
        environment_timeout(next(waits)).callbacks.append(again)
    for _ in range(len(times) - pending):
        environment.step()
    return time.thread_time() - begun, int(environment.now)


def simpy_processes(times: np.ndarray, pending: int) -> tuple[float, int]:
    """Return wall time and last instant of simpy with one process per entity, its usual way."""
    import simpy

    environment = simpy.Environment()
    waits = iter(times.tolist())

    def entity() -> object:
        while True:
            yield environment.timeout(next(waits))

    begun = time.thread_time()
    for _ in range(pending):
        environment.process(entity())
    for _ in range(len(times)):
        environment.step()
    return time.thread_time() - begun, int(environment.now)
