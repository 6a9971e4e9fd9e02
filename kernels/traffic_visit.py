"""Advance one group of nodes of the traffic kernel through one window."""

from twin.kernels._jit import inline_jit
from twin.kernels.traffic_arrays import (
    ACTUATED,
    DONE,
    ENTRIES,
    EXITS,
    FIXED,
    LOG_FULL,
    NEVER,
    RESCUE_IN,
    RESCUE_OUT,
    VEHICLE_MASK,
    Byte,
    Cut,
    Demand,
    Int,
    Log,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_move import (
    INDEX,
    admission,
    end_trip,
    enter_link,
    head_word,
    leave_link,
    leave_origin,
    load_head,
)
from twin.kernels.traffic_rescue import (
    asks_from,
    first_rescue,
    is_near,
    is_rescue,
    next_call,
    next_passing,
    pass_others,
)
from twin.kernels.traffic_rules import (
    CHANGE,
    FROM,
    GREEN_FROM,
    GREEN_UNTIL,
    KEY,
    NODE,
    QUEUE,
    READY,
    STALE,
    TAG,
    TARGET,
    TIME,
    UNTIL,
    goes_first,
    is_simple,
    list_green,
    list_head,
    look,
    make_stale,
    next_green,
    note_move,
    passes,
    switch_phase,
    switch_time,
)


@inline_jit
def visit(
    group: int,
    now: int,
    end: int,
    network: Network,
    demand: Demand,
    settings: Settings,
    state: State,
    log: Log,
    waiting: Int,
    loose: Byte,
    tally: Int,
    ruled: Byte | None,
    greens: Int | None,
    cut: Cut | None,
) -> int:
    """Make all moves of a group in [now, end); return DONE or LOG_FULL.

    After LOG_FULL `group_next` of the group says how far it has come.

    ruled   None: all nodes of the city are simple, see `is_simple`, and the code
            for others is left out; else anything
    greens  None: nor has any a signal; else see `new_greens`
    cut     None: one thread has the whole city
    """
    n_link = network.from_node.shape[0]
    keep_log = log.vehicle.shape[0] > 0
    simple = True
    if ruled is not None:
        for rank in range(network.group_start[group], network.group_start[group + 1]):
            simple = simple and is_simple(network.queue_node[network.group_queue[rank] & INDEX], network, settings)
    rescue = False
    if ruled is not None and demand.class_rescue.shape[0] > 0:
        rescue = is_near(group, end, network, demand, settings, state, cut)
        simple = simple and not rescue
    # A link that others empty and that takes nobody before the end does not do
    # so sooner, so those who want it need no look; nor do those whose green
    # begins later.
    outer = simple and not network.inner[group]
    latest_open = end if outer else NEVER + 1
    latest_green = end if outer else NEVER + 1
    clock = max(now, state.group_next[group])
    n_waiting = 0
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        if state.head_ready[queue] < end and state.link_open[state.head_next[queue] & INDEX] < latest_open:
            begin = now
            if greens is not None and simple:
                begin = list_green(waiting, n_waiting, queue, n_link, now, greens, settings, state)
            if begin >= latest_green:
                continue
            list_head(waiting, n_waiting, queue, n_link, demand, state)
            n_waiting += 1

    while True:
        best_place = -1
        best_time = end
        if simple:
            # Few loads say when a vehicle can move, so nothing is kept from one
            # look to the next.
            # Written without branches: which comes first is not to be guessed.
            best_ready = NEVER
            best_key = NEVER
            for place in range(n_waiting):
                ready = waiting[place, READY]
                key = waiting[place, KEY]
                time = max(ready, state.link_open[waiting[place, TARGET] & INDEX], now)
                if greens is not None:
                    time = max(time, waiting[place, GREEN_FROM])
                    if time >= waiting[place, GREEN_UNTIL] and time < end:
                        time = next_green(waiting[place, QUEUE] & INDEX, time, 0, settings)
                sooner = (ready < best_ready) | ((ready == best_ready) & (key < best_key))
                better = (time < best_time) | ((time == best_time) & (best_place >= 0) & sooner)
                best_place = place if better else best_place
                best_time = time if better else best_time
                best_ready = ready if better else best_ready
                best_key = key if better else best_key
        if ruled is not None and not simple:
            switch_place = -1
            switch = NEVER
            for place in range(n_waiting):
                if waiting[place, TIME] == STALE:
                    look(waiting, place, clock, end, rescue, network, demand, settings, state, cut)
                if waiting[place, CHANGE] < switch:
                    switch = waiting[place, CHANGE]
                    switch_place = place
                time = waiting[place, TIME]
                if time > best_time or time >= end:
                    continue
                if time == best_time and not goes_first(place, best_place, waiting):
                    continue
                best_place = place
                best_time = time
            if rescue:
                passing, queue = next_passing(group, network, demand, settings, state, cut)
                passing = max(passing, clock)
                calling = next_call(group, clock, network, demand, settings, state, cut)
                if passing < end and passing <= best_time and passing <= min(switch, calling):
                    clock = passing
                    pass_others(queue, passing, network, demand, settings, state)
                    load_head(queue, network, demand, settings, state)
                    n_waiting = list_again(waiting, n_waiting, queue, n_link, demand, state)
                    continue
                if calling < end and calling <= best_time and calling <= switch:
                    clock = calling
                    for place in range(n_waiting):
                        waiting[place, TIME] = STALE
                    continue
            if switch < end and switch <= best_time:
                node = waiting[switch_place, NODE] & INDEX
                clock = switch
                switch_phase(node, switch, waiting, n_waiting, network, settings, state)
                continue
        if best_place < 0:
            break
        best_place &= INDEX
        queue = waiting[best_place, QUEUE] & INDEX
        target = waiting[best_place, TARGET] & INDEX
        time = best_time
        clock = time
        word = head_word(queue, n_link, demand, state)

        if queue < n_link:
            if keep_log and log.written[0] == log.vehicle.shape[0]:
                state.group_next[group] = time
                return LOG_FULL
            entered = leave_link(queue, time, network, demand, settings, state)
            if keep_log:
                row = log.written[0] & INDEX
                log.vehicle[row] = word & VEHICLE_MASK
                log.link[row] = queue
                log.entered[row] = entered
                log.left[row] = time
                log.written[0] = row + 1
            if ruled is not None and is_rescue(word, demand):
                state.link[queue, RESCUE_OUT] += 1
            entries = state.link[queue, ENTRIES]
            apart = False
            if cut is not None and cut.split[queue]:
                apart = True
                entries = cut.entries[queue]
            if state.link[queue, EXITS] < entries:
                load_head(queue, network, demand, settings, state)
            else:
                state.head_ready[queue] = NEVER
            if not apart and state.link_open[queue] == NEVER:
                wake_entry(queue, network, demand, settings, state, loose)
        else:
            leave_origin(queue, time, tally, network, demand, settings, state)

        if target < n_link:
            if ruled is not None and not simple:
                note_move(queue, target, time, waiting[best_place, TAG], network, settings, state)
            enter_link(target, time, word, network, demand, settings, state)
            exits = state.link[target, EXITS]
            apart = False
            if cut is not None and cut.split[target]:
                apart = True
                exits = cut.exits[target]
            if not apart and state.link[target, ENTRIES] == exits + 1:
                ready = wake_exit(target, network, demand, settings, state, loose)
                ahead = network.queue_node[target] & INDEX
                if ready < end and target != queue and network.group_of_node[ahead] == group:
                    list_head(waiting, n_waiting, target, n_link, demand, state)
                    waiting[n_waiting, NODE] = ahead
                    if ruled is not None:
                        simple = simple and is_simple(ahead, network, settings)
                    if greens is not None and simple:
                        list_green(waiting, n_waiting, target, n_link, now, greens, settings, state)
                    n_waiting += 1
            state.link_open[target] = admission(target, exits, network, demand, settings, state)
            if ruled is not None and is_rescue(word, demand):
                state.link[target, RESCUE_IN] += 1
                if network.group_of_node[network.queue_node[target] & INDEX] == group:
                    rescue = True
                    simple = False
                elif not apart:
                    call_ahead(target, asks_from(target, time, settings), network, state, loose)
        else:
            end_trip(queue, target, time, word, tally, network, state)

        if ruled is not None and not simple:
            make_stale(waiting, n_waiting, queue, target, network.queue_node[queue] & INDEX, network, settings)
            if rescue:
                for place in range(n_waiting):
                    waiting[place, TIME] = STALE
        stays = state.head_ready[queue] < end and state.link_open[state.head_next[queue] & INDEX] < latest_open
        if greens is not None and simple and stays:
            stays = list_green(waiting, best_place, queue, n_link, now, greens, settings, state) < latest_green
        if stays:
            list_head(waiting, best_place, queue, n_link, demand, state)
        else:
            n_waiting -= 1
            for column in (QUEUE, READY, TARGET, NODE, KEY, GREEN_FROM, GREEN_UNTIL):
                waiting[best_place, column] = waiting[n_waiting, column]
            waiting[best_place, TIME] = STALE

    state.group_next[group] = next_time(group, network, demand, settings, state, ruled, greens, cut)
    loose[group] = 0
    return DONE


@inline_jit
def wake_entry(queue: int, network: Network, demand: Demand, settings: Settings, state: State, loose: Byte) -> None:
    """Reckon anew when a link that was full can take a vehicle, and tell the node behind."""
    opens = admission(queue, state.link[queue, EXITS], network, demand, settings, state)
    state.link_open[queue] = opens
    behind = network.group_of_node[network.from_node[queue] & INDEX] & INDEX
    if opens < state.group_next[behind]:
        state.group_next[behind] = opens
        loose[behind] = 1


@inline_jit
def wake_exit(target: int, network: Network, demand: Demand, settings: Settings, state: State, loose: Byte) -> int:
    """Look at the first vehicle on a link that was empty, and tell the node ahead."""
    ready = load_head(target, network, demand, settings, state)
    ahead = network.group_of_node[network.queue_node[target] & INDEX] & INDEX
    if ready < state.group_next[ahead]:
        state.group_next[ahead] = ready
        loose[ahead] = 1
    return ready


@inline_jit
def list_again(waiting: Int, n_waiting: int, queue: int, n_link: int, demand: Demand, state: State) -> int:
    """Write the new first vehicle of a queue to the list, where all is to be looked at; return its length."""
    row = n_waiting
    for place in range(n_waiting):
        waiting[place, TIME] = STALE
        if waiting[place, QUEUE] == queue:
            row = place
    list_head(waiting, row, queue, n_link, demand, state)
    return max(n_waiting, row + 1)


@inline_jit
def call_ahead(target: int, asks: int, network: Network, state: State, loose: Byte) -> None:
    """Tell the node ahead that an emergency vehicle on a link asks for green from a time on."""
    ahead = network.group_of_node[network.queue_node[target] & INDEX] & INDEX
    state.group_next[ahead] = min(state.group_next[ahead], asks)
    loose[ahead] = 1


@inline_jit
def next_time(
    group: int, network: Network, demand: Demand, settings: Settings, state: State, ruled: Byte | None,
    greens: Int | None, cut: Cut | None,
) -> int:  # fmt: skip
    """Bound from below when anything happens in a group again, if no other group does anything."""
    n_link = network.from_node.shape[0]
    earliest = NEVER
    rescue = False
    if ruled is not None and demand.class_rescue.shape[0] > 0:
        for rank in range(network.group_start[group], network.group_start[group + 1]):
            queue = network.group_queue[rank] & INDEX
            if queue < n_link:
                asks, passing = first_rescue(queue, network, demand, settings, state, cut)
                earliest = min(earliest, asks, passing)
        rescue = earliest < NEVER
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        ready = state.head_ready[queue]
        if ready == NEVER:
            continue
        target = state.head_next[queue] & INDEX
        time = max(ready, state.link_open[target])
        through = queue < n_link and target < n_link and network.pocket_target[target] < 0
        if rescue:
            time = ready
        elif greens is not None and through:
            node = network.queue_node[queue] & INDEX
            if settings.control[node] == FIXED and not greens[queue, FROM] <= time < greens[queue, UNTIL]:
                late = settings.late_turn[node] if network.turning[node] else 0
                time = next_green(queue, time, late, settings)
            if ruled is not None and settings.control[node] != FIXED:
                time = passes(queue, node, time, NEVER, 0, False, network, demand, settings, state, cut)
                phase = network.phase_of_link[queue]
                if settings.control[node] == ACTUATED and phase >= 0 and phase != state.phase[node]:
                    time = switch_time(ready, node, network, settings, state)
        earliest = min(earliest, time)
    return earliest
