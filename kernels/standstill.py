"""Serve emergency calls on streets that stand still, by the rules of the twin's own model.

The same steps as the model `emergency` with its feed `avl` and a dispatch policy, event by event
and to the microsecond, for the case that link times no longer change: reports of units every few
seconds, decisions on what was reported, orders that take time, mobilisation, legs on the streets,
scene, hospital bays with a queue, the way back. Calls come in as triaged: who answers
them does not depend on units.

Everything at one instant is in the calendar's order: the service, then reports, then decisions.
"""

import numpy as np

from twin.kernels._jit import inline_jit, jit, lean_jit
from twin.kernels.calendar import KIND, TARGET, VALUE, cancel, next_time, schedule, take
from twin.kernels.coverage import coverage_losses
from twin.kernels.routing import Graph, tree
from twin.kernels.standstill_arrays import (
    ALERT,
    ALERTED,
    ARRIVAL,
    ASKED,
    AT_HOSPITAL,
    AT_SCENE,
    AT_STATION,
    BACK,
    C_AT_HOSPITAL,
    C_BAY,
    C_CLOSED,
    C_DISPATCHED,
    C_ON_SCENE,
    C_STAGE,
    C_UNIT,
    CALENDAR_FULL,
    CARRY,
    CLEAR,
    DECIDE,
    DECIDE_EVERY,
    DECISIONS,
    DEPART,
    DISPATCHED,
    DISPATCHER_FREE,
    DONE,
    DOOR,
    DRIVE,
    FAILED,
    FIRST_SAMPLE,
    HANDOVER,
    HOME,
    IDLE,
    IN_HOSPITAL,
    LATENCY,
    LEAVE,
    MOBILISE,
    NEVER,
    NOW,
    ON_SCENE,
    ORDER,
    ORDER_DELAY,
    ORDER_WORK,
    RETIME,
    RETURNING,
    SAMPLE,
    SAMPLE_EVERY,
    SAMPLES,
    SCENE,
    SERVED,
    TIMER,
    TO_HOSPITAL,
    TO_SCENE,
    TRACK,
    TRACK_EVERY,
    TRANSPORT,
    TRIAGED,
    U_ASKED,
    U_CALL,
    U_COUNT,
    U_FREE,
    U_GOAL,
    U_HANDLE,
    U_HOSPITAL,
    U_NODE,
    U_SEEN_FREE,
    U_SEEN_NODE,
    U_STAGE,
    U_STEP,
    U_STUCK,
    WAITING,
    WAITS,
    WAKE,
    Case,
    Float,
    Int32,
    State,
)

_SERVICE, _REPORT, _DECISION = 0, 1, 2
_LIMITS = (0.05, 0.95)
"""Least and largest share of busy units that DMEXCLP believes."""


@jit
def all_ways(streets: Graph, weight: Float, backward: bool, time: Float, via: Int32) -> None:
    """Grow the tree of shortest ways of every node.

    weight    (n_link,)  s, inf for a closed link
    backward  ways to the node, not from it
    time, via (n_node, n_node)  row per root, see `routing.tree`; written in place
    """
    for root in range(time.shape[0]):
        if backward:
            tree(streets.in_start, streets.in_link, streets.from_node, weight, root, time[root], via[root], -1)
        else:
            tree(streets.out_start, streets.out_link, streets.to_node, weight, root, time[root], via[root], -1)


@lean_jit
def _later(state: State, unit: int, delay: int, step: int) -> None:
    """Let a unit go on at a step after a delay, and not before."""
    cancel(state.calendar, state.unit[unit, U_HANDLE])
    state.unit[unit, U_STEP] = step
    due = state.clock[NOW] + delay
    state.unit[unit, U_HANDLE] = _plan(state, due, _SERVICE, WAKE, unit, 0)


@lean_jit
def _plan(state: State, due: int, priority: int, kind: int, target: int, value: int) -> int:
    handle = schedule(state.calendar, due, priority, kind, target, value)
    if handle < 0:
        state.clock[FAILED] = 1
    return handle


@inline_jit
def _is_moving(state: State, unit: int) -> bool:
    count = state.unit[unit, U_COUNT]
    return bool(count > 0 and state.clock[NOW] < state.entry[unit, count])


@lean_jit
def _place(state: State, unit: int) -> int:
    """Return which link of its leg a unit is on, the last one when the leg is over."""
    passed = 0
    while passed < state.unit[unit, U_COUNT] and state.entry[unit, passed] <= state.clock[NOW]:
        passed += 1
    return max(passed - 1, 0)


@lean_jit
def _next_node(case: Case, state: State, unit: int) -> int:
    """Return the node a unit stands on or can turn at next."""
    if not _is_moving(state, unit):
        return int(state.unit[unit, U_NODE])
    return int(case.streets.to_node[state.path[unit, _place(state, unit)]])


@inline_jit
def _has_arrived(case: Case, state: State, unit: int, goal: int) -> bool:
    if _is_moving(state, unit):
        return False
    count = state.unit[unit, U_COUNT]
    if count > 0:
        _stand(state, unit, int(case.streets.to_node[state.path[unit, count - 1]]))
    return bool(state.unit[unit, U_NODE] == goal)


@inline_jit
def _stand(state: State, unit: int, node: int) -> None:
    state.unit[unit, U_NODE] = node
    state.unit[unit, U_COUNT] = 0
    state.unit[unit, U_GOAL] = -1
    state.unit[unit, U_STUCK] = 0


@inline_jit
def _is_open(case: Case, state: State, unit: int) -> bool:
    """Tell whether every link ahead of the one a unit is on is open."""
    for index in range(_place(state, unit) + 1, state.unit[unit, U_COUNT]):
        if not case.passable[state.path[unit, index]]:
            return False
    return True


@lean_jit
def _write_leg(case: Case, state: State, unit: int, count: int) -> None:
    """Time the `count` links in `State.links` from now, behind the link being driven."""
    start = state.clock[NOW]
    longest = state.path.shape[1]
    filled = 0
    if _is_moving(state, unit):
        index = _place(state, unit)
        current = state.path[unit, index]
        entered = state.entry[unit, index]
        takes = state.entry[unit, index + 1] - entered
        fraction = (start - entered) / takes
        if case.passable[current]:
            takes = case.link_time[current]
        start += max(np.int64(np.rint((1.0 - fraction) * takes)), 1) - takes
        state.path[unit, 0] = current
        state.entry[unit, 0] = start
        start += takes
        filled = 1
    else:
        state.entry[unit, 0] = start
    for step in range(count):
        if filled == longest:
            break
        link = state.links[step]
        state.path[unit, filled] = link
        state.entry[unit, filled] = start
        start += case.link_time[link]
        filled += 1
    state.entry[unit, filled] = start
    state.unit[unit, U_COUNT] = filled
    state.unit[unit, U_NODE] = _next_node(case, state, unit)


@inline_jit
def _has_way(case: Case, state: State, unit: int, goal: int) -> bool:
    """Plan a leg from the next node of a unit; False when no way leads to the goal."""
    start = _next_node(case, state, unit)
    state.unit[unit, U_GOAL] = goal
    found = case.way_time[start, goal] < np.inf
    state.unit[unit, U_STUCK] = 0 if found else 1
    if not found:
        if _is_moving(state, unit):
            _write_leg(case, state, unit, 0)
        return False
    count = 0
    node = goal
    while node != start:
        node = int(case.streets.from_node[case.way_link[start, node]])
        count += 1
    node = goal
    for step in range(count - 1, -1, -1):
        state.links[step] = case.way_link[start, node]
        node = int(case.streets.from_node[state.links[step]])
    _write_leg(case, state, unit, count)
    return True


@inline_jit
def _follow(case: Case, state: State, unit: int, goal: int) -> int:
    """Drive on towards a node; return the us until the next look, 0 when there, -1 without a way."""
    if _has_arrived(case, state, unit, goal):
        _stand(state, unit, goal)
        return 0
    same = state.unit[unit, U_GOAL] == goal and state.unit[unit, U_STUCK] == 0
    if same and _is_moving(state, unit) and _is_open(case, state, unit):
        first = _place(state, unit) + 1
        count = state.unit[unit, U_COUNT] - first
        for step in range(count):
            state.links[step] = state.path[unit, first + step]
        _write_leg(case, state, unit, count)
    elif not _has_way(case, state, unit, goal):
        return -1
    left = state.entry[unit, state.unit[unit, U_COUNT]] - state.clock[NOW]
    return max(min(int(left), int(case.number[RETIME])), 0)


@lean_jit
def _let_decide(state: State) -> None:
    """Let the policy decide at this instant, once."""
    if state.clock[WAITS] == 0:
        state.clock[WAITS] = 1
        _plan(state, state.clock[NOW], _DECISION, DECIDE, 0, 0)


@inline_jit
def _carry_out(case: Case, state: State, call: int, unit: int) -> None:
    """Send a unit to a call, if both still can be."""
    if state.call[call, C_STAGE] != WAITING or state.clock[IDLE] == 0 or state.unit[unit, U_FREE] == 0:
        return
    now = state.clock[NOW]
    state.clock[IDLE] -= 1
    _plan(state, now + case.number[ORDER_WORK], _SERVICE, DISPATCHER_FREE, 0, 0)
    state.unit[unit, U_FREE] = 0
    state.unit[unit, U_CALL] = call
    state.unit[unit, U_STAGE] = ALERTED
    state.call[call, C_STAGE] = DISPATCHED
    state.call[call, C_DISPATCHED] = now
    state.call[call, C_UNIT] = unit
    _later(state, unit, 0, ALERT)


@inline_jit
def _pass_bay_on(state: State, hospital: int, case: Case) -> None:
    """Give a bay to the most urgent of the units that wait for one, then to the first."""
    best = -1
    for unit in range(state.unit.shape[0]):
        if state.unit[unit, U_ASKED] < 0 or state.unit[unit, U_HOSPITAL] != hospital:
            continue
        if best < 0:
            best = unit
            continue
        mine = case.priority[state.unit[unit, U_CALL]]
        least = case.priority[state.unit[best, U_CALL]]
        if mine < least or (mine == least and state.unit[unit, U_ASKED] < state.unit[best, U_ASKED]):
            best = unit
    if best < 0:
        state.free_bays[hospital] += 1
        return
    state.unit[best, U_ASKED] = -1
    _later(state, best, 0, HANDOVER)


@inline_jit
def _leave_scene(case: Case, state: State, unit: int) -> int:
    """Choose the hospital soonest reached, or none; return the next step."""
    call = state.unit[unit, U_CALL]
    if not case.transport[call]:
        return CLEAR
    start = _next_node(case, state, unit)
    chosen = 0
    for hospital in range(case.hospital_node.shape[0]):
        if case.way_time[start, case.hospital_node[hospital]] < case.way_time[start, case.hospital_node[chosen]]:
            chosen = hospital
    state.unit[unit, U_HOSPITAL] = chosen
    state.unit[unit, U_STAGE] = TO_HOSPITAL
    state.call[call, C_STAGE] = TRANSPORT
    return CARRY


@inline_jit
def _close(case: Case, state: State, unit: int) -> None:
    """End a call; its unit may be sent again."""
    call = state.unit[unit, U_CALL]
    if state.unit[unit, U_STAGE] == IN_HOSPITAL:
        _pass_bay_on(state, int(state.unit[unit, U_HOSPITAL]), case)
    state.call[call, C_STAGE] = SERVED
    state.call[call, C_CLOSED] = state.clock[NOW]
    state.unit[unit, U_CALL] = -1
    state.unit[unit, U_HOSPITAL] = -1
    state.unit[unit, U_STAGE] = RETURNING
    state.unit[unit, U_FREE] = 1
    _let_decide(state)


@inline_jit
def _drive(case: Case, state: State, unit: int, step: int) -> int:
    """Follow the leg of a step; return the step on arrival, -1 when there is nothing to do now."""
    goal = case.home[unit]
    arrived = HOME
    stuck = BACK
    if step == DRIVE:
        goal = case.node[state.unit[unit, U_CALL]]
        arrived = SCENE
        stuck = DRIVE
    elif step == CARRY:
        goal = case.hospital_node[state.unit[unit, U_HOSPITAL]]
        arrived = DOOR
        stuck = LEAVE
    left = _follow(case, state, unit, int(goal))
    if left == 0:
        return arrived
    if left > 0:
        _later(state, unit, left, step)
    else:
        state.unit[unit, U_STEP] = stuck
    return -1


@inline_jit
def _arrive(case: Case, state: State, unit: int, step: int) -> None:
    """Do what is done at the scene, at the door of a hospital, in its bay, or at the station."""
    now = state.clock[NOW]
    call = state.unit[unit, U_CALL]
    hospital = state.unit[unit, U_HOSPITAL]
    if step == SCENE:
        state.unit[unit, U_STAGE] = AT_SCENE
        state.call[call, C_STAGE] = ON_SCENE
        state.call[call, C_ON_SCENE] = now
        _later(state, unit, int(case.scene[call]), LEAVE)
    elif step == DOOR:
        state.unit[unit, U_STAGE] = IN_HOSPITAL
        state.call[call, C_STAGE] = AT_HOSPITAL
        state.call[call, C_AT_HOSPITAL] = now
        if state.free_bays[hospital] > 0:
            state.free_bays[hospital] -= 1
            _later(state, unit, 0, HANDOVER)
        else:
            state.clock[ASKED] += 1
            state.unit[unit, U_ASKED] = state.clock[ASKED]
    elif step == HANDOVER:
        state.call[call, C_BAY] = now
        _later(state, unit, int(np.rint(case.handover[call] * case.bay_factor[hospital])), CLEAR)
    else:
        state.unit[unit, U_STAGE] = AT_STATION


@inline_jit
def _wake(case: Case, state: State, unit: int) -> None:
    """Take the steps of a unit until one takes time."""
    state.unit[unit, U_HANDLE] = -1
    step = int(state.unit[unit, U_STEP])
    while step >= 0:
        if step == ALERT:
            _later(state, unit, int(case.number[ORDER_WORK]), MOBILISE)
            return
        if step == MOBILISE:
            is_home = not _is_moving(state, unit) and state.unit[unit, U_NODE] == case.home[unit]
            _later(state, unit, int(case.mobilise[state.unit[unit, U_CALL]]) if is_home else 0, DEPART)
            return
        if step == DEPART:
            state.unit[unit, U_STAGE] = TO_SCENE
            step = DRIVE
        elif step == LEAVE:
            step = _leave_scene(case, state, unit)
        elif step == CLEAR:
            _close(case, state, unit)
            step = BACK
        elif step in (DRIVE, CARRY, BACK):
            step = _drive(case, state, unit, step)
        else:
            _arrive(case, state, unit, step)
            return


@inline_jit
def _sample(case: Case, state: State) -> None:
    """Note where units say they are, and let it arrive after the latency."""
    count = state.clock[SAMPLES]
    state.clock[SAMPLES] += 1
    slot = count % state.flight.shape[0]
    for unit in range(state.unit.shape[0]):
        node = state.unit[unit, U_NODE]
        heard = case.heard[node]
        if case.lost.shape[0] > 0:
            heard = heard and not case.lost[count - case.number[FIRST_SAMPLE], unit]
        state.flight[slot, unit, 0] = node
        state.flight[slot, unit, 1] = state.unit[unit, U_FREE]
        state.flight[slot, unit, 2] = heard
    now = state.clock[NOW]
    _plan(state, now + case.number[LATENCY], _REPORT, ARRIVAL, 0, slot)
    _plan(state, now + case.number[SAMPLE_EVERY], _REPORT, SAMPLE, 0, 0)


@inline_jit
def _deliver(state: State, slot: int) -> None:
    """Turn a sample into what is observed."""
    for unit in range(state.unit.shape[0]):
        if state.flight[slot, unit, 2]:
            state.unit[unit, U_SEEN_NODE] = state.flight[slot, unit, 0]
            state.unit[unit, U_SEEN_FREE] = state.flight[slot, unit, 1]


@inline_jit
def _first_waiting(case: Case, state: State, decision: int) -> int:
    """Return the most urgent, then the oldest call that waits and was not looked at in this decision."""
    best = -1
    for call in range(state.call.shape[0]):
        if state.call[call, C_STAGE] != WAITING or state.looked[call] == decision:
            continue
        if (
            best < 0
            or case.found[call] < case.found[best]
            or (case.found[call] == case.found[best] and case.known[call] < case.known[best])
        ):
            best = call
    return best


@inline_jit
def _chosen(case: Case, state: State, call: int, count: int) -> int:
    """Return the place in the list of idle units of the one the policy sends; it has been found reachable."""
    closest = 0
    for place in range(count):
        if state.reach[place] < state.reach[closest]:
            closest = place
    if case.covered.shape[0] == 0:
        return closest
    n_unit = state.unit.shape[0]
    free = 0
    for unit in range(n_unit):
        free += state.unit[unit, U_SEEN_FREE]
    busy = case.busy
    if busy == 0.0:
        busy = min(max(1.0 - free / n_unit, _LIMITS[0]), _LIMITS[1])
    coverage_losses(case.covered, case.population, state.idle_node[:count], busy, state.loss[:count])
    gone = (state.clock[NOW] - case.rung[call]) / 1_000_000
    best = closest
    least = np.inf
    for place in range(count):
        if state.reach[place] + case.preparation + gone > case.target:
            continue
        loss = state.loss[place]
        if loss < least or (loss == least and state.reach[place] < state.reach[best]):
            best = place
            least = loss
    return best


@inline_jit
def _decide(case: Case, state: State) -> None:
    """Order a unit for each waiting call that a dispatcher is there for, on what is observed."""
    count = 0
    for unit in range(state.unit.shape[0]):
        if state.unit[unit, U_SEEN_FREE] and state.unit[unit, U_CALL] < 0:
            state.idle_unit[count] = unit
            state.idle_node[count] = state.unit[unit, U_SEEN_NODE]
            count += 1
    state.clock[DECISIONS] += 1
    left = state.clock[IDLE]
    while left > 0 and count > 0:
        call = _first_waiting(case, state, int(state.clock[DECISIONS]))
        if call < 0:
            return
        state.looked[call] = state.clock[DECISIONS]
        reachable = False
        for place in range(count):
            state.reach[place] = case.belief[case.node[call], state.idle_node[place]]
            reachable = reachable or state.reach[place] < np.inf
        if not reachable:
            continue
        place = _chosen(case, state, call, count)
        _plan(state, state.clock[NOW] + case.number[ORDER_DELAY], _SERVICE, ORDER, call, state.idle_unit[place])
        left -= 1
        count -= 1
        for other in range(place, count):
            state.idle_unit[other] = state.idle_unit[other + 1]
            state.idle_node[other] = state.idle_node[other + 1]


@inline_jit
def _track(case: Case, state: State) -> None:
    """Note the node of every unit on the road."""
    for unit in range(state.unit.shape[0]):
        if state.unit[unit, U_COUNT] > 0:
            state.unit[unit, U_NODE] = case.streets.to_node[state.path[unit, _place(state, unit)]]
    _plan(state, state.clock[NOW] + case.number[TRACK_EVERY], _SERVICE, TRACK, 0, 0)


@lean_jit
def serve(case: Case, state: State, until: int) -> int:
    """Handle all events strictly before an instant (us); return DONE or CALENDAR_FULL."""
    while True:
        instant = next_time(state.calendar)
        if instant >= until or instant >= NEVER:
            state.clock[NOW] = until
            return DONE
        state.clock[NOW] = instant
        row = take(state.calendar)
        kind = state.calendar.entry[row, KIND]
        target = int(state.calendar.entry[row, TARGET])
        value = int(state.calendar.entry[row, VALUE])
        if kind == WAKE:
            _wake(case, state, target)
        elif kind == TRACK:
            _track(case, state)
        elif kind == SAMPLE:
            _sample(case, state)
        elif kind == ARRIVAL:
            _deliver(state, value)
        elif kind == ORDER:
            _carry_out(case, state, target, value)
        elif kind == DISPATCHER_FREE:
            state.clock[IDLE] += 1
            _let_decide(state)
        elif kind == TRIAGED:
            state.call[target, C_STAGE] = WAITING
            _let_decide(state)
        elif kind == DECIDE:
            state.clock[WAITS] = 0
            _decide(case, state)
        else:
            _plan(state, instant + case.number[DECIDE_EVERY], _DECISION, TIMER, 0, 0)
            _decide(case, state)
        if state.clock[FAILED]:
            return CALENDAR_FULL
