"""What a decision on a call does: a unit is sent, or the call waits or goes elsewhere."""

from twin.kernels._jit import inline_jit
from twin.kernels.calendar import cancel, schedule
from twin.kernels.emergency_arrays import (
    AT_STATION,
    CALL_ABANDONED,
    CALL_PREEMPTED,
    CALL_TRANSFERRED,
    CALL_WAITS,
    CLOSED,
    COMPLIANCE,
    DISPATCHED,
    FREED,
    GIVE_UP,
    LEFT,
    MOBILISE,
    MOBILISING,
    MOVE_UP,
    MOVES,
    N_IDLE,
    N_STACK,
    N_WAITING,
    NODE,
    NOW,
    PATIENCE,
    PERIOD,
    PREEMPTED,
    PRIORITY,
    PYTHON_MOVES,
    QUEUE_LIMIT,
    SENT,
    STATUS,
    TO_SCENE,
    TRANSFERRED,
    U_CALL,
    U_HANDLE,
    U_READY,
    U_STATION,
    U_STATUS,
    UNDER_WAY,
    UNIT,
    UNIT_DISPATCHED,
    UNIT_MOBILISED,
    UNIT_REACHES_SCENE,
    WAITING,
    WALK,
    Case,
    State,
)
from twin.kernels.emergency_queue import dequeue, enqueue
from twin.kernels.emergency_status import become, count_station, later, note
from twin.kernels.emergency_travel import ahead, set_leg, walk_time


@inline_jit
def drive_to_scene(case: Case, state: State, unit: int, mode: int, start: tuple[int, int, int, int]) -> None:
    """Set off for the call.

    start  node, us when the unit is there, us when it is at the call's node, arc that it is on before
    """
    call = state.unit[unit, U_CALL]
    asked = case.demand.call[call]
    set_leg(state.unit, unit, mode, (start[0], start[1], asked[NODE], start[2], start[3]))
    arrive = start[2] + walk_time(case.places, mode, asked[WALK])
    become(state, unit, TO_SCENE)
    state.call[call, STATUS] = UNDER_WAY
    state.call[call, LEFT] = state.clock[NOW]
    note(case, state, UNIT_MOBILISED, call, unit, arrive)
    later(state, unit, arrive, UNIT_REACHES_SCENE)


@inline_jit
def take_from(case: Case, state: State, unit: int) -> None:
    """Take a unit's call away; the call waits and is decided at once."""
    call = state.unit[unit, U_CALL]
    state.call[call, UNIT] = -1
    state.call[call, SENT] = -1
    state.call[call, LEFT] = -1
    state.call[call, PREEMPTED] += 1
    note(case, state, CALL_PREEMPTED, call, unit, state.call[call, PREEMPTED])
    enqueue(case, state, call)
    state.stack[state.clock[N_STACK]] = call
    state.clock[N_STACK] += 1


@inline_jit
def moves_all(case: Case) -> bool:
    """Tell whether the rule moves idle units when one is sent or becomes free."""
    rule = case.settings.number[MOVE_UP]
    return bool(rule in (COMPLIANCE, PYTHON_MOVES))


@inline_jit
def send(case: Case, state: State, call: int, unit: int) -> None:
    """Send a unit to a call."""
    now = state.clock[NOW]
    status = state.unit[unit, U_STATUS]
    if state.call[call, STATUS] == WAITING:
        dequeue(case, state, call)
    if status in (MOBILISING, TO_SCENE):
        take_from(case, state, unit)
    else:
        state.clock[N_IDLE] -= 1
        count_station(case, state, state.unit[unit, U_STATION], -1)
    state.unit[unit, U_CALL] = call
    if state.clock[FREED] == unit:
        state.clock[FREED] = -1
    state.call[call, STATUS] = DISPATCHED
    state.call[call, UNIT] = unit
    state.call[call, SENT] = now
    note(case, state, UNIT_DISPATCHED, call, unit, status)
    if moves_all(case):
        state.clock[MOVES] = 1
    if status == AT_STATION:
        state.unit[unit, U_READY] = now + case.demand.call[call, MOBILISE]
        become(state, unit, MOBILISING)
        later(state, unit, state.unit[unit, U_READY], UNIT_MOBILISED)
    elif status != MOBILISING:
        cancel(state.calendar, state.unit[unit, U_HANDLE])
        mode = case.settings.mode[state.clock[PERIOD], case.demand.call[call, PRIORITY]]
        node, left, head = ahead(case.roads, case.places, state.unit, unit, now, mode)
        reached = now + state.eta[unit] - walk_time(case.places, mode, case.demand.call[call, WALK])
        drive_to_scene(case, state, unit, mode, (node, now + left, reached, head))


@inline_jit
def conclude(case: Case, state: State, call: int, unit: int) -> None:
    """Send a unit to a call, or let it wait (or go elsewhere) when there is none."""
    if unit >= 0:
        send(case, state, call, unit)
    elif state.call[call, STATUS] != WAITING:
        limit = case.settings.number[QUEUE_LIMIT]
        if 0 <= limit <= state.clock[N_WAITING]:
            state.call[call, STATUS] = TRANSFERRED
            state.call[call, CLOSED] = state.clock[NOW]
            note(case, state, CALL_TRANSFERRED, call, -1, 0)
            return
        enqueue(case, state, call)
        note(case, state, CALL_WAITS, call, -1, state.clock[N_WAITING])
        patience = case.demand.call[call, PATIENCE]
        if patience >= 0:
            instant = state.clock[NOW] + patience
            state.call[call, GIVE_UP] = schedule(state.calendar, instant, 0, CALL_ABANDONED, call, 0)
