"""Rules at a node of the traffic kernel: signals, stops, shares of a merge.

A visit to a group keeps a list of queues whose first vehicle is ready in the
window, `waiting` (n_queue, WAITING_COLUMNS): QUEUE; TIME us, when it could move,
or STALE; READY us; TARGET; NODE; TAG, its rank and start tag at a merge; CHANGE
us, when it would end the green of another phase; KEY of its vehicle.
"""

import numpy as np

from twin.kernels._jit import inline_jit
from twin.kernels.traffic_arrays import (
    ACTUATED,
    DARK,
    FIXED,
    NEVER,
    RESCUE_CLEAR,
    RESCUE_LEAD,
    VEHICLE_MASK,
    Cut,
    Demand,
    Int,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_move import INDEX, head_word, movement_of
from twin.kernels.traffic_rescue import holder_at, is_rescue

TAG_UNIT = 720720
"""Finish tag of weight 1: every weight up to 16 divides it."""

TAG_BITS = 54
TAG_MASK = (1 << TAG_BITS) - 1
"""The rank of a queue stands above its tag: lower ranks first, then lower tags.
Room for 2e10 vehicles through one link of weight 1."""

QUEUE, TIME, READY, TARGET, NODE, TAG, CHANGE, KEY = 0, 1, 2, 3, 4, 5, 6, 7
WAITING_COLUMNS = 8
STALE = -1
FROM, UNTIL = 0, 1
"""Columns of `greens`, see `new_greens`."""


def has_rules(network: Network, demand: Demand, settings: Settings) -> bool:
    """Say whether a node has another rule than fixed times, or there are emergency vehicles."""
    limited = (settings.control > FIXED).any() or (settings.node_headway > 0).any()
    return bool(limited or network.weighted.any() or network.turning.any() or demand.class_rescue.any())


def new_greens(network: Network, demand: Demand, settings: Settings) -> Int | None:
    """Make (n_queue, 2) us, of each queue the green last looked up: its start and end.

    None where no node has rules or a control. A queue without a signal is green
    for ever. It keeps what may be reckoned anew at any time, and is no state.
    """
    if not has_rules(network, demand, settings) and not (settings.control == FIXED).any():
        return None
    n_link = network.from_node.shape[0]
    greens = np.empty((network.queue_node.shape[0], 2), np.int64)
    greens[:] = -NEVER, NEVER
    signalled = settings.control[network.to_node] == FIXED
    greens[:n_link][signalled & (settings.green_length < settings.green_cycle)] = -NEVER
    greens[:n_link][signalled & (settings.green_length <= 0)] = NEVER, NEVER + 1
    return greens


@inline_jit
def find_green(queue: int, time: int, greens: Int, settings: Settings) -> None:
    """Look up the green of a queue that ends after a time, no earlier than those before."""
    if time >= greens[queue, UNTIL]:
        cycle = settings.green_cycle[queue]
        length = settings.green_length[queue]
        place = (time - settings.green_start[queue]) % cycle
        start = time - place if place < length else time + cycle - place
        greens[queue, FROM] = start
        greens[queue, UNTIL] = start + length


@inline_jit
def next_green(queue: int, time: int, late: int, settings: Settings) -> int:
    """Find the first instant of a fixed-time green, lasting longer by `late`, at or after a time."""
    length = int(settings.green_length[queue])
    if length <= 0:
        return NEVER
    length += late
    cycle = int(settings.green_cycle[queue])
    place = (time - int(settings.green_start[queue])) % cycle
    return time if place < length else time + cycle - place


@inline_jit
def switch_time(ready: int, node: int, network: Network, settings: Settings, state: State) -> int:
    """Tell when a vehicle at a red phase ends the green of another."""
    phase = network.phase_start[node] + state.phase[node]
    green = state.phase_from[node]
    latest = min(state.phase_gap[node], green + settings.maximum_green[phase])
    return int(max(ready, green + settings.minimum_green[phase], latest))


@inline_jit
def by_plan(queue: int, node: int, time: int, late: int, network: Network, settings: Settings, state: State) -> int:
    """Tell when a fixed-time or actuated signal gives green at or after a time; NEVER at an actuated red."""
    if settings.control[node] == FIXED:
        return int(next_green(queue, time, late, settings))
    phase = network.phase_of_link[queue]
    if phase < 0:
        return time
    return int(max(time, state.phase_from[node])) if phase == state.phase[node] else NEVER


@inline_jit
def with_calls(
    queue: int, node: int, time: int, late: int, network: Network, demand: Demand, settings: Settings, state: State,
    cut: Cut | None,
) -> int:  # fmt: skip
    """Tell when a signal gives green, where emergency vehicles ask for it."""
    while time < NEVER:
        holder, since, until, later = holder_at(node, time, network, demand, settings, state, cut)
        green = by_plan(queue, node, time, late, network, settings, state)
        if holder < 0:
            if green < later or later == NEVER:
                return green
            time = later
        else:
            if holder == queue:
                green = min(green, max(time, since + settings.rescue[RESCUE_CLEAR]))
                if green < until:
                    return int(green)
            time = until
    return int(time)


@inline_jit
def as_called(
    queue: int, node: int, time: int, seen: int, network: Network, demand: Demand, settings: Settings, state: State,
    cut: Cut | None,
) -> int:  # fmt: skip
    """Tell when a signal gives green at or after a time, as far as calls begun by `seen` tell."""
    holder, since, until, _ = holder_at(node, seen, network, demand, settings, state, cut)
    if holder == queue:
        green = by_plan(queue, node, time, 0, network, settings, state)
        green = min(green, max(time, since + settings.rescue[RESCUE_CLEAR]))
        if green < until:
            return int(green)
    if holder >= 0:
        time = max(time, until)
    return int(by_plan(queue, node, time, 0, network, settings, state))


@inline_jit
def passes(
    queue: int, node: int, time: int, end: int, late: int, rescue: bool, network: Network, demand: Demand,
    settings: Settings, state: State, cut: Cut | None,
) -> int:  # fmt: skip
    """Tell when the control lets a vehicle pass from link to link that could at a time.

    end     us; a time at or after it may be returned as it is. NEVER at an actuated red
    late    us, a fixed-time green lasts longer by this
    rescue  emergency vehicles are near
    """
    control = settings.control[node]
    if settings.node_headway[node] > 0:
        time = max(time, state.stop_free[node])
    if control == DARK:
        time = max(time, state.stop_free[node])
    elif control == ACTUATED or (control == FIXED and time < end):
        if rescue and settings.rescue[RESCUE_LEAD] > 0:
            time = with_calls(queue, node, time, late, network, demand, settings, state, cut)
        else:
            time = by_plan(queue, node, time, late, network, settings, state)
    return time


@inline_jit
def end_of_phase(
    ready: int, now: int, node: int, rescue: bool, network: Network, demand: Demand, settings: Settings, state: State,
    cut: Cut | None,
) -> int:  # fmt: skip
    """Tell when a vehicle at a red phase ends the green of another: not while an emergency vehicle has it."""
    time = max(now, switch_time(ready, node, network, settings, state))
    while rescue and settings.rescue[RESCUE_LEAD] > 0 and time < NEVER:
        holder, _, until, _ = holder_at(node, time, network, demand, settings, state, cut)
        if holder < 0:
            break
        time = until
    return time


@inline_jit
def gives_way(queue: int, target: int, network: Network) -> bool:
    """Say whether a movement from link to link gives way to others."""
    if network.yield_start.shape[0] == 0:
        return False
    movement = movement_of(queue, target, network)
    return bool(network.yield_start[movement + 1] > network.yield_start[movement])


@inline_jit
def least_time(link: int, settings: Settings) -> int:
    """Tell how long what happens at one end of a link needs at least to matter at the other, us."""
    return int(min(settings.free_flow[link], settings.wave[link]))


@inline_jit
def lookahead(link: int, network: Network, demand: Demand, settings: Settings) -> int:
    """Tell how far ahead the nodes at the ends of a link look at what comes along it, us.

    At most half of its time: what is farther away may be in the hands of a node
    that has not been advanced yet. The window is shorter by this.
    """
    before, after = network.from_node[link] & INDEX, network.to_node[link] & INDEX
    gap = max(network.turning[before] * settings.gap[before], network.turning[after] * settings.gap[after])
    if demand.class_rescue.shape[0] > 0:
        gap = max(gap, settings.rescue[RESCUE_LEAD])
    return int(min(gap, least_time(link, settings) >> 1))


@inline_jit
def must_wait(
    queue: int, target: int, time: int, now: int, rescue: bool, network: Network, demand: Demand, settings: Settings,
    state: State, cut: Cut | None,
) -> bool:  # fmt: skip
    """Say whether a movement that gives way may not be made at a time.

    So it is if the first vehicle of a queue that it gives way to, bound for a
    movement that gives way to nobody, can pass before the gap is over. Calls for
    green count that have begun by then: nobody sees those to come.
    """
    n_link = network.from_node.shape[0]
    node = network.queue_node[queue] & INDEX
    called = rescue and settings.rescue[RESCUE_LEAD] > 0 and FIXED <= settings.control[node] <= ACTUATED
    movement = movement_of(queue, target, network)
    for place in range(network.yield_start[movement], network.yield_start[movement + 1]):
        other = network.yield_to[place] & INDEX
        ready, ahead = state.head_ready[other], state.head_next[other] & INDEX
        if ready == NEVER or ahead >= n_link or network.pocket_target[ahead] >= 0 or gives_way(other, ahead, network):
            continue
        due = max(ready, state.link_open[ahead], now)
        if due < NEVER and called:
            if settings.node_headway[node] > 0:
                due = max(due, state.stop_free[node])
            due = as_called(other, node, due, time, network, demand, settings, state, cut)
        elif due < NEVER:
            due = passes(other, node, due, NEVER, 0, False, network, demand, settings, state, cut)
        gap = min(settings.gap[node], least_time(ahead, settings) >> 1)
        if network.pocket_target[other] < 0:
            gap = min(gap, least_time(other, settings) >> 1)
        if due < time + gap:
            return True
    return False


@inline_jit
def look(
    waiting: Int, place: int, now: int, end: int, rescue: bool, network: Network, demand: Demand, settings: Settings,
    state: State, cut: Cut | None,
) -> None:  # fmt: skip
    """Bring a row of the list up to date by the rules at its node; rescue: emergency vehicles are near."""
    n_link = network.from_node.shape[0]
    queue = waiting[place, QUEUE] & INDEX
    target = state.head_next[queue] & INDEX
    ready = state.head_ready[queue]
    node = network.queue_node[queue] & INDEX
    control = settings.control[node]
    urgent = rescue and is_rescue(head_word(queue, n_link, demand, state), demand)
    time = max(ready, state.link_open[target], now)
    change = NEVER
    tag = 0
    if target < n_link:
        if queue < n_link and network.pocket_target[target] < 0:
            yields = control != DARK and not urgent and gives_way(queue, target, network)
            late = settings.late_turn[node] if yields else 0
            time = passes(queue, node, time, end, late, rescue, network, demand, settings, state, cut)
            phase = network.phase_of_link[queue]
            if control == ACTUATED and phase >= 0 and phase != state.phase[node]:
                change = end_of_phase(ready, now, node, rescue, network, demand, settings, state, cut)
            yields = yields and time < end
            if yields and must_wait(queue, target, time, now, rescue, network, demand, settings, state, cut):
                time = NEVER
        if urgent:
            tag = -1
        elif network.weighted[node] and control != DARK:
            tag = max(state.virtual_time[target], state.movement_tag[movement_of(queue, target, network)])
            tag += np.int64(network.rank[queue]) << TAG_BITS
    waiting[place, TIME] = time
    waiting[place, TAG] = tag
    waiting[place, READY] = ready
    waiting[place, TARGET] = target
    waiting[place, NODE] = node
    waiting[place, CHANGE] = change


@inline_jit
def list_head(waiting: Int, place: int, queue: int, n_link: int, demand: Demand, state: State) -> None:
    """Write the first vehicle of a queue to a row of the list, to be looked at by the rules."""
    waiting[place, QUEUE] = queue
    waiting[place, TIME] = STALE
    waiting[place, READY] = state.head_ready[queue]
    waiting[place, TARGET] = state.head_next[queue]
    vehicle = head_word(queue, n_link, demand, state) & VEHICLE_MASK
    waiting[place, KEY] = vehicle if demand.key.shape[0] == 0 else demand.key[vehicle]


@inline_jit
def goes_first(one: int, other: int, waiting: Int) -> bool:
    """Say whether a row of the list goes before another that could move at the same time."""
    tag = waiting[one, TAG] - waiting[other, TAG]
    if tag != 0:
        return bool(tag < 0)
    ready = waiting[one, READY] - waiting[other, READY]
    if ready != 0:
        return bool(ready < 0)
    return bool(waiting[one, KEY] < waiting[other, KEY])


@inline_jit
def note_move(queue: int, target: int, time: int, tag: int, network: Network, settings: Settings, state: State) -> None:
    """Let the control and the shares of a node remember a move from a queue to a link."""
    node = network.queue_node[queue] & INDEX
    control = settings.control[node]
    if queue < network.from_node.shape[0] and network.pocket_target[target] < 0:
        if control == ACTUATED and network.phase_of_link[queue] == state.phase[node]:
            state.phase_gap[node] = max(state.phase_gap[node], time + settings.extension[node])
        if control == DARK:
            state.stop_free[node] = time + settings.stop_headway[node]
        elif settings.node_headway[node] > 0:
            state.stop_free[node] = time + settings.node_headway[node]
    if control != DARK and tag >= 0:
        note_share(queue, target, tag, network, state)


@inline_jit
def note_share(queue: int, target: int, tag: int, network: Network, state: State) -> None:
    """Let the shares of a merge remember a move from a queue to a link; tag: as it was listed with."""
    if network.weighted[network.queue_node[queue] & INDEX]:
        start_tag = tag & TAG_MASK
        state.virtual_time[target] = start_tag
        movement = movement_of(queue, target, network)
        state.movement_tag[movement] = start_tag + TAG_UNIT // network.weight[queue]


@inline_jit
def make_stale(
    waiting: Int, n_waiting: int, queue: int, target: int, node: int, network: Network, settings: Settings
) -> None:
    """Mark the rows that a move concerns: those that want the link entered or the
    one left, all at a node whose control remembers the move, and all where some
    give way to others.
    """
    remembers = settings.control[node] >= ACTUATED or settings.node_headway[node] > 0
    for place in range(n_waiting):
        if waiting[place, TIME] == STALE:
            continue
        wanted = waiting[place, TARGET]
        where = waiting[place, NODE] & INDEX
        if wanted in (target, queue) or (remembers and where == node) or network.turning[where]:
            waiting[place, TIME] = STALE


@inline_jit
def switch_phase(
    node: int, time: int, waiting: Int, n_waiting: int, network: Network, settings: Settings, state: State
) -> None:
    """Give green to the next phase in cyclic order at which a vehicle waits."""
    n_link = network.from_node.shape[0]
    n_phase = network.phase_start[node + 1] - network.phase_start[node]
    step = n_phase
    for place in range(n_waiting):
        queue = waiting[place, QUEUE] & INDEX
        if queue >= n_link or network.queue_node[queue] != node:
            continue
        waiting[place, TIME] = STALE
        phase = network.phase_of_link[queue]
        if phase < 0 or phase == state.phase[node]:
            continue
        target = state.head_next[queue]
        if state.head_ready[queue] <= time and target < n_link and network.pocket_target[target] < 0:
            step = min(step, (phase - state.phase[node]) % n_phase)
    state.phase[node] = (state.phase[node] + step) % n_phase
    state.phase_from[node] = time + settings.intergreen[node]
    state.phase_gap[node] = state.phase_from[node]
