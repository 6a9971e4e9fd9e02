"""Let a gridlock move on: the way out when no vehicle of a cycle can go first.

The first vehicles of all links of the cycle move at one instant, each into the
place that the one before it leaves: as if drivers who wait for each other had
agreed to turn together. No link holds more vehicles than before; signals and
merge shares take no note of it.
"""

import numpy as np

from twin.kernels._jit import jit
from twin.kernels.traffic_arrays import (
    CLASS_MASK,
    CLASS_SHIFT,
    DONE,
    EXITS,
    FREE_SLOT,
    LAST_RELEASE,
    LOG_FULL,
    NOW,
    OCCUPIED,
    OUT_SLOT,
    RELEASED,
    RESCUE_IN,
    RESCUE_OUT,
    ROW_WORD,
    VEHICLE_MASK,
    Demand,
    Int,
    Log,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_layout import Traffic
from twin.kernels.traffic_move import admission, enter_link, leave_link, load_head
from twin.kernels.traffic_probe import gridlocks
from twin.kernels.traffic_rescue import is_rescue


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
    word = np.empty(n, np.int64)
    for rank in range(n):
        word[rank] = _leave(demand, state, log, cycle[rank])
    for rank in range(n):
        enter_link(cycle[(rank + 1) % n], state.clock[NOW], word[rank], demand, state)
        if is_rescue(word[rank], demand):
            state.link[cycle[rank], RESCUE_OUT] += 1
            state.link[cycle[(rank + 1) % n], RESCUE_IN] += 1
    for target in cycle:
        load_head(target, network, demand, settings, state)
        exits = state.link[target, EXITS]
        state.link_open[target] = admission(target, exits, demand, state)
        for node in (network.from_node[target], network.to_node[target]):
            group = network.group_of_node[node]
            state.group_next[group] = min(state.group_next[group], state.clock[NOW])
    return DONE


@jit
def _leave(demand: Demand, state: State, log: Log, source: int) -> int:
    """Take the first vehicle off a link and give its place free at once; return its word."""
    now, link = state.clock[NOW], state.link[source]
    word = state.ring[link[OUT_SLOT], ROW_WORD]
    entered = leave_link(source, now, word, demand, state)
    if log.vehicle.shape[0] > 0:
        row = log.written[0]
        log.vehicle[row] = word & VEHICLE_MASK
        log.link[row] = source
        log.entered[row] = entered
        log.left[row] = now
        log.written[0] = row + 1
    link[FREE_SLOT] = link[OUT_SLOT]
    link[RELEASED] += 1
    link[OCCUPIED] -= demand.class_pcu[(word >> CLASS_SHIFT) & CLASS_MASK]
    link[LAST_RELEASE] = now
    return int(word)
