"""Move every vehicle through the city, exactly and without an event queue.

Each link is a first-in-first-out queue in passage-time form: a vehicle that
enters at t is *ready* to leave at max(t + free-flow time, last exit + headway),
and may enter the next link once (a) the headway since the last entry there is
over and (b) there is room, where a vehicle that left at x gives its space back
at x + wave. Source: Newell, A simplified theory of kinematic waves, part II,
Transp. Res. B 27 (1993); Yperman, The link transmission model (2007).

Nothing that happens at one node reaches another before min(free-flow time,
wave) of the link between them. Within a window no longer than the least such
time the nodes are therefore independent, and each is advanced alone, by
repeatedly moving the vehicle of the least (time, tag, ready time, key). Any
order of nodes and any shorter window give the same result, so `advance` may be
called in any chunks. Nodes that short links join form one group.

Rules at a node
* A vehicle decides where to go at the instant it moves, by the tables then in
  force; vehicles with a given route follow it.
* Several vehicles that can enter a link at one instant: the one ready first
  goes first, then the lower key. Where links of unequal weight merge, shares
  follow the weights: start-time fair queueing, tag = max(virtual time of the
  link, finish tag of the movement); Goyal, Vin, Cheng, SIGCOMM (1996).
* Where links of unequal rank merge, the lower rank goes first among vehicles
  that can enter at one instant (priority signs); tags decide within a rank.
* A node with a headway lets vehicles from link to link pass one by one.
* The headway behind a vehicle is the link's headway times its class factor.
* Vehicles that end at a node, and those that start there, pass no signal.
* Fixed time: moves only in [start, start + length) of each cycle.
* Vehicle-actuated: the green of a phase ends, once somebody waits at another
  phase, at the minimum green, then at the first gap longer than the extension,
  at the latest at the maximum green; the next waiting phase in cyclic order
  gets green after the intergreen. Without conflict green rests.
* A pocket is a link of no length at the end of another, through which a movement
  goes: vehicles step in whatever the signal shows, and let others pass them until
  it is full. It has the control and the weight of the link it belongs to.
* A movement that gives way (a turn across oncoming traffic) is made when the
  first vehicle of each queue it gives way to is not due before the gap is over,
  or is itself bound for a movement that gives way. The gap is at most half of the
  time along the links of that vehicle. Of emergency vehicles that ask for green it
  is known who has asked, not who will. After a fixed-time green such a movement
  may be made for `late_turn` more, when the others have red. Not at dark nodes.
* Emergency vehicles: see `traffic_rescue`. They enter a link first of all that
  can enter it at an instant, give way to nobody, and wait in queues of their own
  at their origins. At a signal the approach of one that asks for green has it
  from `RESCUE_CLEAR` later, or as the plan has it; all others have red until it
  has left the link, or `RESCUE_HOLD` is over. Fixed times go on as if nothing
  had been; actuated ones with the phase they had.
* Dark: all-way stop, one vehicle per stop headway, first ready first served
  among those whose next link has room.
"""

import numpy as np

from twin.kernels._jit import inline_jit, jit, lean_jit
from twin.kernels.traffic_arrays import (
    AHEAD,
    BEHIND,
    CODE_SHIFT,
    DONE,
    ENTRIES,
    EXITS,
    FREE_FLOW,
    GAP_IN,
    GAP_OUT,
    LINK_COLUMNS,
    LOG_FULL,
    NEVER,
    NEXT_OUT,
    NOW,
    OUT_SLOT,
    RING_COLUMNS,
    RING_END,
    RING_START,
    RING_STOP,
    ROOM,
    ROW_TIME,
    SHIFTED,
    WAVE,
    WINDOW,
    Byte,
    Demand,
    Int,
    Log,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_fetch import fetch
from twin.kernels.traffic_move import INDEX, admission, head_word, next_link
from twin.kernels.traffic_pair import advance_pair, can_pair
from twin.kernels.traffic_plain import ROW_COLUMNS, since_when
from twin.kernels.traffic_rules import WAITING_COLUMNS, least_time, lookahead
from twin.kernels.traffic_visit import new_desk, new_plan, visit
from twin.kernels.traffic_window import first_event, list_active, open_window


def advance(
    network: Network, demand: Demand, settings: Settings, state: State, log: Log, until: int, threads: int = 1
) -> int:
    """Simulate all events strictly before a time; return DONE or LOG_FULL.

    until    us; nothing happens if it is not after state.clock[NOW]
    threads  2: two threads share the work if there is enough and the machine has
             two processors to spare. The state is the same to the bit; the log
             has the same rows in another order

    After LOG_FULL the caller empties the log and calls again with the same
    `until`, before it changes anything else: the result is the same as with a
    longer log.
    """
    until = min(until, NEVER)
    if threads > 1 and can_pair(network):
        advance_pair(network, demand, settings, state, log, until)
    plan, desk = new_plan(network, demand, settings), new_desk(network)
    loose = np.zeros(state.group_next.shape[0], np.int8)
    return _advance(network, demand, settings, state, log, *desk, loose, *plan, until)


@lean_jit
def _advance(
    network: Network,
    demand: Demand,
    settings: Settings,
    state: State,
    log: Log,
    rows: Int,
    waiting: Int,
    active: Int,
    loose: Byte,
    kinds: Byte | None,
    greens: Int | None,
    until: int,
) -> int:
    """Advance with given work arrays.

    rows, waiting, active  see `Desk`
    loose    (n_group,)  0; 1: others have lowered the bound of the group. A
             last pass without moves makes it exact, so that the state does not
             tell how a run was chunked
    kinds, greens  see `Plan`
    """
    clock, group_next = state.clock, state.group_next
    if (
        state.link.shape[1] != LINK_COLUMNS
        or state.ring.shape[1] != RING_COLUMNS
        or waiting.shape[1] != WAITING_COLUMNS
        or rows.shape[1] != ROW_COLUMNS
    ):
        # Never so; it tells the compiler the widths of the rows.
        return LOG_FULL
    n_group = group_next.shape[0]
    now = clock[NOW]
    last_pass, since = until <= now, NEVER
    while not last_pass:
        first = first_event(0, n_group, state)
        now, end, last_pass = open_window(now, first, until, 0, n_group, loose, state)
        since = since_when(now, end, since, demand, state)
        n_active = list_active(0, n_group, end, active, state)
        for place in range(n_active):
            group = active[place] & INDEX
            fetch(place, active, n_active, end, network, demand, state, kinds, greens)
            status = visit(
                group, now, end, since, network, demand, settings, state, log, rows, waiting, loose, state.tally, kinds,
                greens, None,
            )  # fmt: skip
            if status == LOG_FULL:
                clock[NOW] = now
                reached = group_next[group]
                group_next[:group] = end - 1
                group_next[group] = reached
                group_next[group + 1 :] = now
                return LOG_FULL
        now = end
    clock[NOW] = max(clock[NOW], until)
    return DONE


@jit
def touch(network: Network, demand: Demand, settings: Settings, state: State) -> None:
    """Take note of changed settings; call it before the next `advance`.

    Looks up the next link of every first vehicle, the room on every link and
    the window afresh. Calling it without a change alters no result.
    """
    n_link = network.from_node.shape[0]
    for target in range(n_link):
        note_settings(target, network, settings, state)
    for queue in range(state.head_ready.shape[0]):
        if state.head_ready[queue] == NEVER:
            continue
        code = head_word(queue, n_link, demand, state) >> CODE_SHIFT
        state.head_next[queue] = next_link(code, queue, network, demand, settings)
    window = NEVER
    for target in range(n_link):
        exits = state.link[target, EXITS]
        state.link_open[target] = admission(target, exits, demand, state)
        ahead = network.group_of_node[network.to_node[target]]
        if ahead != network.group_of_node[network.from_node[target]]:
            window = min(window, least_time(target, settings) - lookahead(target, network, demand, settings))
    state.clock[WINDOW] = min(window, NEVER >> 1)
    for group in range(state.group_next.shape[0]):
        state.group_next[group] = state.clock[NOW]


@inline_jit
def note_settings(target: int, network: Network, settings: Settings, state: State) -> None:
    """Write to the row of a link what vehicles need of its settings."""
    link = state.link[target]
    link[FREE_FLOW] = settings.free_flow[target]
    link[WAVE] = settings.wave[target]
    link[GAP_OUT] = settings.headway[target]
    link[GAP_IN] = settings.headway[target]
    link[ROOM] = 0 if settings.closed[target] else settings.storage[target]
    link[RING_START] = network.ring_start[target]
    link[RING_STOP] = network.ring_start[target + 1]
    link[RING_END] = network.ring_start[target + 1]
    link[BEHIND] = network.group_of_node[network.from_node[target]]
    link[AHEAD] = network.group_of_node[network.to_node[target]]


@jit
def set_free_flow(network: Network, settings: Settings, state: State, target: int, free_flow: int) -> None:
    """Change the free-flow time of a link at the present instant.

    Each vehicle under way drives the rest of its link at the new speed: what
    is left of its time is scaled. Call `touch` afterwards.
    """
    now = state.clock[NOW]
    old = settings.free_flow[target]
    settings.free_flow[target] = free_flow
    link = state.link[target]
    slot = link[OUT_SLOT]
    for vehicle in range(link[EXITS], link[ENTRIES]):
        if vehicle >= link[SHIFTED]:
            state.ring_ready[slot] = state.ring[slot, ROW_TIME] + old
        left = state.ring_ready[slot] - now
        if left > 0:
            state.ring_ready[slot] = now + max(1, int(left * (free_flow / old)))
        if vehicle == link[EXITS]:
            state.head_ready[target] = max(state.ring_ready[slot], link[NEXT_OUT])
        slot += 1
        if slot == network.ring_start[target + 1]:
            slot = network.ring_start[target]
    link[SHIFTED] = link[ENTRIES]


@jit
def set_control(settings: Settings, state: State, node: int, control: int) -> None:
    """Change the control of a node at the present instant.

    A vehicle-actuated node begins with its first phase, a dark one is free at
    once. Call `touch` afterwards.
    """
    now = state.clock[NOW]
    settings.control[node] = control
    state.phase[node] = 0
    state.phase_from[node] = now
    state.phase_gap[node] = now
    state.stop_free[node] = now
