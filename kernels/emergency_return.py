"""Where units without a call go: the rules of return and move-up, and the way there."""

from twin.kernels._jit import inline_jit
from twin.kernels.calendar import cancel
from twin.kernels.emergency_arrays import (
    ANSWER,
    AT_STATION,
    BEST_COVERAGE,
    COMPLIANCE,
    MOVE_UP,
    NOW,
    OFF_ROAD,
    PERIOD,
    PRIORITY_LIST,
    PYTHON_RETURN,
    RETURNING,
    TICK,
    U_HANDLE,
    U_HOME,
    U_STATION,
    U_STATUS,
    UNIT_MOVES_UP,
    UNIT_REACHES_STATION,
    UNIT_RETURNS,
    Case,
    State,
)
from twin.kernels.emergency_choice import best_covering, comply, first_unfilled
from twin.kernels.emergency_status import become, count_station, later, note
from twin.kernels.emergency_travel import ahead, set_leg, walk_time


@inline_jit
def drive_to_station(case: Case, state: State, unit: int, station: int) -> None:
    """Send an idle unit to a station."""
    now = state.clock[NOW]
    mode = case.settings.mode[state.clock[PERIOD], case.settings.upgrade.shape[0] + 1]
    old = state.unit[unit, U_STATION]
    if state.unit[unit, U_STATUS] == AT_STATION:
        node = int(case.places.node[old])
        left = walk_time(case.places, mode, case.places.walk[old])
        head = OFF_ROAD
    else:
        node, left, head = ahead(case.roads, case.places, state.unit, unit, now, mode)
        cancel(state.calendar, state.unit[unit, U_HANDLE])
    count_station(case, state, old, -1)
    count_station(case, state, station, 1)
    state.unit[unit, U_STATION] = station
    become(state, unit, RETURNING)
    reached = now + left + int(case.places.back[mode, node, station]) * TICK
    set_leg(state.unit, unit, mode, (node, now + left, case.places.node[station], reached, head))
    arrive = reached + walk_time(case.places, mode, case.places.walk[station])
    note(case, state, UNIT_RETURNS if old < 0 else UNIT_MOVES_UP, -1, unit, station)
    later(state, unit, arrive, UNIT_REACHES_STATION)


@inline_jit
def station_of_freed(case: Case, state: State, unit: int) -> None:
    """Write into `State.goal` where a unit that has become free goes, and others that move with it."""
    rule = case.settings.number[MOVE_UP]
    if rule == COMPLIANCE:
        comply(case, state)
        if state.goal[unit] < 0:
            state.goal[unit] = state.unit[unit, U_HOME]
        return
    station = state.unit[unit, U_HOME]
    if rule == BEST_COVERAGE:
        station = best_covering(case, state)
    elif rule == PRIORITY_LIST:
        station = first_unfilled(case, state, station)
    elif rule == PYTHON_RETURN:
        station = state.clock[ANSWER]
    for other in range(state.goal.shape[0]):
        state.goal[other] = -1
    state.goal[unit] = station
