"""Move one vehicle at a node of the traffic kernel, and tell the nodes around it."""

from twin.kernels._jit import inline_jit
from twin.kernels.traffic_arrays import (
    AHEAD,
    BEHIND,
    ENTRIES,
    EXITS,
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
    leave_link,
    leave_origin,
    load_head,
)
from twin.kernels.traffic_rescue import asks_from, is_rescue


@inline_jit
def is_full(log: Log) -> bool:
    """Say whether a log is kept and has no row left."""
    return bool(0 < log.vehicle.shape[0] == log.written[0])


@inline_jit
def take_out(
    queue: int, time: int, word: int, tally: Int, network: Network, demand: Demand, settings: Settings, state: State,
    log: Log, loose: Byte, kinds: Byte | None, cut: Cut | None,
) -> None:  # fmt: skip
    """Take the first vehicle out of a queue, write its traversal, and look at the one behind it."""
    if queue >= network.from_node.shape[0]:
        leave_origin(queue, time, tally, network, demand, settings, state)
        return
    entered = leave_link(queue, time, word, demand, state)
    if log.vehicle.shape[0] > 0:
        row = log.written[0] & INDEX
        log.vehicle[row] = word & VEHICLE_MASK
        log.link[row] = queue
        log.entered[row] = entered
        log.left[row] = time
        log.written[0] = row + 1
    if kinds is not None and is_rescue(word, demand):
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
        wake_entry(queue, demand, state, loose)


@inline_jit
def put_in(
    group: int, queue: int, target: int, time: int, word: int, tally: Int, network: Network, demand: Demand,
    settings: Settings, state: State, loose: Byte, kinds: Byte | None, cut: Cut | None,
) -> tuple[int, bool]:  # fmt: skip
    """Let a vehicle that has left a queue enter a link, or end its trip.

    Returns when it is ready if it is the first on that link, else NEVER, and
    whether it is an emergency vehicle that has not left the group.
    """
    n_link = network.from_node.shape[0]
    if target >= n_link:
        end_trip(queue, target, time, word, tally, network, state)
        return NEVER, False
    enter_link(target, time, word, demand, state)
    exits = state.link[target, EXITS]
    apart = False
    if cut is not None and cut.split[target]:
        apart = True
        exits = cut.exits[target]
    ready = NEVER
    if not apart and state.link[target, ENTRIES] == exits + 1:
        ready = wake_exit(target, network, demand, settings, state, loose)
    state.link_open[target] = admission(target, exits, demand, state)
    near = False
    if kinds is not None and is_rescue(word, demand):
        state.link[target, RESCUE_IN] += 1
        near = state.link[target, AHEAD] == group
        if not near and not apart:
            asks = asks_from(target, time + settings.free_flow[target], network, settings)
            call_ahead(target, asks, state, loose)
    return ready, near


@inline_jit
def wake_entry(queue: int, demand: Demand, state: State, loose: Byte) -> None:
    """Reckon anew when a link that was full can take a vehicle, and tell the node behind."""
    opens = admission(queue, state.link[queue, EXITS], demand, state)
    state.link_open[queue] = opens
    behind = state.link[queue, BEHIND] & INDEX
    if opens < state.group_next[behind]:
        state.group_next[behind] = opens
        loose[behind] = 1


@inline_jit
def wake_exit(target: int, network: Network, demand: Demand, settings: Settings, state: State, loose: Byte) -> int:
    """Look at the first vehicle on a link that was empty, and tell the node ahead."""
    ready = load_head(target, network, demand, settings, state)
    ahead = state.link[target, AHEAD] & INDEX
    if ready < state.group_next[ahead]:
        state.group_next[ahead] = ready
        loose[ahead] = 1
    return ready


@inline_jit
def call_ahead(target: int, asks: int, state: State, loose: Byte) -> None:
    """Tell the node ahead that an emergency vehicle on a link asks for green from a time on."""
    ahead = state.link[target, AHEAD] & INDEX
    state.group_next[ahead] = min(state.group_next[ahead], asks)
    loose[ahead] = 1
