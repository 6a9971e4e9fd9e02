"""Rules of dispatch and move-up, compiled.

nearest          the unit soonest on scene
preference       the first free unit of the zone's list (districts, hypercube)
coverage         DMEXCLP: of the idle units there in time, the one whose absence costs
                 least expected coverage, the nearest when none is in time
best coverage    DMEXCLP: a free unit goes where it adds most expected coverage
priority list    a free unit goes to the first station of a list that is not filled
compliance       a table says which stations to hold with k idle units; units that are
                 in place stay, the nearest of the others fill the gaps in table order

Sources: Jagtenberg, Bhulai, van der Mei, An efficient heuristic for real-time ambulance
redeployment, Oper. Res. Health Care 4 (2015) (move-up); the same, Dynamic ambulance
dispatching, Health Care Manag. Sci. 20 (2017) (dispatch); Gendreau, Laporte, Semet,
The maximal expected coverage relocation problem, J. Oper. Res. Soc. 57 (2006) (compliance).
"""

from twin.kernels._jit import inline_jit
from twin.kernels.calendar import NEVER
from twin.kernels.emergency_arrays import (
    AT_STATION,
    COVERAGE,
    DISPATCH,
    FAR,
    MOBILISE,
    MOBILISING,
    N_STATION,
    NEAREST,
    NODE,
    NOW,
    PERIOD,
    PREFERENCE,
    PRIORITY,
    REDISPATCH,
    RETURNING,
    TICK,
    TO_SCENE,
    U_CALL,
    U_READY,
    U_STATION,
    U_STATUS,
    WALK,
    ZONE,
    Case,
    State,
)
from twin.kernels.emergency_travel import ahead, travel, walk_time

OUTSIDE = -2
"""Answer of `choose_unit` where the rule is not compiled."""


@inline_jit
def may_go(case: Case, state: State, unit: int, call: int) -> bool:
    """Tell whether a unit may be sent to a call: it is idle, or the call outranks its own."""
    status = state.unit[unit, U_STATUS]
    if status in (AT_STATION, RETURNING):
        return True
    if case.settings.number[REDISPATCH] == 0 or (status not in (MOBILISING, TO_SCENE)):
        return False
    own = case.demand.call[state.unit[unit, U_CALL], PRIORITY]
    return bool(case.settings.upgrade[own, case.demand.call[call, PRIORITY]])


@inline_jit
def time_to_call(case: Case, state: State, unit: int, asked: tuple[int, int, int, int]) -> int:
    """Return the us until a unit would be on the scene of a call, NEVER where no way leads.

    asked  mode, node of the call, us off the road there, us to mobilise
    """
    mode, node, walk, mobilise = asked
    status = state.unit[unit, U_STATUS]
    if status in (AT_STATION, MOBILISING):
        station = state.unit[unit, U_STATION]
        ticks = case.places.out[mode, node, station]
        left = mobilise
        if status == MOBILISING:
            left = max(0, state.unit[unit, U_READY] - state.clock[NOW])
        left += walk_time(case.places, mode, case.places.walk[station])
    else:
        at, left, _ = ahead(case.roads, case.places, state.unit, unit, state.clock[NOW], mode)
        ticks = travel(case.roads, mode, at, node)[0]
    if ticks >= FAR:
        return NEVER
    return int(ticks * TICK + walk + left)


@inline_jit
def fill_eta(case: Case, state: State, call: int, rule: int) -> int:
    """Write `State.eta` for a call; return the first unit of the zone's list by the rule of preference, else -1.

    By that rule the units that come after the first in the list are not looked at.
    """
    row = case.demand.call[call]
    mode = case.settings.mode[state.clock[PERIOD], row[PRIORITY]]
    asked = (mode, row[NODE], walk_time(case.places, mode, row[WALK]), row[MOBILISE])
    zone = row[ZONE]
    for place in range(state.unit.shape[0]):
        unit = place
        if rule == PREFERENCE:
            unit = case.settings.preference[zone, place]
            if unit < 0:
                break
        state.eta[unit] = NEVER
        if may_go(case, state, unit, call):
            state.eta[unit] = time_to_call(case, state, unit, asked)
            if rule == PREFERENCE and state.eta[unit] < NEVER:
                return int(unit)
    return -1


@inline_jit
def _nearest(state: State) -> int:
    """Return the unit of least eta, the lowest of several; -1 without one."""
    best = -1
    least = NEVER
    for unit in range(state.eta.shape[0]):
        if state.eta[unit] < least:
            best = unit
            least = state.eta[unit]
    return best


@inline_jit
def _least_missed(case: Case, state: State, call: int, nearest: int) -> int:
    """Return the idle unit in time whose station loses least coverage, else the nearest."""
    asked = case.demand.call[call]
    left = case.settings.target[asked[PRIORITY]] - (state.clock[NOW] - asked[0])
    best = -1
    least = 0.0
    for unit in range(state.unit.shape[0]):
        status = state.unit[unit, U_STATUS]
        station = state.unit[unit, U_STATION]
        if state.eta[unit] > left or station < 0 or status not in (AT_STATION, RETURNING):
            continue
        loss = 0.0
        for pattern in range(case.settings.weight.shape[0]):
            if case.settings.covered[station, pattern]:
                loss += case.settings.weight[pattern] * case.settings.gain[state.reach[pattern] - 1]
        if best < 0 or loss < least or (loss == least and state.eta[unit] < state.eta[best]):
            best = unit
            least = loss
    return best if best >= 0 else nearest


@inline_jit
def choose_unit(case: Case, state: State, call: int) -> int:
    """Return the unit a compiled rule sends to a call, -1 for none, OUTSIDE to ask for one."""
    rule = case.settings.number[DISPATCH]
    preferred = fill_eta(case, state, call, rule)
    if rule == PREFERENCE:
        return preferred
    nearest = _nearest(state)
    if nearest < 0 or rule == NEAREST:
        return nearest
    if rule == COVERAGE:
        return _least_missed(case, state, call, nearest)
    return OUTSIDE


@inline_jit
def best_covering(case: Case, state: State) -> int:
    """Return the station at which one more idle unit adds most coverage, the lowest of several."""
    best = 0
    most = -1.0
    for station in range(case.settings.covered.shape[0]):
        added = 0.0
        for pattern in range(case.settings.weight.shape[0]):
            if case.settings.covered[station, pattern]:
                added += case.settings.weight[pattern] * case.settings.gain[state.reach[pattern]]
        if added > most:
            best = station
            most = added
    return best


@inline_jit
def first_unfilled(case: Case, state: State, home: int) -> int:
    """Return the first station of the list that has fewer idle units than places in the list so far."""
    listed = case.settings.station_list
    for slot in range(listed.shape[0]):
        places = 0
        for earlier in range(slot + 1):
            if listed[earlier] == listed[slot]:
                places += 1
        if state.idle[listed[slot]] < places:
            return int(listed[slot])
    return home


@inline_jit
def _time_to_station(case: Case, state: State, unit: int, station: int) -> int:
    """Return the us an idle unit needs to a station."""
    now = state.clock[NOW]
    mode = case.settings.mode[state.clock[PERIOD], case.settings.upgrade.shape[0] + 1]
    if state.unit[unit, U_STATUS] == AT_STATION:
        own = state.unit[unit, U_STATION]
        return int(
            case.places.out[mode, case.places.node[station], own] * TICK
            + walk_time(case.places, mode, case.places.walk[own])
        )
    at, left, _ = ahead(case.roads, case.places, state.unit, unit, now, mode)
    return int(case.places.back[mode, at, station] * TICK + left)


@inline_jit
def comply(case: Case, state: State) -> None:
    """Write `State.goal`, where the table wants each idle unit: -1 to stay."""
    count = 0
    for unit in range(state.unit.shape[0]):
        state.goal[unit] = -1
        status = state.unit[unit, U_STATUS]
        if status in (AT_STATION, RETURNING):
            count += 1
            state.goal[unit] = -2
    for station in range(case.settings.number[N_STATION]):
        wanted = 0
        for slot in range(count):
            if case.settings.compliance[count, slot] == station:
                wanted += 1
        for status in (AT_STATION, RETURNING):
            for unit in range(state.unit.shape[0]):
                here = state.unit[unit, U_STATION] == station and state.unit[unit, U_STATUS] == status
                if wanted > 0 and here and state.goal[unit] == -2:
                    state.goal[unit] = -1
                    wanted -= 1
    for slot in range(count):
        station = case.settings.compliance[count, slot]
        if _held(case, state, count, slot):
            continue
        best = -1
        least = NEVER
        for unit in range(state.unit.shape[0]):
            if state.goal[unit] == -2:
                time = _time_to_station(case, state, unit, station)
                if time < least:
                    best = unit
                    least = time
        if best >= 0:
            state.goal[best] = station


@inline_jit
def _held(case: Case, state: State, count: int, slot: int) -> bool:
    """Tell whether a slot of the table is one that a unit in place or chosen before fills."""
    station = case.settings.compliance[count, slot]
    earlier = 0
    for other in range(slot):
        if case.settings.compliance[count, other] == station:
            earlier += 1
    here = 0
    for unit in range(state.unit.shape[0]):
        status = state.unit[unit, U_STATUS]
        if status not in (AT_STATION, RETURNING):
            continue
        if state.goal[unit] == station or (state.goal[unit] == -1 and state.unit[unit, U_STATION] == station):
            here += 1
    return here > earlier
