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
* Dark: all-way stop, one vehicle per stop headway, first ready first served
  among those whose next link has room.
"""

import numpy as np

from twin.kernels._jit import jit, lean_jit
from twin.kernels.traffic_arrays import (
    ACTUATED,
    ARRIVED,
    CANCELLED,
    DARK,
    DONE,
    DRIVING,
    ENTRIES,
    EXITS,
    FIXED,
    FREE_SLOT,
    IN_SLOT,
    LAST_IN,
    LAST_RELEASE,
    LOG_FULL,
    NEVER,
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
    STEP_MASK,
    STRANDED,
    TRAVEL,
    UNCONTROLLED,
    WAITING,
    WINDOW,
    Byte,
    Demand,
    Int,
    Int32,
    Log,
    Network,
    Settings,
    State,
)

TAG_UNIT = 720720
"""Finish tag of weight 1: every weight up to 16 divides it."""

TAG_BITS = 54
TAG_MASK = (1 << TAG_BITS) - 1
"""The rank of a queue stands above its tag: lower ranks first, then lower tags.
Room for 2e10 vehicles through one link of weight 1."""

QUEUE, TIME, READY, TARGET, NODE, TAG, CHANGE = 0, 1, 2, 3, 4, 5, 6
WAITING_COLUMNS = 8
STALE = -1
"""Columns of the list of queues with a vehicle ready in a window; STALE: to be
looked at again."""

INDEX = (1 << 31) - 1
"""Mask that tells the compiler that an index is not negative, so that it leaves
out the test for one that counts from the end (7 to 9 % faster). No array of the
kernel has more rows."""

CLASS_BITS = 8
CLASS_MASK = 255


@lean_jit
def next_link(
    trip: int,
    node: int,
    column: int,
    n_link: int,
    destination_node: Int32,
    informed: Int32,
    habitual: Int32,
) -> int:
    """Say where a vehicle at a node goes: a link or a sink; see Network.hop_column."""
    if trip >= 0:
        link = (trip & STEP_MASK) - 1
        return link if link >= 0 else n_link
    choice = -1 - trip
    destination = choice >> 1
    if destination_node[destination] == node:
        return n_link
    link = informed[destination, column] if choice & 1 else habitual[destination, column]
    return link if link >= 0 else n_link + 1


@lean_jit
def admission(
    target: int,
    ring_start: Int,
    class_pcu: Int,
    wave: Int,
    storage: Int,
    closed: Byte,
    link: Int,
    ring: Int,
) -> int:
    """Tell when a link can take its next vehicle, releasing space as needed."""
    if closed[target]:
        return NEVER
    while link[target, OCCUPIED] >= storage[target]:
        if link[target, RELEASED] == link[target, EXITS]:
            return NEVER
        slot = link[target, FREE_SLOT] & INDEX
        link[target, OCCUPIED] -= class_pcu[ring[slot, ROW_VEHICLE] & CLASS_MASK]
        link[target, LAST_RELEASE] = ring[slot, ROW_TIME]
        link[target, RELEASED] += 1
        slot += 1
        link[target, FREE_SLOT] = slot if slot < ring_start[target + 1] else ring_start[target]
    return int(max(link[target, NEXT_IN], link[target, LAST_RELEASE] + wave[target]))


@lean_jit
def green_after(time: int, cycle: int, start: int, length: int) -> int:
    """Find the first instant of a fixed-time green at or after a time."""
    if length <= 0:
        return NEVER
    place = (time - start) % cycle
    return time if place < length else time + cycle - place


@lean_jit
def switch_time(ready: int, green: int, minimum_green: int, maximum_green: int, gap_end: int) -> int:
    """Tell when a vehicle at a red phase ends the green of another."""
    return max(ready, green + minimum_green, min(gap_end, green + maximum_green))


def advance(network: Network, demand: Demand, settings: Settings, state: State, log: Log, until: int) -> int:
    """Simulate all events strictly before a time; return DONE or LOG_FULL.

    until  us; nothing happens if it is not after state.clock[NOW]

    After LOG_FULL the caller empties the log and calls again with the same
    `until`, before it changes anything else: the result is the same as with a
    longer log.
    """
    waiting = np.empty((network.queue_node.shape[0], WAITING_COLUMNS), np.int64)
    loose = np.zeros(state.group_next.shape[0], np.int8)
    return _advance(network, demand, settings, state, log, waiting, loose, until)


@lean_jit
def _advance(
    network: Network,
    demand: Demand,
    settings: Settings,
    state: State,
    log: Log,
    waiting: Int,
    loose: Byte,
    until: int,
) -> int:
    """Advance with given work arrays.

    waiting  (n_queue, WAITING_COLUMNS)  queues with a vehicle ready in a window
    loose    (n_group,)  0; 1: others have lowered the bound of the group. A
             last pass without moves makes it exact, so that the state does not
             tell how a run was chunked
    """
    n_link = network.from_node.shape[0]
    group_queue = network.group_queue
    group_start = network.group_start
    queue_node = network.queue_node
    hop_column = network.hop_column
    rank = network.rank
    phase_of_link = network.phase_of_link
    phase_start = network.phase_start
    weighted = network.weighted
    movement_start = network.movement_start
    in_position = network.in_position
    out_degree = network.out_degree
    out_position = network.out_position
    ring_start = network.ring_start
    group_of_node = network.group_of_node
    from_node = network.from_node
    weight = network.weight
    origin_vehicle = demand.origin_vehicle
    key = demand.key
    class_factor = demand.class_factor
    routes = demand.routes
    destination_node = demand.destination_node
    class_pcu = demand.class_pcu
    origin_class = demand.origin_class
    origin_trip = demand.origin_trip
    origin_start = demand.origin_start
    origin_depart = demand.origin_depart
    control = settings.control
    green_cycle = settings.green_cycle
    green_start = settings.green_start
    green_length = settings.green_length
    minimum_green = settings.minimum_green
    maximum_green = settings.maximum_green
    intergreen = settings.intergreen
    headway = settings.headway
    informed = settings.informed
    habitual = settings.habitual
    wave = settings.wave
    storage = settings.storage
    closed = settings.closed
    extension = settings.extension
    stop_headway = settings.stop_headway
    node_headway = settings.node_headway
    free_flow = settings.free_flow
    clock = state.clock
    head_ready = state.head_ready
    head_next = state.head_next
    link_open = state.link_open
    link = state.link
    ring = state.ring
    group_next = state.group_next
    stop_free = state.stop_free
    phase_now = state.phase
    phase_from = state.phase_from
    phase_gap = state.phase_gap
    virtual_time = state.virtual_time
    movement_tag = state.movement_tag
    origin_next = state.origin_next
    tally = state.tally
    outcome = state.outcome
    arrival = state.arrival
    log_vehicle = log.vehicle
    written = log.written
    log_link = log.link
    log_entered = log.entered
    log_left = log.left
    n_group = group_next.shape[0]
    keep_log = log_vehicle.shape[0] > 0

    now = clock[NOW]
    last_pass = until <= now
    while not last_pass:
        first = NEVER
        for group in range(n_group):
            first = min(first, group_next[group])
        if first >= until or now >= until:
            last_pass = True
            end = until
            for group in range(n_group):
                if loose[group]:
                    group_next[group] = until - 1
        else:
            now = max(now, first)
            end = min(now + clock[WINDOW], until)

        for group in range(n_group):
            if group_next[group] >= end:
                continue
            n_waiting = 0
            plain = True
            for place in range(group_start[group], group_start[group + 1]):
                queue = group_queue[place]
                if head_ready[queue] < end:
                    waiting[n_waiting, QUEUE] = queue
                    waiting[n_waiting, TIME] = STALE
                    waiting[n_waiting, READY] = head_ready[queue]
                    waiting[n_waiting, TARGET] = head_next[queue]
                    n_waiting += 1
                    node = queue_node[queue]
                    plain = plain and control[node] == UNCONTROLLED and not weighted[node] and node_headway[node] == 0

            while True:
                best_place = -1
                best_time = NEVER
                switch_place = -1
                switch = NEVER
                n_ruled = n_waiting
                if plain:
                    # No control, no weights: two loads say when a vehicle can
                    # move, so nothing is kept from one look to the next (20 %
                    # faster than the rules below on an uncontrolled grid).
                    n_ruled = 0
                    best_time = end
                    best_ready = STALE
                    for place in range(n_waiting):
                        ready = waiting[place, READY]
                        time = max(ready, link_open[waiting[place, TARGET] & INDEX], now)
                        if time > best_time:
                            continue
                        if time == best_time:
                            if ready > best_ready:
                                continue
                            if ready == best_ready:
                                vehicle = _head_vehicle(
                                    waiting[place, QUEUE],
                                    n_link,
                                    link,
                                    ring,
                                    origin_next,
                                    origin_vehicle,
                                )
                                rival = _head_vehicle(
                                    waiting[best_place, QUEUE],
                                    n_link,
                                    link,
                                    ring,
                                    origin_next,
                                    origin_vehicle,
                                )
                                if key[vehicle] > key[rival]:
                                    continue
                        best_place = place
                        best_time = time
                        best_ready = ready
                for place in range(n_ruled):
                    if waiting[place, TIME] == STALE:
                        queue = waiting[place, QUEUE]
                        target = head_next[queue]
                        ready = head_ready[queue]
                        node = queue_node[queue]
                        time = max(ready, link_open[target], now)
                        change = NEVER
                        tag = 0
                        if queue < n_link and target < n_link and node_headway[node] > 0:
                            time = max(time, stop_free[node])
                        if queue < n_link and target < n_link and control[node] != UNCONTROLLED:
                            if control[node] == FIXED:
                                if time < end:
                                    time = green_after(
                                        time,
                                        green_cycle[queue],
                                        green_start[queue],
                                        green_length[queue],
                                    )
                            elif control[node] == DARK:
                                time = max(time, stop_free[node])
                            elif phase_of_link[queue] == phase_now[node]:
                                time = max(time, phase_from[node])
                            elif phase_of_link[queue] >= 0:
                                time = NEVER
                                phase = phase_start[node] + phase_now[node]
                                change = max(
                                    now,
                                    switch_time(
                                        ready,
                                        phase_from[node],
                                        minimum_green[phase],
                                        maximum_green[phase],
                                        phase_gap[node],
                                    ),
                                )
                        if weighted[node] and target < n_link and control[node] != DARK:
                            movement = (
                                movement_start[node] + in_position[queue] * out_degree[node] + out_position[target]
                            )
                            tag = max(virtual_time[target], movement_tag[movement])
                            tag += np.int64(rank[queue]) << TAG_BITS
                        waiting[place, TIME] = time
                        waiting[place, TAG] = tag
                        waiting[place, READY] = ready
                        waiting[place, TARGET] = target
                        waiting[place, NODE] = node
                        waiting[place, CHANGE] = change
                    if waiting[place, CHANGE] < switch:
                        switch = waiting[place, CHANGE]
                        switch_place = place
                    time = waiting[place, TIME]
                    if time > best_time or time >= end:
                        continue
                    if time == best_time:
                        tag = waiting[place, TAG] - waiting[best_place, TAG]
                        if tag > 0:
                            continue
                        ready = waiting[place, READY] - waiting[best_place, READY]
                        if tag == 0 and ready > 0:
                            continue
                        if tag == 0 and ready == 0:
                            vehicle = _head_vehicle(
                                waiting[place, QUEUE],
                                n_link,
                                link,
                                ring,
                                origin_next,
                                origin_vehicle,
                            )
                            rival = _head_vehicle(
                                waiting[best_place, QUEUE],
                                n_link,
                                link,
                                ring,
                                origin_next,
                                origin_vehicle,
                            )
                            if key[vehicle] > key[rival]:
                                continue
                    best_place = place
                    best_time = time

                if switch < end and switch <= best_time:
                    node = waiting[switch_place, NODE]
                    phase_now[node] = next_phase(
                        node,
                        switch,
                        phase_start[node + 1] - phase_start[node],
                        phase_now[node],
                        waiting,
                        n_waiting,
                        n_link,
                        queue_node,
                        phase_of_link,
                        head_ready,
                        head_next,
                    )
                    phase_from[node] = switch + intergreen[node]
                    phase_gap[node] = phase_from[node]
                    for place in range(n_waiting):
                        if waiting[place, NODE] == node:
                            waiting[place, TIME] = STALE
                    continue
                if best_place < 0:
                    break
                best_place &= INDEX
                queue = waiting[best_place, QUEUE] & INDEX
                time = best_time
                target = waiting[best_place, TARGET] & INDEX
                node = queue_node[queue] & INDEX

                if queue < n_link:
                    if keep_log:
                        row = written[0] & INDEX
                        if row == log_vehicle.shape[0]:
                            clock[NOW] = now
                            for other in range(n_group):
                                group_next[other] = now
                            return LOG_FULL
                    slot = link[queue, OUT_SLOT] & INDEX
                    tail = ring[slot, ROW_VEHICLE]
                    trip = ring[slot, ROW_TRIP]
                    entered = ring[slot, ROW_TIME]
                    if keep_log:
                        log_vehicle[row] = tail >> CLASS_BITS
                        log_link[row] = queue
                        log_entered[row] = entered
                        log_left[row] = time
                        written[0] = row + 1
                    ring[slot, ROW_TIME] = time
                    slot += 1
                    if slot == ring_start[queue + 1]:
                        slot = ring_start[queue] & INDEX
                    link[queue, OUT_SLOT] = slot
                    link[queue, EXITS] += 1
                    link[queue, TRAVEL] += time - entered
                    gap = int(headway[queue] * class_factor[tail & CLASS_MASK])
                    link[queue, NEXT_OUT] = time + max(gap, 1)
                    if link[queue, EXITS] < link[queue, ENTRIES]:
                        head_ready[queue] = max(ring[slot, ROW_READY], link[queue, NEXT_OUT])
                        head_next[queue] = next_link(
                            ring[slot, ROW_TRIP],
                            node,
                            hop_column[queue],
                            n_link,
                            destination_node,
                            informed,
                            habitual,
                        )
                    else:
                        head_ready[queue] = NEVER
                    if link_open[queue] == NEVER:
                        link_open[queue] = admission(
                            queue,
                            ring_start,
                            class_pcu,
                            wave,
                            storage,
                            closed,
                            link,
                            ring,
                        )
                        behind = group_of_node[from_node[queue]]
                        if link_open[queue] < group_next[behind]:
                            group_next[behind] = link_open[queue]
                            loose[behind] = 1
                else:
                    origin = (queue - n_link) & INDEX
                    place = origin_next[origin] & INDEX
                    tail = (np.int64(origin_vehicle[place]) << CLASS_BITS) | np.int64(origin_class[place])
                    trip = origin_trip[place]
                    place += 1
                    origin_next[origin] = place
                    tally[WAITING] -= 1
                    tally[DRIVING] += 1
                    outcome[tail >> CLASS_BITS] = DRIVING
                    if place < origin_start[origin + 1]:
                        head_ready[queue] = max(origin_depart[place], time)
                        head_next[queue] = next_link(
                            origin_trip[place],
                            node,
                            hop_column[queue],
                            n_link,
                            destination_node,
                            informed,
                            habitual,
                        )
                    else:
                        head_ready[queue] = NEVER

                if target < n_link:
                    if queue < n_link and not plain:
                        if control[node] == ACTUATED and phase_of_link[queue] == phase_now[node]:
                            phase_gap[node] = max(phase_gap[node], time + extension[node])
                        if control[node] == DARK:
                            stop_free[node] = time + stop_headway[node]
                        elif node_headway[node] > 0:
                            stop_free[node] = time + node_headway[node]
                    if not plain and weighted[node] and control[node] != DARK:
                        movement = movement_start[node] + in_position[queue] * out_degree[node] + out_position[target]
                        best_tag = waiting[best_place, TAG] & TAG_MASK
                        virtual_time[target] = best_tag
                        movement_tag[movement] = best_tag + TAG_UNIT // weight[queue]
                    ready = time + free_flow[target]
                    slot = link[target, IN_SLOT] & INDEX
                    ring[slot, ROW_TIME] = time
                    ring[slot, ROW_READY] = ready
                    ring[slot, ROW_VEHICLE] = tail
                    if trip >= 0:
                        # Read one step ahead: the answer is not needed yet
                        # (4 % faster than to read it when it is).
                        step = ((trip >> STEP_BITS) + 1) & INDEX
                        trip = (step << STEP_BITS) | (routes[step] + 1)
                    ring[slot, ROW_TRIP] = trip
                    slot += 1
                    if slot == ring_start[target + 1]:
                        slot = ring_start[target]
                    link[target, IN_SLOT] = slot
                    link[target, ENTRIES] += 1
                    link[target, OCCUPIED] += class_pcu[tail & CLASS_MASK]
                    gap = int(headway[target] * class_factor[tail & CLASS_MASK])
                    link[target, NEXT_IN] = time + max(gap, 1)
                    link[target, LAST_IN] = time
                    if link[target, ENTRIES] == link[target, EXITS] + 1:
                        ready = max(ready, link[target, NEXT_OUT])
                        head_ready[target] = ready
                        ahead = queue_node[target] & INDEX
                        head_next[target] = next_link(
                            trip,
                            ahead,
                            hop_column[target],
                            n_link,
                            destination_node,
                            informed,
                            habitual,
                        )
                        other = group_of_node[ahead]
                        if ready < group_next[other]:
                            group_next[other] = ready
                            loose[other] = 1
                        if other == group and ready < end and target != queue:
                            waiting[n_waiting, QUEUE] = target
                            waiting[n_waiting, TIME] = STALE
                            waiting[n_waiting, READY] = ready
                            waiting[n_waiting, TARGET] = head_next[target]
                            waiting[n_waiting, NODE] = ahead
                            n_waiting += 1
                            plain = plain and control[ahead] == UNCONTROLLED and not weighted[ahead]
                            plain = plain and node_headway[ahead] == 0
                    link_open[target] = admission(
                        target,
                        ring_start,
                        class_pcu,
                        wave,
                        storage,
                        closed,
                        link,
                        ring,
                    )
                else:
                    if target == n_link:
                        ending = ARRIVED
                        arrival[tail >> CLASS_BITS] = time
                    elif queue < n_link:
                        ending = STRANDED
                    else:
                        ending = CANCELLED
                    tally[DRIVING] -= 1
                    tally[ending] += 1
                    outcome[tail >> CLASS_BITS] = ending

                # Look afresh only at those that the move can concern: the
                # queue itself, those that want the same link or the one left,
                # and all at a node whose control remembers the move.
                waiting[best_place, TIME] = STALE
                waiting[best_place, READY] = head_ready[queue]
                waiting[best_place, TARGET] = head_next[queue]
                if not plain:
                    remembers = control[node] >= ACTUATED or node_headway[node] > 0
                    for place in range(n_waiting):
                        wanted = waiting[place, TARGET]
                        if wanted in (target, queue) or (remembers and waiting[place, NODE] == node):
                            waiting[place, TIME] = STALE
                if head_ready[queue] >= end:
                    n_waiting -= 1
                    waiting[best_place, QUEUE] = waiting[n_waiting, QUEUE]
                    waiting[best_place, TIME] = STALE
                    waiting[best_place, READY] = waiting[n_waiting, READY]
                    waiting[best_place, TARGET] = waiting[n_waiting, TARGET]

            earliest = NEVER
            for place in range(group_start[group], group_start[group + 1]):
                queue = group_queue[place]
                ready = head_ready[queue]
                if ready == NEVER:
                    continue
                target = head_next[queue]
                time = max(ready, link_open[target])
                node = queue_node[queue]
                if queue < n_link and target < n_link and node_headway[node] > 0:
                    time = max(time, stop_free[node])
                if queue < n_link and target < n_link and control[node] != UNCONTROLLED:
                    if control[node] == FIXED:
                        if time < NEVER:
                            time = green_after(
                                time,
                                green_cycle[queue],
                                green_start[queue],
                                green_length[queue],
                            )
                    elif control[node] == DARK:
                        time = max(time, stop_free[node])
                    elif phase_of_link[queue] == phase_now[node]:
                        time = max(time, phase_from[node])
                    elif phase_of_link[queue] >= 0:
                        phase = phase_start[node] + phase_now[node]
                        time = switch_time(
                            ready,
                            phase_from[node],
                            minimum_green[phase],
                            maximum_green[phase],
                            phase_gap[node],
                        )
                earliest = min(earliest, time)
            group_next[group] = earliest
            loose[group] = 0
        now = end
    clock[NOW] = max(clock[NOW], until)
    return DONE


@lean_jit
def _head_vehicle(
    queue: int,
    n_link: int,
    link: Int,
    ring: Int,
    origin_next: Int,
    origin_vehicle: Int32,
) -> int:
    """Give the first vehicle of a queue."""
    if queue < n_link:
        return int(ring[link[queue, OUT_SLOT], ROW_VEHICLE] >> CLASS_BITS)
    return int(origin_vehicle[origin_next[queue - n_link]])


@lean_jit
def next_phase(
    node: int,
    time: int,
    n_phase: int,
    phase_now: int,
    waiting: Int,
    n_waiting: int,
    n_link: int,
    queue_node: Int32,
    phase_of_link: Int32,
    head_ready: Int,
    head_next: Int,
) -> int:
    """Find the next phase in cyclic order at which a vehicle waits."""
    step = n_phase
    for place in range(n_waiting):
        queue = waiting[place, QUEUE]
        if queue >= n_link or queue_node[queue] != node:
            continue
        phase = phase_of_link[queue]
        if phase < 0 or phase == phase_now:
            continue
        if head_ready[queue] <= time and head_next[queue] < n_link:
            step = min(step, (phase - phase_now) % n_phase)
    return (phase_now + step) % n_phase


@jit
def touch(network: Network, demand: Demand, settings: Settings, state: State) -> None:
    """Take note of changed settings; call it before the next `advance`.

    Looks up the next link of every first vehicle, the room on every link and
    the window afresh. Calling it without a change alters no result.
    """
    n_link = network.from_node.shape[0]
    for queue in range(state.head_ready.shape[0]):
        if state.head_ready[queue] == NEVER:
            continue
        if queue < n_link:
            trip = state.ring[state.link[queue, OUT_SLOT], ROW_TRIP]
        else:
            trip = demand.origin_trip[state.origin_next[queue - n_link]]
        state.head_next[queue] = next_link(
            trip,
            network.queue_node[queue],
            network.hop_column[queue],
            n_link,
            demand.destination_node,
            settings.informed,
            settings.habitual,
        )
    window = NEVER
    for target in range(n_link):
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
        ahead = network.group_of_node[network.to_node[target]]
        if ahead != network.group_of_node[network.from_node[target]]:
            window = min(window, settings.free_flow[target], settings.wave[target])
    state.clock[WINDOW] = min(window, NEVER >> 1)
    for group in range(state.group_next.shape[0]):
        state.group_next[group] = state.clock[NOW]


@jit
def set_free_flow(network: Network, settings: Settings, state: State, target: int, free_flow: int) -> None:
    """Change the free-flow time of a link at the present instant.

    Each vehicle under way drives the rest of its link at the new speed: what
    is left of its time is scaled. Call `touch` afterwards.
    """
    now = state.clock[NOW]
    old = settings.free_flow[target]
    settings.free_flow[target] = free_flow
    link = state.link
    ring = state.ring
    slot = link[target, OUT_SLOT]
    n_vehicle = link[target, ENTRIES] - link[target, EXITS]
    for rank in range(n_vehicle):
        left = ring[slot, ROW_READY] - now
        if left > 0:
            ring[slot, ROW_READY] = now + max(1, int(left * (free_flow / old)))
        if rank == 0:
            state.head_ready[target] = max(ring[slot, ROW_READY], link[target, NEXT_OUT])
        slot += 1
        if slot == network.ring_start[target + 1]:
            slot = network.ring_start[target]


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
