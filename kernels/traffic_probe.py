"""Look at the state of the traffic kernel: heads, blockers, gridlock."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels.traffic_arrays import (
    ARRIVED,
    CANCELLED,
    DRIVING,
    ENTRIES,
    EXITS,
    NEVER,
    OUT_SLOT,
    ROW_TIME,
    ROW_WORD,
    STRANDED,
    VEHICLE_MASK,
    WAITING,
    Int,
    Network,
    Settings,
    State,
)


class Head(NamedTuple):
    """Describe the first vehicle of a link.

    vehicle  row in the trip table, -1 if the link is empty
    entered  us
    ready    us, since when it could leave if nothing were in its way
    target   link it wants to enter; n_link: arrives; n_link + 1: stranded
    """

    vehicle: int
    entered: int
    ready: int
    target: int


def head(state: State, link: int) -> Head:
    """Describe the first vehicle of a link."""
    if state.head_ready[link] == NEVER:
        return Head(-1, -1, -1, -1)
    row = state.ring[state.link[link, OUT_SLOT]]
    return Head(
        int(row[ROW_WORD] & VEHICLE_MASK),
        int(row[ROW_TIME]),
        int(state.head_ready[link]),
        int(state.head_next[link]),
    )


def occupancy(state: State) -> Int:
    """Count the vehicles on each link (n_link,)."""
    return state.link[:, ENTRIES] - state.link[:, EXITS]


def blockers(network: Network, state: State) -> NDArray[np.int64]:
    """Name, for each link, the full or closed link its first vehicle waits for.

    (n_link,) -1 where the link is empty, its head is still under way or its way
    is free. Read right after `advance`: waits at red are no blocks.
    """
    n_link = len(network.from_node)
    target = state.head_next[:n_link]
    waits = (state.head_ready[:n_link] <= state.clock[0]) & (target < n_link)
    waits &= state.link_open[target] == NEVER
    return np.where(waits, target, -1)


def block_chain(network: Network, state: State, link: int) -> list[int]:
    """Follow what blocks a link, from itself to the last cause.

    Ends at the link that is not blocked; where it ends at a link already
    listed, that link is repeated and the part between is a gridlock.
    """
    blocked_by = blockers(network, state)
    chain = [int(link)]
    while blocked_by[chain[-1]] >= 0:
        follower = int(blocked_by[chain[-1]])
        seen = follower in chain
        chain.append(follower)
        if seen:
            break
    return chain


def gridlocks(network: Network, settings: Settings, state: State) -> list[list[int]]:
    """Find the cycles of full links each of whose heads waits for the next.

    Such links never move again unless a route or a storage changes. Each cycle
    is given once, in driving direction, from its lowest link; an emptying link
    that is closed is no part of one, for its vehicles may leave.
    """
    blocked_by = blockers(network, state)
    visited = np.zeros(len(blocked_by), np.int64)
    cycles = []
    for start in range(len(blocked_by)):
        link, path = start, []
        while link >= 0 and visited[link] == 0:
            visited[link] = start + 1
            path.append(link)
            link = int(blocked_by[link])
        if link >= 0 and visited[link] == start + 1:
            cycle = path[path.index(link) :]
            if not settings.closed[cycle].any():
                turn = cycle.index(min(cycle))
                cycles.append(cycle[turn:] + cycle[:turn])
    return cycles


def lost_vehicles(state: State) -> int:
    """Count the vehicles that the state has lost or made up: always 0.

    Compares the counters with the outcomes and with what is on the links.
    """
    by_outcome = np.bincount(state.outcome, minlength=len(state.tally))
    counters = [WAITING, DRIVING, ARRIVED, STRANDED, CANCELLED]
    wrong = np.abs(by_outcome[counters] - state.tally[counters]).sum()
    return int(wrong + abs(int(occupancy(state).sum()) - int(state.tally[DRIVING])))
