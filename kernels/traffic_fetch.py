"""Fetch what the next visits of the traffic kernel read into the cache.

In a large city a visit makes three or four moves and finds hardly anything of what it reads in the cache. What
that is hangs together, address by address, so it is fetched in three steps, each some visits ahead.
"""

from twin.kernels._jit import inline_jit
from twin.kernels._machine import prefetch, prefetch_at
from twin.kernels.traffic_arrays import (
    CODE_SHIFT,
    ENTRIES,
    EXITS,
    FREE_SLOT,
    IN_SLOT,
    OUT_SLOT,
    ROW_WORD,
    Demand,
    Int,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_move import INDEX

LARGE = 1000
"""Visits in a window from which on this pays: one ninth of a run on the embedded city at 100 times its size, where
there are 70,000; nothing with 7,000."""

FAR, NEAR, NEXT = 6, 4, 2
"""How many visits ahead: queues, what their records name, and what the vehicles name."""


@inline_jit
def fetch(
    place: int, active: Int, n_active: int, end: int, network: Network, demand: Demand, settings: Settings, state: State
) -> None:
    """Fetch for the visits after a place in the list of groups to be visited in a window that ends then."""
    if n_active < LARGE:
        return
    if place + FAR < n_active:
        fetch_queues(active[place + FAR] & INDEX, network, settings, state)
    if place + NEAR < n_active:
        fetch_rows(active[place + NEAR] & INDEX, end, network, demand, settings, state)
    if place + NEXT < n_active:
        fetch_routes(active[place + NEXT] & INDEX, end, network, demand, state)


@inline_jit
def fetch_queues(group: int, network: Network, settings: Settings, state: State) -> None:
    """Fetch the records of the queues of a group."""
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        prefetch(state.head_ready, queue)
        prefetch(state.head_next, queue)
        if queue < network.from_node.shape[0]:
            prefetch_at(state.link, queue, EXITS)
            prefetch_at(state.link, queue, ENTRIES)
            prefetch(settings.headway, queue)
            prefetch(settings.free_flow, queue)
            prefetch(network.ring_start, queue)


@inline_jit
def fetch_rows(group: int, end: int, network: Network, demand: Demand, settings: Settings, state: State) -> None:
    """Fetch the first vehicles of the queues of a group, and the records of the links they want."""
    n_link = network.from_node.shape[0]
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        if state.head_ready[queue] >= end:
            continue
        if queue < n_link:
            prefetch(state.ring, state.link[queue, OUT_SLOT])
        else:
            place = state.origin_next[queue - n_link]
            prefetch(demand.origin_word, place)
            prefetch(demand.origin_depart, place)
        target = state.head_next[queue] & INDEX
        if target < n_link:
            prefetch(state.link_open, target)
            prefetch_at(state.link, target, ENTRIES)
            prefetch_at(state.link, target, EXITS)
            prefetch(settings.headway, target)
            prefetch(settings.storage, target)
            prefetch(settings.wave, target)


@inline_jit
def fetch_routes(group: int, end: int, network: Network, demand: Demand, state: State) -> None:
    """Fetch the routes of the second vehicles of a group, and the rows that the first ones write."""
    n_link = network.from_node.shape[0]
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        if state.head_ready[queue] >= end:
            continue
        if queue < n_link:
            code = state.ring[(state.link[queue, OUT_SLOT] & INDEX) + 1, ROW_WORD] >> CODE_SHIFT
            if code >= 0:
                prefetch(demand.routes, code)
        target = state.head_next[queue] & INDEX
        if target < n_link:
            prefetch(state.ring, state.link[target, IN_SLOT])
            prefetch(state.ring, state.link[target, FREE_SLOT])
