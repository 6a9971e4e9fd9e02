"""Advance one group of nodes of the traffic kernel under all rules, see `traffic_rules`."""

from twin.kernels._jit import inline_jit
from twin.kernels.traffic_arrays import (
    DONE,
    LOG_FULL,
    NEVER,
    Byte,
    Cut,
    Demand,
    Int,
    Log,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_move import INDEX, head_word, load_head
from twin.kernels.traffic_rescue import next_call, next_passing, pass_others
from twin.kernels.traffic_rules import (
    CHANGE,
    KEY,
    NODE,
    QUEUE,
    READY,
    STALE,
    TAG,
    TARGET,
    TIME,
    goes_first,
    list_head,
    look,
    make_stale,
    note_move,
    switch_phase,
)
from twin.kernels.traffic_step import is_full, put_in, take_out


@inline_jit
def visit_ruled(
    group: int, now: int, end: int, rescue: bool, network: Network, demand: Demand, settings: Settings, state: State,
    log: Log, waiting: Int, loose: Byte, tally: Int, kinds: Byte | None, cut: Cut | None,
) -> int:  # fmt: skip
    """Make the moves of a group in [now, end); return DONE or LOG_FULL.

    rescue  an emergency vehicle is near
    After LOG_FULL `group_next` of the group says how far it has come.
    """
    n_link = network.from_node.shape[0]
    clock = max(now, state.group_next[group])
    n_waiting = 0
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        if state.head_ready[queue] < end:
            list_head(waiting, n_waiting, queue, n_link, demand, state)
            n_waiting += 1
    while True:
        best_place, best_time = -1, end
        switch_place, switch = -1, NEVER
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
                pass_others(queue, network, demand, settings, state)
                load_head(queue, network, demand, settings, state)
                n_waiting = list_again(waiting, n_waiting, queue, n_link, demand, state)
                continue
            if calling < end and calling <= best_time and calling <= switch:
                clock = calling
                for place in range(n_waiting):
                    waiting[place, TIME] = STALE
                continue
        if switch < end and switch <= best_time:
            clock = switch
            switch_phase(waiting[switch_place, NODE] & INDEX, switch, waiting, n_waiting, network, settings, state)
            continue
        if best_place < 0:
            return DONE
        best_place &= INDEX
        queue = waiting[best_place, QUEUE] & INDEX
        target = waiting[best_place, TARGET] & INDEX
        clock = best_time
        if queue < n_link and is_full(log):
            state.group_next[group] = clock
            return LOG_FULL
        word = head_word(queue, n_link, demand, state)
        take_out(queue, clock, word, tally, network, demand, settings, state, log, loose, kinds, cut)
        if target < n_link:
            note_move(queue, target, clock, waiting[best_place, TAG], network, settings, state)
        ready, near = put_in(
            group, queue, target, clock, word, tally, network, demand, settings, state, loose, kinds, cut
        )
        rescue = rescue or near
        if ready < end and target != queue:
            ahead = network.queue_node[target] & INDEX
            if network.group_of_node[ahead] == group:
                list_head(waiting, n_waiting, target, n_link, demand, state)
                waiting[n_waiting, NODE] = ahead
                n_waiting += 1
        make_stale(waiting, n_waiting, queue, target, network.queue_node[queue] & INDEX, network, settings)
        if rescue:
            for place in range(n_waiting):
                waiting[place, TIME] = STALE
        if state.head_ready[queue] < end:
            list_head(waiting, best_place, queue, n_link, demand, state)
        else:
            n_waiting -= 1
            for column in (QUEUE, READY, TARGET, NODE, KEY):
                waiting[best_place, column] = waiting[n_waiting, column]
            waiting[best_place, TIME] = STALE


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
