"""The twin's own traffic kernel on a case."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.peers.grid import JAM_DENSITY, LENGTH, REACTION_TIME, SIDE, SPEED, GridCase

SECOND = 1_000_000
END = 100_000 * SECOND


def lay_out(case: GridCase) -> Any:
    """Build the arrays of a run."""
    from twin.kernels.traffic_layout import Roads, Trips, build

    roads = Roads(
        SIDE**2,
        case.from_node,
        case.to_node,
        LENGTH,
        SPEED,
        jam_density=JAM_DENSITY,
        reaction_time=REACTION_TIME,
    )
    return build(roads, Trips(case.depart * SECOND, case.origin, route_start=case.start, routes=case.routes))


def run(case: GridCase) -> tuple[float, Any, Any]:
    """Return seconds from the loaded case to the last result, the arrays, and the event log."""
    from twin.kernels.traffic import advance
    from twin.kernels.traffic_arrays import DONE, new_log

    traffic = lay_out(case)
    log = new_log(case.traversals)
    for column in log:
        column.fill(0)
    begun = time.perf_counter()
    status = advance(*traffic, log, END)
    taken = time.perf_counter() - begun
    if status != DONE or int(log.written[0]) != case.traversals:
        raise RuntimeError(f"the log holds {int(log.written[0])} of {case.traversals} traversals")
    return taken, traffic, log


def mean_trip(case: GridCase, traffic: Any) -> float:
    """Return the mean time from departure to arrival, the wait to enter included, s."""
    return float(np.mean(traffic.state.arrival / SECOND - case.depart))
