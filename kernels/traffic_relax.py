"""Let a gridlock move on: the way out when no vehicle of a cycle can go first.

The first vehicles of all links of the cycle move at one instant, each into the
place that the one before it leaves: as if drivers who wait for each other had
agreed to turn together. No link holds more vehicles than before; signals and
merge shares take no note of it.
"""

import numpy as np

from twin.kernels._jit import jit
from twin.kernels.traffic import CLASS_BITS, CLASS_MASK, admission, next_link
from twin.kernels.traffic_arrays import (
    DONE,
    ENTRIES,
    EXITS,
    FREE_SLOT,
    IN_SLOT,
    LAST_IN,
    LAST_RELEASE,
    LOG_FULL,
    NEXT_IN,
    NEXT_OUT,
    NOW,
    OCCUPIED,
    OUT_SLOT,
    RELEASED,
    ROW_READY,
    ROW_TIME,
    ROW_TRIP,
    ROW_VEHICLE,
    STEP_BITS,
    TRAVEL,
    Demand,
    Int,
    Log,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_layout import Traffic
from twin.kernels.traffic_probe import gridlocks


def relax(traffic: Traffic, log: Log, wait: int) -> list[list[int]]:
    """Move every gridlock on by one vehicle whose first vehicles have all waited.

    wait  us since the last of them became ready to leave
    Returns the cycles moved, as links. A cycle for which the log has no room
    stays; empty the log and call again.
    """
    network, _, settings, state = traffic
    now = int(state.clock[NOW])
    moved = []
    for cycle in gridlocks(network, settings, state):
        links = np.array(cycle, np.int64)
        if now - int(state.head_ready[links].max()) >= wait and rotate(*traffic, log, links) == DONE:
            moved.append(cycle)
    return moved


@jit
def rotate(network: Network, demand: Demand, settings: Settings, state: State, log: Log, cycle: Int) -> int:
    """Move the first vehicle of each link of a gridlock to the next link.

    cycle  (n,)  links in driving direction, each full and waiting for the next
    Returns DONE, or LOG_FULL with nothing changed.
    """
    n = cycle.shape[0]
    if 0 < log.vehicle.shape[0] < log.written[0] + n:
        return LOG_FULL
    vehicle, trip = np.empty(n, np.int64), np.empty(n, np.int64)
    for rank in range(n):
        slot = state.link[cycle[rank], OUT_SLOT]
        vehicle[rank] = state.ring[slot, ROW_VEHICLE]
        trip[rank] = state.ring[slot, ROW_TRIP]
        _leave(network, demand, settings, state, log, cycle[rank])
    for rank in range(n):
        _enter(network, demand, settings, state, cycle[(rank + 1) % n], vehicle[rank], trip[rank])
    n_link = network.from_node.shape[0]
    for target in cycle:
        slot = state.link[target, OUT_SLOT]
        state.head_ready[target] = max(state.ring[slot, ROW_READY], state.link[target, NEXT_OUT])
        state.head_next[target] = next_link(
            state.ring[slot, ROW_TRIP],
            network.to_node[target],
            network.hop_column[target],
            n_link,
            demand.destination_node,
            settings.informed,
            settings.habitual,
        )
        state.link_open[target] = admission(
            target,
            network.ring_start,
            demand.class_pcu,
            settings.wave,
            settings.storage,
            settings.closed,
            state.link,
            state.ring,
        )
        for node in (network.from_node[target], network.to_node[target]):
            group = network.group_of_node[node]
            state.group_next[group] = min(state.group_next[group], state.clock[NOW])
    return DONE


@jit
def _leave(network: Network, demand: Demand, settings: Settings, state: State, log: Log, source: int) -> None:
    """Take the first vehicle off a link and give its place free at once."""
    now, link = state.clock[NOW], state.link
    slot = link[source, OUT_SLOT]
    tail = state.ring[slot, ROW_VEHICLE]
    entered = state.ring[slot, ROW_TIME]
    if log.vehicle.shape[0] > 0:
        row = log.written[0]
        log.vehicle[row] = tail >> CLASS_BITS
        log.link[row] = source
        log.entered[row] = entered
        log.left[row] = now
        log.written[0] = row + 1
    state.ring[slot, ROW_TIME] = now
    slot += 1
    if slot == network.ring_start[source + 1]:
        slot = network.ring_start[source]
    link[source, OUT_SLOT] = slot
    link[source, FREE_SLOT] = slot
    link[source, EXITS] += 1
    link[source, RELEASED] += 1
    link[source, OCCUPIED] -= demand.class_pcu[tail & CLASS_MASK]
    link[source, LAST_RELEASE] = now
    link[source, TRAVEL] += now - entered
    gap = int(settings.headway[source] * demand.class_factor[tail & CLASS_MASK])
    link[source, NEXT_OUT] = now + max(gap, 1)


@jit
def _enter(
    network: Network, demand: Demand, settings: Settings, state: State, target: int, tail: int, trip: int
) -> None:
    """Put a vehicle at the end of a link."""
    now, link = state.clock[NOW], state.link
    if trip >= 0:
        step = (trip >> STEP_BITS) + 1
        trip = (step << STEP_BITS) | (demand.routes[step] + 1)
    slot = link[target, IN_SLOT]
    state.ring[slot, ROW_TIME] = now
    state.ring[slot, ROW_READY] = now + settings.free_flow[target]
    state.ring[slot, ROW_VEHICLE] = tail
    state.ring[slot, ROW_TRIP] = trip
    slot += 1
    if slot == network.ring_start[target + 1]:
        slot = network.ring_start[target]
    link[target, IN_SLOT] = slot
    link[target, ENTRIES] += 1
    link[target, OCCUPIED] += demand.class_pcu[tail & CLASS_MASK]
    gap = int(settings.headway[target] * demand.class_factor[tail & CLASS_MASK])
    link[target, NEXT_IN] = now + max(gap, 1)
    link[target, LAST_IN] = now
