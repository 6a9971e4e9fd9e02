"""Simulate calls and units: every event of an emergency service, exactly.

Arrivals and calls that become known are read off two sorted lists, all else is in
the calendar. At one instant events of the calendar go first, then arrivals, then
calls that become known. `advance` handles events strictly before an instant, so any
chunking gives the same bytes. Decisions of the rules of `emergency_choice` are
taken here; for others `advance` stops, tells what it asks (`State.clock[QUESTION]`)
and goes on from there when it is called again with an answer.

A waiting call is served by priority, then by age. A call that loses its unit to a
more urgent one is decided anew at once and keeps its age.
"""

from twin.kernels._jit import inline_jit, lean_jit
from twin.kernels.calendar import KIND, NEVER, TARGET, next_time, take
from twin.kernels.emergency_arrays import (
    ANSWER,
    ARRIVE,
    ARRIVED,
    ASK,
    ASK_DISPATCH,
    ASK_MOVES,
    ASK_RETURN,
    AT_STATION,
    BAD_ANSWER,
    CALL_ARRIVES,
    DONE,
    FOLLOWING,
    FREED,
    KNOWN,
    LOG_FULL,
    LOG_ROWS,
    LOGGING,
    MARGIN,
    MOVE_UP,
    MOVES,
    N_EVENT,
    N_IDLE,
    N_STACK,
    N_STATION,
    NEXT_ARRIVAL,
    NEXT_KNOWN,
    NO_QUESTION,
    NOW,
    PERIOD,
    PRIORITY,
    PYTHON_MOVES,
    PYTHON_RETURN,
    Q_CALL,
    Q_UNIT,
    QUESTION,
    REDISPATCH,
    RETURNING,
    STATUS,
    TRY,
    U_HOME,
    U_STATION,
    U_STATUS,
    Case,
    State,
)
from twin.kernels.emergency_choice import OUTSIDE, choose_unit, comply
from twin.kernels.emergency_dispatch import conclude
from twin.kernels.emergency_mission import happen
from twin.kernels.emergency_queue import first_from
from twin.kernels.emergency_return import drive_to_station, station_of_freed
from twin.kernels.emergency_status import note


@inline_jit
def _work_left(case: Case, state: State) -> bool:
    """Do what an event has left to decide; True if somebody has to be asked first.

    Each step is called from one place only, which halves the time to compile. The branches stay
    here: as functions of their own they take a quarter longer to compile.
    """
    clock = state.clock
    while True:
        answered = clock[QUESTION]
        clock[QUESTION] = NO_QUESTION
        call = -1
        unit = -1
        moving = False
        if answered == ASK_DISPATCH:
            call = clock[Q_CALL]
            unit = clock[ANSWER]
        elif answered == ASK_MOVES:
            moving = True
        elif answered == NO_QUESTION and clock[N_STACK] > 0:
            clock[N_STACK] -= 1
            call = state.stack[clock[N_STACK]]
            if clock[N_IDLE] > 0 or case.settings.number[REDISPATCH]:
                unit = choose_unit(case, state, call)
                if unit == OUTSIDE:
                    clock[QUESTION] = ASK_DISPATCH
                    clock[Q_CALL] = call
                    clock[ANSWER] = -1
                    return True
        elif answered == NO_QUESTION and clock[TRY] >= 0:
            tried = clock[TRY]
            clock[TRY] = -1
            if clock[N_IDLE] > 0:
                following = state.call[tried, FOLLOWING]
                if following < 0:
                    following = first_from(state, case.demand.call[tried, PRIORITY] + 1)
                clock[TRY] = following
                state.stack[clock[N_STACK]] = tried
                clock[N_STACK] += 1
        elif clock[FREED] >= 0:
            if case.settings.number[MOVE_UP] == PYTHON_RETURN and answered != ASK_RETURN:
                clock[QUESTION] = ASK_RETURN
                clock[Q_UNIT] = clock[FREED]
                clock[ANSWER] = state.unit[clock[FREED], U_HOME]
                return True
            station_of_freed(case, state, clock[FREED])
            clock[FREED] = -1
            moving = True
        elif clock[MOVES]:
            clock[MOVES] = 0
            if case.settings.number[MOVE_UP] == PYTHON_MOVES:
                for other in range(state.goal.shape[0]):
                    state.goal[other] = -1
                clock[QUESTION] = ASK_MOVES
                return True
            comply(case, state)
            moving = True
        else:
            return False
        if call >= 0:
            conclude(case, state, call, unit)
        if moving:
            for mover in range(state.unit.shape[0]):
                if state.goal[mover] >= 0 and state.goal[mover] != state.unit[mover, U_STATION]:
                    drive_to_station(case, state, mover, state.goal[mover])


@inline_jit
def _acceptable(case: Case, state: State) -> bool:
    """Tell whether the answer to a question can be carried out."""
    question = state.clock[QUESTION]
    answer = state.clock[ANSWER]
    if question == ASK_DISPATCH:
        return bool(answer < state.unit.shape[0] and (answer < 0 or state.eta[answer] < NEVER))
    if question == ASK_RETURN:
        return bool(0 <= answer < case.settings.number[N_STATION])
    if question == ASK_MOVES:
        for unit in range(state.unit.shape[0]):
            idle = state.unit[unit, U_STATUS] in (AT_STATION, RETURNING)
            if state.goal[unit] >= 0 and (state.goal[unit] >= case.settings.number[N_STATION] or not idle):
                return False
    return True


@lean_jit
def advance(case: Case, state: State, until: int) -> int:
    """Handle all events strictly before an instant (us); return a status.

    DONE, or a reason to stop before: LOG_FULL (take the rows of the log, set LOG_ROWS
    to 0), ASK (write ANSWER or `State.goal`), BAD_ANSWER (nothing was changed).
    """
    clock = state.clock
    calls = case.demand.call
    n_call = calls.shape[0]
    if not _acceptable(case, state):
        return BAD_ANSWER
    while True:
        if _work_left(case, state):
            return ASK
        due = next_time(state.calendar)
        arrival = calls[clock[NEXT_ARRIVAL], ARRIVE] if clock[NEXT_ARRIVAL] < n_call else NEVER
        known = calls[case.demand.order[clock[NEXT_KNOWN]], KNOWN] if clock[NEXT_KNOWN] < n_call else NEVER
        instant = min(due, arrival, known)
        if instant >= until or instant >= NEVER:
            return DONE
        if case.settings.number[LOGGING] and state.log.shape[0] - clock[LOG_ROWS] < case.settings.number[MARGIN]:
            return LOG_FULL
        clock[NOW] = instant
        clock[N_EVENT] += 1
        while clock[PERIOD] + 1 < case.settings.switch.shape[0] and (
            case.settings.switch[clock[PERIOD] + 1] <= instant
        ):
            clock[PERIOD] += 1
        if due == instant:
            row = take(state.calendar)
            happen(case, state, state.calendar.entry[row, KIND], state.calendar.entry[row, TARGET])
        elif arrival == instant:
            call = clock[NEXT_ARRIVAL]
            clock[NEXT_ARRIVAL] += 1
            state.call[call, STATUS] = ARRIVED
            note(case, state, CALL_ARRIVES, call, -1, calls[call, PRIORITY])
        else:
            call = case.demand.order[clock[NEXT_KNOWN]]
            clock[NEXT_KNOWN] += 1
            state.stack[clock[N_STACK]] = call
            clock[N_STACK] += 1
