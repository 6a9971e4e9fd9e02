"""How fast the event calendar is next to simpy: the hold model at 1,000 and at 100,000 pending events.

Every event that happens schedules another an exponential time later, the same times in each engine.
Measured is the CPU time of one thread, so that a busy machine matters less.

ratio_simpy_<n>            simpy's time over ours, by call-backs on timeouts, simpy's cheapest way
ratio_simpy_processes_<n>  the same with a process per entity, simpy's usual way
events_per_s_<n>           ours
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable

from benchmarks.peers.calendar_peers import gaps, hold, ours, simpy_processes, simpy_timeouts
from benchmarks.report import Report, Target
from twin.kernels.calendar import new_calendar

_SIZES = {"1k": (1_000, 300_000), "100k": (100_000, 500_000)}
_TARGETS = (Target("ratio_simpy_1k", ">=", 15), Target("ratio_simpy_100k", ">=", 6))


def measure(seed: int, quick: bool) -> Report:
    """Return simpy's time over ours; the engines take turns, the medians count."""
    hold(new_calendar(1), gaps(seed, 3), 1)
    figures: dict[str, float] = {}
    rounds = 1 if quick else 3
    for name, (pending, events) in _SIZES.items():
        times = gaps(seed, events)
        wall = {key: [] for key in ("ours", "timeouts", "processes")}
        engines: dict[str, Callable[..., tuple[float, int]]] = {
            "timeouts": simpy_timeouts,
            "processes": simpy_processes,
        }
        for _ in range(rounds):
            for key, engine in engines.items():
                wall["ours"] += [ours(times, pending)[0] for _ in range(3)]
                wall[key].append(engine(times, pending)[0])
        ends = {ours(times, pending)[1], simpy_timeouts(times, pending)[1]}
        if len(ends) != 1:
            raise AssertionError(f"the engines end at different instants: {sorted(ends)}")
        medians = {key: statistics.median(values) for key, values in wall.items()}
        figures[f"ratio_simpy_{name}"] = medians["timeouts"] / medians["ours"]
        figures[f"ratio_simpy_processes_{name}"] = medians["processes"] / medians["ours"]
        figures[f"events_per_s_{name}"] = events / medians["ours"]
    setup = {"events": {k: v[1] for k, v in _SIZES.items()}, "load_average": round(os.getloadavg()[0], 1)}
    return Report(figures, _TARGETS, setup)
