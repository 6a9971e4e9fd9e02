"""Move a vehicle from one queue to the next: what every rule of the traffic kernel ends in.

A link has an exit, where vehicles leave at the node of its queue, and an entry.
Each side has counters of its own and reads one of the other. Where the ends of
a link belong to two threads, `split` marks it: then a side reads what it last
saw of the other, and `meet` brings both up to date between two windows.
"""

from twin.kernels._jit import inline_jit
from twin.kernels._machine import prefetch
from twin.kernels.traffic_arrays import (
    ARRIVED,
    CANCELLED,
    CLASS_MASK,
    CLASS_SHIFT,
    CODE_SHIFT,
    DRIVING,
    ENTRIES,
    EXITS,
    FREE_FLOW,
    FREE_SLOT,
    GAP_IN,
    GAP_OUT,
    IN_SLOT,
    LAST_RELEASE,
    NEVER,
    NEXT_IN,
    NEXT_OUT,
    OCCUPIED,
    OUT_SLOT,
    RELEASED,
    RING_END,
    RING_START,
    RING_STOP,
    ROOM,
    ROW_TIME,
    ROW_WORD,
    SHIFTED,
    STRANDED,
    TRAVEL,
    VEHICLE_MASK,
    WAITING,
    WAVE,
    Demand,
    Int,
    Network,
    Settings,
    State,
)

INDEX = (1 << 31) - 1
"""Mask that tells the compiler that an index is not negative, so that it leaves
out the test for one that counts from the end. No array of the kernel has more rows."""

FURTHER = 4
"""Rows of the ring that are fetched ahead of their use."""

LINE = 8
"""Numbers in a cache line: rows of the origins that are fetched ahead of their use."""

SOON = 2
"""Rows behind the first vehicle of a link stands the one whose route is fetched."""


@inline_jit
def movement_of(queue: int, target: int, network: Network) -> int:
    """Give the movement from a queue to a link its number."""
    return int((network.first_movement[queue] + network.out_position[target]) & INDEX)


@inline_jit
def next_link(code: int, queue: int, network: Network, demand: Demand, settings: Settings) -> int:
    """Say where the first vehicle of a queue goes: a link or a sink; see Network.hop_column."""
    n_link = int(network.from_node.shape[0])
    if code >= 0:
        step = int(demand.routes[code & INDEX])
        return step if step >= 0 else n_link
    if network.pocket.shape[0] > 0 and queue < n_link:
        following = int(network.pocket_target[queue])
        if following >= 0 and not settings.closed[following & INDEX]:
            return following
    choice = -1 - code
    destination = (choice >> 1) & INDEX
    if demand.destination_node[destination] == network.queue_node[queue]:
        return n_link
    column = network.hop_column[queue] & INDEX
    link = int(settings.informed[destination, column] if choice & 1 else settings.habitual[destination, column])
    if link < 0:
        return n_link + 1
    if network.pocket.shape[0] > 0:
        pocket = int(network.pocket[movement_of(queue, link, network)])
        return pocket if pocket >= 0 else link
    return link


@inline_jit
def admission(target: int, exits: int, demand: Demand, state: State) -> int:
    """Tell when a link can take its next vehicle, releasing space as needed.

    exits  vehicles that have left the link, as far as its entry knows
    """
    link = state.link[target]
    while link[OCCUPIED] >= link[ROOM]:
        if link[RELEASED] == exits or link[ROOM] == 0:
            return NEVER
        slot = link[FREE_SLOT] & INDEX
        prefetch(state.ring, slot + FURTHER)
        word = state.ring[slot, ROW_WORD]
        link[OCCUPIED] -= demand.class_pcu[(word >> CLASS_SHIFT) & CLASS_MASK]
        link[LAST_RELEASE] = state.ring[slot, ROW_TIME]
        link[RELEASED] += 1
        slot += 1
        link[FREE_SLOT] = slot if slot < link[RING_STOP] else link[RING_START]
    return int(max(link[NEXT_IN], link[LAST_RELEASE] + link[WAVE]))


@inline_jit
def load_head(queue: int, network: Network, demand: Demand, settings: Settings, state: State) -> int:
    """Look at the first vehicle of a link that is not empty; return when it is ready."""
    link = state.link[queue]
    slot = link[OUT_SLOT] & INDEX
    ready = state.ring[slot, ROW_TIME] + link[FREE_FLOW]
    if link[EXITS] < link[SHIFTED]:
        ready = state.ring_ready[slot]
    ready = max(ready, link[NEXT_OUT])
    state.head_ready[queue] = ready
    word = state.ring[slot, ROW_WORD]
    state.head_next[queue] = next_link(word >> CODE_SHIFT, queue, network, demand, settings)
    return int(ready)


@inline_jit
def head_word(queue: int, n_link: int, demand: Demand, state: State) -> int:
    """Give the word of the first vehicle of a queue."""
    if queue < n_link:
        return int(state.ring[state.link[queue, OUT_SLOT] & INDEX, ROW_WORD])
    return int(demand.origin_word[state.origin_next[queue - n_link] & INDEX])


@inline_jit
def class_gap(headway: int, word: int, demand: Demand) -> int:
    """Give the headway behind a vehicle at an end of a link that has this headway between cars."""
    if demand.class_pcu.shape[0] == 1 and demand.class_factor[0] == 1.0:
        return int(headway)
    gap = int(headway * demand.class_factor[(word >> CLASS_SHIFT) & CLASS_MASK])
    return max(gap, 1)


@inline_jit
def leave_link(queue: int, time: int, word: int, demand: Demand, state: State) -> int:
    """Take the first vehicle, which has this word, off a link; return when it had entered."""
    link = state.link[queue]
    slot = link[OUT_SLOT] & INDEX
    prefetch(state.ring, slot + FURTHER)
    entered = state.ring[slot, ROW_TIME]
    if link[EXITS] + SOON < link[ENTRIES]:
        prefetch(demand.routes, state.ring[slot + SOON, ROW_WORD] >> CODE_SHIFT)
    state.ring[slot, ROW_TIME] = time
    slot += 1
    link[OUT_SLOT] = slot if slot < link[RING_END] else link[RING_START]
    link[EXITS] += 1
    link[TRAVEL] += time - entered
    link[NEXT_OUT] = time + class_gap(link[GAP_OUT], word, demand)
    return int(entered)


@inline_jit
def leave_origin(
    queue: int, time: int, tally: Int, network: Network, demand: Demand, settings: Settings, state: State
) -> None:
    """Let the first vehicle of an origin drive, and look at the one behind it."""
    origin = (queue - network.from_node.shape[0]) & INDEX
    place = state.origin_next[origin] & INDEX
    tally[WAITING] -= 1
    tally[DRIVING] += 1
    state.outcome[demand.origin_word[place] & VEHICLE_MASK] = DRIVING
    place += 1
    state.origin_next[origin] = place
    # Hardly ever in the cache: 7 % of a run with many origins (Chicago).
    prefetch(demand.origin_depart, place + LINE)
    prefetch(demand.origin_word, place + LINE)
    if place < demand.origin_start[origin + 1]:
        state.head_ready[queue] = max(demand.origin_depart[place], time)
        code = demand.origin_word[place] >> CODE_SHIFT
        prefetch(demand.routes, demand.origin_word[min(place + SOON, demand.origin_word.shape[0] - 1)] >> CODE_SHIFT)
        state.head_next[queue] = next_link(code, queue, network, demand, settings)
    else:
        state.head_ready[queue] = NEVER


@inline_jit
def enter_link(target: int, time: int, word: int, demand: Demand, state: State) -> None:
    """Put a vehicle at the end of a link."""
    if word >= 0:
        word += 1 << CODE_SHIFT
    link = state.link[target]
    slot = link[IN_SLOT] & INDEX
    prefetch(state.ring, slot + FURTHER)
    state.ring[slot, ROW_TIME] = time
    state.ring[slot, ROW_WORD] = word
    slot += 1
    link[IN_SLOT] = slot if slot < link[RING_STOP] else link[RING_START]
    link[ENTRIES] += 1
    link[OCCUPIED] += demand.class_pcu[(word >> CLASS_SHIFT) & CLASS_MASK]
    link[NEXT_IN] = time + class_gap(link[GAP_IN], word, demand)


@inline_jit
def end_trip(queue: int, target: int, time: int, word: int, tally: Int, network: Network, state: State) -> None:
    """Take a vehicle that has left a queue for a sink out of the traffic."""
    n_link = network.from_node.shape[0]
    vehicle = word & VEHICLE_MASK
    if target == n_link:
        ending = ARRIVED
        state.arrival[vehicle] = time
    elif queue < n_link:
        ending = STRANDED
    else:
        ending = CANCELLED
    tally[DRIVING] -= 1
    tally[ending] += 1
    state.outcome[vehicle] = ending
