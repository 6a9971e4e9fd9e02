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
    WAVE,
    Byte,
    Demand,
    Int,
    Network,
    State,
)
from twin.kernels.traffic_move import INDEX, movement_of

LARGE = 1 << 20
"""Rows of the rings from which on this pays. Where all that a window touches stays in the processor's second cache
(the embedded city, 400,000 rows) it costs a quarter of a run; at 10 times the size it saves a fifth."""

FAR, NEAR, NEXT = 4, 2, 1
"""How many visits ahead: queues, what their records name, and what the vehicles name."""


@inline_jit
def fetch(
    place: int, active: Int, n_active: int, end: int, network: Network, demand: Demand, state: State,
    kinds: Byte | None, greens: Int | None,
) -> None:  # fmt: skip
    """Fetch for the visits after a place in the list of groups to be visited in a window that ends then."""
    if state.ring.shape[0] < LARGE:
        return
    if place + FAR < n_active:
        fetch_queues(active[place + FAR] & INDEX, network, state, kinds, greens)
    if place + NEAR < n_active:
        fetch_rows(active[place + NEAR] & INDEX, end, network, demand, state, kinds)
    if place + NEXT < n_active:
        fetch_routes(active[place + NEXT] & INDEX, end, network, demand, state, kinds)


@inline_jit
def fetch_queues(group: int, network: Network, state: State, kinds: Byte | None, greens: Int | None) -> None:
    """Fetch the records of the queues of a group."""
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        prefetch(state.head_ready, queue)
        prefetch(state.head_next, queue)
        if kinds is not None and kinds[group] > 0:
            prefetch(network.queue_node, queue)
            prefetch(network.first_movement, queue)
            prefetch(network.rank, queue)
            prefetch(network.weight, queue)
        if queue < network.from_node.shape[0]:
            prefetch_at(state.link, queue, EXITS)
            prefetch_at(state.link, queue, ENTRIES)
            prefetch_at(state.link, queue, WAVE)
            if greens is not None:
                prefetch(greens, queue)
        else:
            prefetch(state.origin_next, queue - network.from_node.shape[0])


@inline_jit
def fetch_rows(group: int, end: int, network: Network, demand: Demand, state: State, kinds: Byte | None) -> None:
    """Fetch the first vehicles of the queues of a group, and the records of the links they want."""
    n_link = network.from_node.shape[0]
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        if state.head_ready[queue] >= end:
            continue
        if queue < n_link:
            prefetch(state.ring, state.link[queue, OUT_SLOT])
            prefetch(state.ring, state.link[queue, OUT_SLOT] + 1)
        else:
            place = state.origin_next[queue - n_link]
            prefetch(demand.origin_word, place)
            prefetch(demand.origin_depart, place)
        target = state.head_next[queue] & INDEX
        if target < n_link:
            prefetch(state.link_open, target)
            prefetch_at(state.link, target, ENTRIES)
            prefetch_at(state.link, target, EXITS)
            prefetch_at(state.link, target, WAVE)
            if kinds is not None and kinds[group] > 0:
                prefetch(network.out_position, target)
                prefetch(state.virtual_time, target)


@inline_jit
def fetch_routes(group: int, end: int, network: Network, demand: Demand, state: State, kinds: Byte | None) -> None:
    """Fetch the routes of the second vehicles of a group, and the rows that the first ones write."""
    n_link = network.from_node.shape[0]
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        if state.head_ready[queue] >= end:
            continue
        if queue < n_link:
            slot = state.link[queue, OUT_SLOT] & INDEX
            prefetch(demand.routes, (state.ring[slot, ROW_WORD] >> CODE_SHIFT) + 1)
            prefetch(demand.routes, state.ring[slot + 1, ROW_WORD] >> CODE_SHIFT)
        else:
            place = state.origin_next[queue - n_link] & INDEX
            prefetch(demand.routes, (demand.origin_word[place] >> CODE_SHIFT) + 1)
            prefetch(demand.routes, demand.origin_word[min(place + 1, demand.origin_word.shape[0] - 1)] >> CODE_SHIFT)
        target = state.head_next[queue] & INDEX
        if target < n_link:
            prefetch(state.ring, state.link[target, IN_SLOT])
            prefetch(state.ring, state.link[target, FREE_SLOT])
            if kinds is not None and kinds[group] > 0:
                prefetch(state.movement_tag, movement_of(queue, target, network))
