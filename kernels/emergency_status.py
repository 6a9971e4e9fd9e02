"""What is written down of units and stations: the log, time by status, the one event a unit waits for."""

from twin.kernels._jit import inline_jit
from twin.kernels.calendar import schedule
from twin.kernels.emergency_arrays import LOG_ROWS, LOGGING, NOW, U_HANDLE, U_SINCE, U_STATUS, Case, State


@inline_jit
def note(case: Case, state: State, kind: int, call: int, unit: int, value: int) -> None:
    """Write a row of the log."""
    if case.settings.number[LOGGING]:
        row = state.clock[LOG_ROWS]
        state.log[row, 0] = state.clock[NOW]
        state.log[row, 1] = kind
        state.log[row, 2] = call
        state.log[row, 3] = unit
        state.log[row, 4] = value
        state.clock[LOG_ROWS] = row + 1


@inline_jit
def become(state: State, unit: int, status: int) -> None:
    """Change the status of a unit and count the time spent in the last."""
    now = state.clock[NOW]
    old = state.unit[unit, U_STATUS]
    state.spent[unit, old] += now - state.unit[unit, U_SINCE]
    state.unit[unit, U_SINCE] = now
    state.unit[unit, U_STATUS] = status


@inline_jit
def later(state: State, unit: int, instant: int, kind: int) -> None:
    """Schedule the one event a unit waits for."""
    state.unit[unit, U_HANDLE] = schedule(state.calendar, instant, 0, kind, unit, 0)


@inline_jit
def count_station(case: Case, state: State, station: int, change: int) -> None:
    """Count an idle unit in or out at a station and the places it covers."""
    if station < 0:
        return
    state.idle[station] += change
    for pattern in range(case.settings.weight.shape[0]):
        if case.settings.covered[station, pattern]:
            state.reach[pattern] += change
