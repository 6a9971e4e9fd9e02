"""Emergency vehicles of the traffic kernel: how they pass a queue and get green.

An emergency vehicle drives in the queue as others do. A stated multiple of the
free-flow time after its entry it goes past all that are still ahead, emergency
vehicles at the front excepted; the order of the others stays. Before it is due
at the end of the link it asks for green there, and no longer than a stated time.
Of several the one that asks first has it, then the lower key.
"""

from twin.kernels._jit import inline_jit
from twin.kernels.traffic_arrays import (
    CLASS_MASK,
    CLASS_SHIFT,
    ENTRIES,
    EXITS,
    NEVER,
    OUT_SLOT,
    RESCUE_HOLD,
    RESCUE_IN,
    RESCUE_LEAD,
    RESCUE_OUT,
    RESCUE_PASSING,
    ROW_TIME,
    ROW_WORD,
    SHIFTED,
    VEHICLE_MASK,
    Cut,
    Demand,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_move import INDEX, head_word


@inline_jit
def is_rescue(word: int, demand: Demand) -> bool:
    """Say whether a vehicle is an emergency vehicle."""
    if demand.class_rescue.shape[0] == 0:
        return False
    return bool(demand.class_rescue[(word >> CLASS_SHIFT) & CLASS_MASK] > 0)


@inline_jit
def entries_seen(queue: int, state: State, cut: Cut | None) -> int:
    """Count the vehicles that have entered a link, as far as the thread at its exit knows."""
    if cut is not None and cut.split[queue]:
        return int(cut.entries[queue])
    return int(state.link[queue, ENTRIES])


@inline_jit
def ready_at(queue: int, slot: int, vehicle: int, settings: Settings, state: State) -> int:
    """Tell when a vehicle on a link is ready if nobody holds it up; vehicle: how many entered before it."""
    if vehicle < state.link[queue, SHIFTED]:
        return int(state.ring_ready[slot])
    return int(state.ring[slot, ROW_TIME] + settings.free_flow[queue])


@inline_jit
def asks_from(queue: int, due: int, network: Network, settings: Settings) -> int:
    """Tell from when on an emergency vehicle due at the end of a link asks for green: at most half of its way ahead.

    Whoever goes into a pocket has asked on the link before, and asks on.
    """
    link = network.approach[queue] & INDEX
    half = min(settings.free_flow[link], settings.wave[link]) >> 1
    return int(due - min(settings.rescue[RESCUE_LEAD], half))


@inline_jit
def first_rescue(
    queue: int, network: Network, demand: Demand, settings: Settings, state: State, cut: Cut | None
) -> tuple[int, int]:
    """Find when the first emergency vehicle on a link asks for green, and when one passes others.

    Both NEVER if there is none. The second is that of the first one that has others ahead of it.
    """
    link = state.link[queue]
    asks, passing = NEVER, NEVER
    if link[RESCUE_IN] == link[RESCUE_OUT]:
        return asks, passing
    slot = link[OUT_SLOT] & INDEX
    others = False
    for vehicle in range(link[EXITS], entries_seen(queue, state, cut)):
        if is_rescue(state.ring[slot, ROW_WORD], demand):
            ready = ready_at(queue, slot, vehicle, settings, state)
            asks = min(asks, asks_from(queue, ready, network, settings))
            if others:
                more = settings.free_flow[queue] * (settings.rescue[RESCUE_PASSING] - 1000) // 1000
                passing = min(passing, ready + more)
        else:
            others = True
        slot += 1
        if slot == network.ring_start[queue + 1]:
            slot = network.ring_start[queue]
    return asks, passing


@inline_jit
def is_near(
    group: int, end: int, network: Network, demand: Demand, settings: Settings, state: State, cut: Cut | None
) -> bool:
    """Say whether an emergency vehicle is on a link to a group, or starts in it before a time."""
    n_link = network.from_node.shape[0]
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        if queue < n_link:
            if first_rescue(queue, network, demand, settings, state, cut)[0] < NEVER:
                return True
        elif state.head_ready[queue] < end and is_rescue(head_word(queue, n_link, demand, state), demand):
            return True
    return False


@inline_jit
def next_passing(
    group: int, network: Network, demand: Demand, settings: Settings, state: State, cut: Cut | None
) -> tuple[int, int]:
    """Find when an emergency vehicle next passes others on a link to a group, and on which."""
    best, where = NEVER, -1
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        if queue < network.from_node.shape[0]:
            passing = first_rescue(queue, network, demand, settings, state, cut)[1]
            if passing < best:
                best, where = passing, queue
    return best, where


@inline_jit
def pass_others(queue: int, network: Network, demand: Demand, settings: Settings, state: State) -> None:
    """Move the first emergency vehicle with others ahead of it to the front, behind those there before."""
    link = state.link[queue]
    bottom, top = network.ring_start[queue], network.ring_start[queue + 1]
    slot, vehicle, front = link[OUT_SLOT] & INDEX, link[EXITS], -1
    while True:
        state.ring_ready[slot] = ready_at(queue, slot, vehicle, settings, state)
        rescue = is_rescue(state.ring[slot, ROW_WORD], demand)
        if rescue and front >= 0:
            break
        if not rescue and front < 0:
            front = slot
        vehicle += 1
        slot = slot + 1 if slot + 1 < top else bottom
    link[SHIFTED] = max(link[SHIFTED], vehicle + 1)
    entered, word, ready = state.ring[slot, ROW_TIME], state.ring[slot, ROW_WORD], state.ring_ready[slot]
    place = front
    while True:
        row_time, row_word, row_ready = (
            state.ring[place, ROW_TIME],
            state.ring[place, ROW_WORD],
            state.ring_ready[place],
        )
        state.ring[place, ROW_TIME], state.ring[place, ROW_WORD], state.ring_ready[place] = entered, word, ready
        if place == slot:
            break
        entered, word, ready = row_time, row_word, row_ready
        place = place + 1 if place + 1 < top else bottom


@inline_jit
def next_call(
    group: int, time: int, network: Network, demand: Demand, settings: Settings, state: State, cut: Cut | None
) -> int:
    """Find when, after a time, a call for green next begins or ends at a node of a group where some give way."""
    n_link = network.from_node.shape[0]
    best = NEVER
    if network.yield_start.shape[0] == 0 or settings.rescue[RESCUE_LEAD] == 0:
        return best
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        if queue >= n_link or not network.turning[network.queue_node[queue] & INDEX]:
            continue
        link = state.link[queue]
        if link[RESCUE_IN] == link[RESCUE_OUT]:
            continue
        slot = link[OUT_SLOT] & INDEX
        for vehicle in range(link[EXITS], entries_seen(queue, state, cut)):
            if is_rescue(state.ring[slot, ROW_WORD], demand):
                asks = asks_from(queue, ready_at(queue, slot, vehicle, settings, state), network, settings)
                if asks > time:
                    best = min(best, asks)
                elif asks + settings.rescue[RESCUE_HOLD] > time:
                    best = min(best, asks + settings.rescue[RESCUE_HOLD])
            slot += 1
            if slot == network.ring_start[queue + 1]:
                slot = network.ring_start[queue]
    return best


@inline_jit
def holder_at(
    node: int, time: int, network: Network, demand: Demand, settings: Settings, state: State, cut: Cut | None
) -> tuple[int, int, int, int]:
    """Find the link with green for an emergency vehicle at a node: link, since, until, and next call.

    The link is -1 if no vehicle calls at that time. The last is when another one calls, NEVER if none.
    """
    n_link = network.from_node.shape[0]
    best, since, best_key, later = -1, NEVER, NEVER, NEVER
    group = network.group_of_node[node] & INDEX
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        if queue >= n_link or network.queue_node[queue] != node:
            continue
        link = state.link[queue]
        if link[RESCUE_IN] == link[RESCUE_OUT]:
            continue
        slot = link[OUT_SLOT] & INDEX
        for vehicle in range(link[EXITS], entries_seen(queue, state, cut)):
            word = state.ring[slot, ROW_WORD]
            if is_rescue(word, demand):
                asks = asks_from(queue, ready_at(queue, slot, vehicle, settings, state), network, settings)
                name = word & VEHICLE_MASK
                key = name if demand.key.shape[0] == 0 else demand.key[name]
                if asks > time:
                    later = min(later, asks)
                elif time < asks + settings.rescue[RESCUE_HOLD] and (
                    asks < since or (asks == since and key < best_key)
                ):
                    best, since, best_key = queue, asks, key
            slot += 1
            if slot == network.ring_start[queue + 1]:
                slot = network.ring_start[queue]
    return best, since, since + settings.rescue[RESCUE_HOLD] if best >= 0 else NEVER, later
