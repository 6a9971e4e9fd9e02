"""Missions, hospital bays and reports of units, as the model `emergency` and its feed `avl` have them."""

import numpy as np

from twin.kernels._jit import inline_jit, lean_jit
from twin.kernels.calendar import Calendar, cancel, schedule
from twin.kernels.standstill_arrays import (
    ALERT,
    ALERTED,
    ASKED,
    AT_HOSPITAL,
    AT_SCENE,
    AT_STATION,
    BACK,
    BAY,
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
    DECISION,
    DEPART,
    DISPATCHED,
    DISPATCHER_FREE,
    DOOR,
    DRIVE,
    FAILED,
    HANDOVER,
    HOME,
    IDLE,
    IN_HOSPITAL,
    LEAVE,
    MOBILISE,
    NOW,
    ON_SCENE,
    ORDER_WORK,
    PLACE,
    PLACING,
    RETURNING,
    ROAD,
    SCENE,
    SERVED,
    SERVICE,
    STAY,
    TO_HOSPITAL,
    TO_SCENE,
    TRANSPORT,
    U_ASKED,
    U_CALL,
    U_FREE,
    U_GOAL,
    U_HANDLE,
    U_HOSPITAL,
    U_NODE,
    U_STAGE,
    U_STATION,
    U_STEP,
    U_STUCK,
    WAITING,
    WAITS,
    WAKE,
    Case,
    Int,
    State,
)
from twin.kernels.standstill_streets import (
    follow,
    grow,
    is_moving,
    next_node,
    wound,
)


@lean_jit
def later(calendar: Calendar, clock: Int, units: Int, unit: int, delay: int, step: int) -> None:
    """Let a unit go on at a step after a delay, and not before."""
    cancel(calendar, units[unit, U_HANDLE])
    units[unit, U_STEP] = step
    units[unit, U_HANDLE] = plan(calendar, clock, clock[NOW] + delay, SERVICE, WAKE, unit, 0)


@lean_jit
def plan(calendar: Calendar, clock: Int, due: int, order: int, kind: int, target: int, value: int) -> int:
    """Put an event into the calendar; return its handle."""
    handle = schedule(calendar, due, order, kind, target, value)
    if handle < 0:
        clock[FAILED] = CALENDAR_FULL
    return handle


@lean_jit
def let_decide(calendar: Calendar, clock: Int) -> None:
    """Let the policy of dispatch decide at this instant, once."""
    if clock[WAITS] == 0:
        clock[WAITS] = 1
        plan(calendar, clock, clock[NOW], DECISION, DECIDE, 0, 0)


@lean_jit
def _let_place(rule: int, calendar: Calendar, clock: Int) -> None:
    """Let the policy of relocation decide at this instant, once."""
    if rule != STAY and clock[PLACING] == 0:
        clock[PLACING] = 1
        plan(calendar, clock, clock[NOW], DECISION, PLACE, 0, 0)


@inline_jit
def carry_out(case: Case, state: State, call: int, unit: int) -> None:
    """Send a unit to a call, if both still can be."""
    if state.call[call, C_STAGE] != WAITING or state.clock[IDLE] == 0 or state.unit[unit, U_FREE] == 0:
        return
    now = state.clock[NOW]
    state.clock[IDLE] -= 1
    plan(state.calendar, state.clock, now + case.number[ORDER_WORK], SERVICE, DISPATCHER_FREE, 0, 0)
    if case.moves.on_sent:
        _let_place(case.moves.number, state.calendar, state.clock)
    state.unit[unit, U_FREE] = 0
    state.unit[unit, U_CALL] = call
    state.unit[unit, U_STAGE] = ALERTED
    state.call[call, C_STAGE] = DISPATCHED
    state.call[call, C_DISPATCHED] = now
    state.call[call, C_UNIT] = unit
    later(state.calendar, state.clock, state.unit, unit, 0, ALERT)


@inline_jit
def move(state: State, unit: int, station: int) -> None:
    """Make a station the place an idle unit goes back to, and set it off."""
    if state.unit[unit, U_FREE] == 0 or state.unit[unit, U_STATION] == station:
        return
    state.unit[unit, U_STATION] = station
    if state.unit[unit, U_STAGE] == AT_STATION:
        state.unit[unit, U_STAGE] = RETURNING
        later(state.calendar, state.clock, state.unit, unit, 0, ALERT)
    else:
        later(state.calendar, state.clock, state.unit, unit, 0, BACK)


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
    later(state.calendar, state.clock, state.unit, best, 0, HANDOVER)


@inline_jit
def _leave_scene(case: Case, state: State, unit: int) -> int:
    """Choose the hospital soonest reached, or none; return the next step."""
    call = state.unit[unit, U_CALL]
    if not case.transport[call]:
        return CLEAR
    start = next_node(case.streets.to_node, state.unit, state.path, state.entry, state.clock, unit)
    road = wound(case.road, state.clock, ROAD, SERVICE)
    grow(case.streets, case.road_time[road], start, False, road, state.ways)
    chosen = 0
    for hospital in range(case.hospital_node.shape[0]):
        here = state.ways.time[start, case.hospital_node[hospital]]
        if here < state.ways.time[start, case.hospital_node[chosen]]:
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
    if case.moves.first:
        _let_place(case.moves.number, state.calendar, state.clock)
        let_decide(state.calendar, state.clock)
    else:
        let_decide(state.calendar, state.clock)
        _let_place(case.moves.number, state.calendar, state.clock)


@inline_jit
def _drive(case: Case, state: State, unit: int, step: int) -> int:
    """Follow the leg of a step; return the step on arrival, -1 when there is nothing to do now."""
    goal = case.station_node[state.unit[unit, U_STATION]]
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
    left = follow(case, state, unit, int(goal))
    if left == 0:
        return arrived
    if left > 0:
        later(state.calendar, state.clock, state.unit, unit, left, step)
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
        later(state.calendar, state.clock, state.unit, unit, int(case.scene[call]), LEAVE)
    elif step == DOOR:
        state.unit[unit, U_STAGE] = IN_HOSPITAL
        state.call[call, C_STAGE] = AT_HOSPITAL
        state.call[call, C_AT_HOSPITAL] = now
        if state.free_bays[hospital] > 0:
            state.free_bays[hospital] -= 1
            later(state.calendar, state.clock, state.unit, unit, 0, HANDOVER)
        else:
            state.clock[ASKED] += 1
            state.unit[unit, U_ASKED] = state.clock[ASKED]
    elif step == HANDOVER:
        state.call[call, C_BAY] = now
        factor = case.bay_factor[wound(case.bay, state.clock, BAY, SERVICE), hospital]
        later(state.calendar, state.clock, state.unit, unit, int(np.rint(case.handover[call] * factor)), CLEAR)
    else:
        state.unit[unit, U_STAGE] = AT_STATION


@inline_jit
def wake(case: Case, state: State, unit: int) -> None:
    """Take the steps of a unit until one takes time."""
    state.unit[unit, U_HANDLE] = -1
    step = int(state.unit[unit, U_STEP])
    while step >= 0:
        if step == ALERT:
            if state.unit[unit, U_CALL] < 0:
                later(state.calendar, state.clock, state.unit, unit, 0, BACK)
            else:
                later(state.calendar, state.clock, state.unit, unit, int(case.number[ORDER_WORK]), MOBILISE)
            return
        if step == MOBILISE:
            base = case.station_node[state.unit[unit, U_STATION]]
            moving = is_moving(state.unit, state.entry, state.clock, unit)
            is_home = not moving and state.unit[unit, U_NODE] == base
            takes = int(case.mobilise[state.unit[unit, U_CALL]]) if is_home else 0
            later(state.calendar, state.clock, state.unit, unit, takes, DEPART)
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
def reroute(case: Case, state: State, unit: int) -> None:
    """Plan the leg of a unit again."""
    stage = state.unit[unit, U_STAGE]
    if stage == ALERTED and is_moving(state.unit, state.entry, state.clock, unit):
        follow(case, state, unit, int(state.unit[unit, U_GOAL]))
    elif stage == TO_SCENE:
        later(state.calendar, state.clock, state.unit, unit, 0, DRIVE)
    elif stage == TO_HOSPITAL:
        later(state.calendar, state.clock, state.unit, unit, 0, LEAVE if state.unit[unit, U_STUCK] else CARRY)
    elif stage == RETURNING:
        later(state.calendar, state.clock, state.unit, unit, 0, BACK)
