"""Add up what customers of a water network get."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Customers(NamedTuple):
    """Whom a network serves.

    elevation  (n_node,)      m
    persons    (n_junction,)
    hydrant    (n_hydrant,)   junction of each
    start, end (n_pump,)      nodes that a pump lifts from and to
    first_pump                water link of the first pump
    required   m              pressure head at which service is full
    service    m              below it a customer counts as without water
    remaining  m              must remain where a hydrant is used
    """

    elevation: Floats
    persons: Floats
    hydrant: Integers
    start: Integers
    end: Integers
    first_pump: int
    required: float
    service: float
    remaining: float


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
    found                    (3,)  written: m3/s asked, m3/s given, persons without water; more places are left alone
    """
    found[:3] = 0.0
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


@jit
def look_round(
    customers: Customers,
    demand: Floats,
    draw: Floats,
    delivered: Floats,
    head: Floats,
    inflow: Floats,
    flow: Floats,
    drawn: Floats,
    was_low: Flags,
    worked: Flags,
    pressure: Floats,
    low: Flags,
    works: Flags,
    found: Floats,
) -> tuple[bool, bool]:
    """Write pressures and who is served; return whether any customer, and any hydrant, is served otherwise than before.

    demand, draw, delivered  (n_junction,)  m3/s  as for `rates`
    head, inflow   (n_node,)      m, m3/s
    flow           (n_link,)      m3/s
    drawn          (n_hydrant,)   m3/s
    was_low        (n_junction,)  lacked pressure before
    worked         (n_hydrant,)   worked before
    pressure, low  (n_junction,)  written: m; below the service pressure
    works          (n_hydrant,)   written: unused, or enough pressure remains
    found          (4,)  written: what `rates` finds, and the resilience index

    One call of this costs less than a fifth of the dozen of numpy's calls that it stands for.
    """
    rates(demand, draw, delivered, head, customers.elevation, customers.persons, customers.service, found)
    lift = flow[customers.first_pump : customers.first_pump + customers.start.shape[0]]
    ends = (customers.start, customers.end, lift)
    found[3] = todini(head, customers.elevation, customers.required, demand, inflow, *ends)
    turned, switched = False, False
    for i in range(pressure.shape[0]):
        pressure[i] = head[i] - customers.elevation[i]
        low[i] = pressure[i] < customers.service
        turned |= low[i] != was_low[i]
    for i in range(works.shape[0]):
        works[i] = drawn[i] <= 0.0 or pressure[customers.hydrant[i]] >= customers.remaining
        switched |= works[i] != worked[i]
    return turned, switched


@jit
def powered_links(
    bus: Integers,
    energised: Flags,
    failed: Flags,
    shut: NDArray[np.int16],
    cut_out: NDArray[np.int16],
    first_pump: int,
    before: Flags,
    powered: Flags,
    works: Flags,
) -> bool:
    """Write which links work; return whether any does otherwise than before.

    bus        (n_pump,)  that feeds a pump, -1 for none
    energised  (n_bus,)   empty where nobody models power: then all is
    failed, shut, cut_out  (n_link,)  pumps out of service; reasons to keep a link shut, and a pump stopped
    before     (n_link,)  worked before
    powered    (n_pump,)  written: has power
    works      (n_link,)  written
    """
    changed = False
    for link in range(works.shape[0]):
        works[link] = shut[link] == 0
        pump = link - first_pump
        if 0 <= pump < bus.shape[0]:
            powered[pump] = bus[pump] < 0 or energised.shape[0] == 0 or energised[bus[pump]]
            works[link] &= powered[pump] and not failed[link] and cut_out[link] == 0
        changed |= works[link] != before[link]
    return changed
