"""Add up what customers of a water network get."""

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@jit
def rates(
    demand: Floats,
    draw: Floats,
    delivered: Floats,
    head: Floats,
    elevation: Floats,
    persons: Floats,
    pressure: float,
    found: Floats,
) -> None:
    """Write what customers ask and get, and how many lack pressure.

    demand, draw, delivered  (n_junction,)  m3/s  full demand, what of it is no customer's, demand met
    head, elevation          (n_node,)      m
    persons                  (n_junction,)
    pressure                 m     below it a customer counts as without water
    found                    (3,)  written: m3/s asked, m3/s given, persons without water
    """
    found[:] = 0.0
    for i in range(demand.shape[0]):
        asked = max(demand[i] - draw[i], 0.0)
        found[0] += asked
        found[1] += min(max(delivered[i], 0.0), asked)
        if head[i] - elevation[i] < pressure:
            found[2] += persons[i]


@jit
def todini(
    head: Floats,
    elevation: Floats,
    required: float,
    demand: Floats,
    inflow: Floats,
    start: Integers,
    end: Integers,
    flow: Floats,
) -> float:
    """Return the resilience index: surplus power at customers over the most that could be dissipated.

    head, elevation  (n_node,)      m     sources, the last nodes, need no elevation
    required         m              pressure head at which service is full
    demand           (n_junction,)  m3/s  negative ones count as none
    inflow           (n_node,)      m3/s  negative where water enters
    start, end, flow (n_pump,)      nodes that a pump lifts from and to, and m3/s

    Source: Todini, Urban Water 2 (2000) 115-122, eq. 6. NaN where no power is to spare.
    """
    junctions = demand.shape[0]
    surplus, given = 0.0, 0.0
    for i in range(junctions):
        asked = max(demand[i], 0.0)
        needed = elevation[i] + required
        surplus += asked * (head[i] - needed)
        given -= asked * needed
    for i in range(junctions, head.shape[0]):
        given += max(-inflow[i], 0.0) * head[i]
    for i in range(flow.shape[0]):
        given += max(flow[i], 0.0) * max(head[end[i]] - head[start[i]], 0.0)
    return surplus / given if given > 0.0 else np.nan
