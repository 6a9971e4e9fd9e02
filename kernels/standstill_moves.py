"""Place idle ambulances by the rules of relocation, on what the command centre knows."""

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import inline_jit, lean_jit
from twin.kernels.assignment import COLUMN_OF, ROW_OF, assign
from twin.kernels.calendar import Calendar, schedule
from twin.kernels.standstill_arrays import (
    C_CLOSED,
    C_STAGE,
    C_UNIT,
    CALENDAR_FULL,
    COMPLY,
    FAILED,
    FILL_LIST,
    MOST_GAIN,
    MOVE,
    NOW,
    ORDER_DELAY,
    SERVED,
    SERVICE,
    U_CALL,
    U_SEEN_NODE,
    U_STATION,
    Case,
    Float,
    Int,
    State,
)

_THIS_SECOND = 1_000_000
_FAR = 1e9
"""s, cost of a station no way leads to."""


@lean_jit
def coverage_gains(covered: NDArray[np.bool_], demand: Float, held: Int, busy: float, gain: Float) -> None:
    """Compute the expected coverage that one more idle unit at each station adds.

    covered  (n_zone, n_station)  a unit there reaches the zone in time
    demand   (n_zone,)
    held     (n_station,)  units at each or bound for it
    busy     share of time a unit is busy
    gain     (n_station,)  written; unit of demand

    Source: Jagtenberg, Bhulai, van der Mei, Operations Research for Health Care 4 (2015), algorithm 1.
    """
    gain[:] = 0.0
    for zone in range(covered.shape[0]):
        reach = 0
        for station in range(held.shape[0]):
            if covered[zone, station]:
                reach += held[station]
        added = demand[zone] * (1.0 - busy) * busy**reach
        for station in range(held.shape[0]):
            if covered[zone, station]:
                gain[station] += added


@lean_jit
def most_gain(gain: Float, own: int) -> int:
    """Return the first station of greatest gain, its own when none gains more."""
    best = 0
    for station in range(gain.shape[0]):
        if gain[station] > gain[best]:
            best = station
    return own if gain[own] >= gain[best] else best


@inline_jit
def _first_unfilled(listed: Int, held: Int, own: int) -> int:
    """Return the first station of a list with fewer units than places so far."""
    for slot in range(listed.shape[0]):
        places = 0
        for before in range(slot + 1):
            places += listed[before] == listed[slot]
        if held[listed[slot]] < places:
            return int(listed[slot])
    return own


@inline_jit
def _order(calendar: Calendar, clock: Int, delay: int, unit: int, station: int) -> None:
    if schedule(calendar, clock[NOW] + delay, SERVICE, MOVE, unit, station) < 0:
        clock[FAILED] = CALENDAR_FULL


@inline_jit
def _is_freed(calls: Int, unit: int, now: int) -> bool:
    """Tell whether a call of a unit was closed this second."""
    for call in range(calls.shape[0]):
        served = calls[call, C_UNIT] == unit and calls[call, C_STAGE] == SERVED
        if served and calls[call, C_CLOSED] >= now - _THIS_SECOND:
            return True
    return False


@inline_jit
def _place_freed(case: Case, state: State) -> None:
    """Give each freed unit its station; those placed before it count where they are bound for."""
    held = state.work.held
    held[:] = 0
    for unit in range(state.unit.shape[0]):
        if case.moves.carries[unit] and state.unit[unit, U_CALL] < 0:
            held[state.unit[unit, U_STATION]] += 1
    for unit in range(state.unit.shape[0]):
        if (
            not case.moves.carries[unit]
            or state.unit[unit, U_CALL] >= 0
            or not _is_freed(state.call, unit, state.clock[NOW])
        ):
            continue
        own = int(state.unit[unit, U_STATION])
        held[own] -= 1
        if case.moves.number == MOST_GAIN:
            coverage_gains(case.moves.covered, case.moves.demand, held, case.moves.busy, state.work.gain)
            station = most_gain(state.work.gain, own)
        else:
            station = _first_unfilled(case.moves.listed, held, own)
        held[station] += 1
        if station != own:
            _order(state.calendar, state.clock, case.number[ORDER_DELAY], unit, station)


@lean_jit
def assign_places(cost: Float, n_unit: int, n_place: int, price: Float, match: Int) -> None:
    """Give units places so that the ways are shortest in sum; all places, or all units, are used.

    cost   (>= n, >= n)  s, n the larger number; row per place where those are fewer, else per unit
    match  (5, >= n)  written: row `COLUMN_OF` holds the place of each unit, -1 for none
    """
    assign(cost, min(n_unit, n_place), max(n_unit, n_place), price, match)
    if n_place < n_unit:
        for unit in range(n_unit):
            match[COLUMN_OF, unit] = match[ROW_OF, unit]


@inline_jit
def _comply(case: Case, state: State) -> None:
    """Move idle units to the stations of the table's row."""
    count = 0
    for unit in range(state.unit.shape[0]):
        if case.moves.carries[unit] and state.unit[unit, U_CALL] < 0:
            state.idle_unit[count] = unit
            count += 1
    if count == 0:
        return
    places = min(count, case.moves.table.shape[0])
    cost = state.work.cost
    for slot in range(places):
        station = case.moves.table[places - 1, slot]
        for other in range(count):
            reach = case.moves.drive[station, state.unit[state.idle_unit[other], U_SEEN_NODE]]
            reach = reach if reach < np.inf else _FAR
            if places < count:
                cost[slot, other] = reach
            else:
                cost[other, slot] = reach
    assign_places(cost, count, places, state.work.price, state.work.match)
    for other in range(count):
        slot = state.work.match[COLUMN_OF, other]
        unit = state.idle_unit[other]
        if slot >= 0 and state.unit[unit, U_STATION] != case.moves.table[places - 1, slot]:
            _order(
                state.calendar,
                state.clock,
                case.number[ORDER_DELAY],
                int(unit),
                int(case.moves.table[places - 1, slot]),
            )


@inline_jit
def place_units(case: Case, state: State) -> None:
    """Order idle units to other stations, by the rule."""
    if case.moves.number == COMPLY:
        _comply(case, state)
    elif case.moves.number in (MOST_GAIN, FILL_LIST):
        _place_freed(case, state)
