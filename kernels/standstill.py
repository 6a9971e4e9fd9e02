"""Serve emergency calls on streets that nobody's orders change, by the rules of the twin's own model.

The same steps as the model `emergency` with its feed `avl`, a policy of dispatch and one of relocation,
event by event and to the microsecond, for the case that link times, power and telecom go their way
whatever units do: they stand still, or were witnessed beforehand and come as reels. Calls come in as
triaged: who answers them does not depend on units.

Everything at one instant is in the calendar's order: the service, then reports, then decisions, then
what follows from roads that opened or closed.
"""

from twin.kernels._jit import lean_jit
from twin.kernels.calendar import KIND, TARGET, VALUE, next_time, take
from twin.kernels.standstill_arrays import (
    ARRIVAL,
    C_STAGE,
    DECIDE,
    DECIDE_EVERY,
    DECISION,
    DISPATCHER_FREE,
    DONE,
    FAILED,
    IDLE,
    LOOK,
    MOVE,
    NEVER,
    NOW,
    ORDER,
    PLACE,
    PLACING,
    SAMPLE,
    TIMER,
    TRACK,
    TRIAGED,
    WAITING,
    WAITS,
    WAKE,
    Case,
    State,
)
from twin.kernels.standstill_dispatch import decide
from twin.kernels.standstill_moves import place_units
from twin.kernels.standstill_reports import deliver, look, sample, track
from twin.kernels.standstill_service import (
    carry_out,
    let_decide,
    move,
    plan,
    reroute,
    wake,
)


@lean_jit
def _serve_units(case: Case, state: State, kind: int, target: int, value: int) -> None:
    """Handle an event of the service or its reports."""
    if kind == WAKE:
        wake(case, state, target)
    elif kind == TRACK:
        track(case, state)
    elif kind == SAMPLE:
        sample(case, state)
    elif kind == ARRIVAL:
        deliver(state, value)
    elif kind == ORDER:
        carry_out(case, state, target, value)
    elif kind == MOVE:
        move(state, target, value)
    elif kind == LOOK:
        look(case, state)
    else:
        reroute(case, state, target)


@lean_jit
def _serve_desk(case: Case, state: State, kind: int, target: int) -> None:
    """Handle an event of the command centre."""
    if kind == DISPATCHER_FREE:
        state.clock[IDLE] += 1
        let_decide(state.calendar, state.clock)
    elif kind == TRIAGED:
        state.call[target, C_STAGE] = WAITING
        let_decide(state.calendar, state.clock)
    elif kind == PLACE:
        state.clock[PLACING] = 0
        place_units(case, state)
    elif kind == DECIDE:
        state.clock[WAITS] = 0
        decide(case, state)
    else:
        plan(state.calendar, state.clock, state.clock[NOW] + case.number[DECIDE_EVERY], DECISION, TIMER, 0, 0)
        decide(case, state)


@lean_jit
def serve(case: Case, state: State, until: int) -> int:
    """Handle all events strictly before an instant (us); return DONE, CALENDAR_FULL or TIED."""
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
        if kind in (DISPATCHER_FREE, TRIAGED, PLACE, DECIDE, TIMER):
            _serve_desk(case, state, kind, target)
        else:
            _serve_units(case, state, kind, target, value)
        if state.clock[FAILED]:
            return int(state.clock[FAILED])
