"""What a unit with a call does, from setting off until it is free again."""

from twin.kernels._jit import inline_jit
from twin.kernels.emergency_arrays import (
    ABANDONED,
    ARRIVE,
    AT_DOOR,
    AT_HOSPITAL,
    AT_SCENE,
    AT_STATION,
    CALL_ABANDONED,
    CHOSEN,
    CLOSED,
    FREED,
    GIVE_UP,
    HANDED_OVER,
    HANDOVER,
    HOSPITAL,
    LEFT_SCENE,
    MOVES,
    N_IDLE,
    N_STATION,
    NODE,
    NOW,
    OFF_ROAD,
    ON_SCENE,
    PERIOD,
    PRIORITY,
    RETURNING,
    SCENE,
    SERVED,
    STATUS,
    TICK,
    TO_HOSPITAL,
    TRANSPORT,
    TRANSPORTED,
    TREATING,
    TRY,
    U_CALL,
    U_CALLS,
    U_HANDLE,
    U_STATION,
    UNIT_FREE,
    UNIT_MOBILISED,
    UNIT_REACHES_HOSPITAL,
    UNIT_REACHES_SCENE,
    UNIT_REACHES_STATION,
    UNIT_TO_HOSPITAL,
    WALK,
    Case,
    State,
)
from twin.kernels.emergency_dispatch import drive_to_scene, moves_all
from twin.kernels.emergency_queue import dequeue, first_from
from twin.kernels.emergency_status import become, later, note
from twin.kernels.emergency_travel import set_leg, walk_time


@inline_jit
def reach_scene(case: Case, state: State, unit: int) -> None:
    """Arrive at a call and treat the patient."""
    now = state.clock[NOW]
    call = state.unit[unit, U_CALL]
    become(state, unit, TREATING)
    state.call[call, STATUS] = ON_SCENE
    state.call[call, AT_SCENE] = now
    state.unit[unit, U_CALLS] += 1
    note(case, state, UNIT_REACHES_SCENE, call, unit, now - case.demand.call[call, ARRIVE])
    later(state, unit, now + case.demand.call[call, SCENE], UNIT_TO_HOSPITAL)


@inline_jit
def leave_scene(case: Case, state: State, unit: int) -> None:
    """Bring the patient to hospital, or end the call where none is needed or reached."""
    now = state.clock[NOW]
    call = state.unit[unit, U_CALL]
    asked = case.demand.call[call]
    node = asked[NODE]
    mode = case.settings.mode[state.clock[PERIOD], case.settings.upgrade.shape[0]]
    walk = walk_time(case.places, mode, asked[WALK])
    hospital = asked[HOSPITAL]
    if asked[TRANSPORT] and hospital < 0:
        hospital = case.places.hospital[mode, node]
    if not asked[TRANSPORT] or hospital < 0:
        set_leg(state.unit, unit, mode, (node, now + walk, node, now + walk, OFF_ROAD))
        free(case, state, unit)
        return
    place = case.settings.number[N_STATION] + hospital
    reached = now + walk + int(case.places.back[mode, node, place]) * TICK
    set_leg(state.unit, unit, mode, (node, now + walk, case.places.node[place], reached, OFF_ROAD))
    arrive = reached + walk_time(case.places, mode, case.places.walk[place])
    become(state, unit, TO_HOSPITAL)
    state.call[call, STATUS] = TRANSPORTED
    state.call[call, LEFT_SCENE] = now
    state.call[call, CHOSEN] = hospital
    note(case, state, UNIT_TO_HOSPITAL, call, unit, hospital)
    later(state, unit, arrive, UNIT_REACHES_HOSPITAL)


@inline_jit
def reach_hospital(case: Case, state: State, unit: int) -> None:
    """Arrive at the hospital and hand the patient over."""
    now = state.clock[NOW]
    call = state.unit[unit, U_CALL]
    become(state, unit, AT_DOOR)
    state.call[call, STATUS] = HANDED_OVER
    state.call[call, AT_HOSPITAL] = now
    note(case, state, UNIT_REACHES_HOSPITAL, call, unit, state.call[call, CHOSEN])
    later(state, unit, now + case.demand.call[call, HANDOVER], UNIT_FREE)


@inline_jit
def free_at_hospital(case: Case, state: State, unit: int) -> None:
    """End a call at the hospital; the unit's way begins at its door."""
    now = state.clock[NOW]
    mode = case.settings.mode[state.clock[PERIOD], case.settings.upgrade.shape[0] + 1]
    place = case.settings.number[N_STATION] + state.call[state.unit[unit, U_CALL], CHOSEN]
    node = case.places.node[place]
    walk = walk_time(case.places, mode, case.places.walk[place])
    set_leg(state.unit, unit, mode, (node, now + walk, node, now + walk, OFF_ROAD))
    free(case, state, unit)


@inline_jit
def free(case: Case, state: State, unit: int) -> None:
    """End a call: its unit looks for a waiting one, then for a station."""
    call = state.unit[unit, U_CALL]
    state.call[call, STATUS] = SERVED
    state.call[call, CLOSED] = state.clock[NOW]
    note(case, state, UNIT_FREE, call, unit, 0)
    become(state, unit, RETURNING)
    state.unit[unit, U_CALL] = -1
    state.unit[unit, U_STATION] = -1
    state.unit[unit, U_HANDLE] = -1
    state.clock[N_IDLE] += 1
    state.clock[FREED] = unit
    state.clock[TRY] = first_from(state, 0)
    if moves_all(case):
        state.clock[MOVES] = 1


@inline_jit
def happen(case: Case, state: State, kind: int, target: int) -> None:
    """Act on an event of the calendar; target is a unit, or a call that gives up."""
    if kind == UNIT_MOBILISED:
        mode = case.settings.mode[state.clock[PERIOD], case.demand.call[state.unit[target, U_CALL], PRIORITY]]
        station = state.unit[target, U_STATION]
        begun = state.clock[NOW] + walk_time(case.places, mode, case.places.walk[station])
        goal = case.demand.call[state.unit[target, U_CALL], NODE]
        reached = begun + int(case.places.out[mode, goal, station]) * TICK
        drive_to_scene(case, state, target, mode, (case.places.node[station], begun, reached, OFF_ROAD))
    elif kind == UNIT_REACHES_SCENE:
        reach_scene(case, state, target)
    elif kind == UNIT_TO_HOSPITAL:
        leave_scene(case, state, target)
    elif kind == UNIT_REACHES_HOSPITAL:
        reach_hospital(case, state, target)
    elif kind == UNIT_FREE:
        free_at_hospital(case, state, target)
    elif kind == UNIT_REACHES_STATION:
        become(state, target, AT_STATION)
        state.unit[target, U_HANDLE] = -1
        note(case, state, UNIT_REACHES_STATION, -1, target, state.unit[target, U_STATION])
    elif kind == CALL_ABANDONED:
        state.call[target, GIVE_UP] = -1
        dequeue(case, state, target)
        state.call[target, STATUS] = ABANDONED
        state.call[target, CLOSED] = state.clock[NOW]
        note(case, state, CALL_ABANDONED, target, -1, 0)
