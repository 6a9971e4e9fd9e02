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
from twin.kernels.calendar import KIND, NEVER, TARGET, cancel, next_time, schedule, take
from twin.kernels.emergency_arrays import (
    ABANDONED,
    ANSWER,
    ARRIVE,
    ARRIVED,
    ASK,
    ASK_DISPATCH,
    ASK_MOVES,
    ASK_RETURN,
    AT_DOOR,
    AT_HOSPITAL,
    AT_SCENE,
    AT_STATION,
    BAD_ANSWER,
    BEST_COVERAGE,
    CALL_ABANDONED,
    CALL_ARRIVES,
    CALL_PREEMPTED,
    CALL_TRANSFERRED,
    CALL_WAITS,
    CHOSEN,
    CLOSED,
    COMPLIANCE,
    DISPATCHED,
    DONE,
    FOLLOWING,
    FREED,
    GIVE_UP,
    HANDED_OVER,
    HANDOVER,
    HOSPITAL,
    KNOWN,
    LEFT,
    LEFT_SCENE,
    LOG_FULL,
    LOG_ROWS,
    LOGGING,
    MARGIN,
    MOBILISE,
    MOBILISING,
    MOST_WAITING,
    MOVE_UP,
    MOVES,
    N_EVENT,
    N_IDLE,
    N_STACK,
    N_STATION,
    N_WAITING,
    NEXT_ARRIVAL,
    NEXT_KNOWN,
    NO_QUESTION,
    NODE,
    NOW,
    OFF_ROAD,
    ON_SCENE,
    PATIENCE,
    PERIOD,
    PREEMPTED,
    PREVIOUS,
    PRIORITY,
    PRIORITY_LIST,
    PYTHON_MOVES,
    PYTHON_RETURN,
    Q_CALL,
    Q_UNIT,
    QUESTION,
    QUEUE_LIMIT,
    REDISPATCH,
    RETURNING,
    SCENE,
    SENT,
    SERVED,
    STATUS,
    TO_HOSPITAL,
    TO_SCENE,
    TRANSFERRED,
    TRANSPORT,
    TRANSPORTED,
    TREATING,
    TRY,
    U_CALL,
    U_CALLS,
    U_END,
    U_HANDLE,
    U_HOME,
    U_READY,
    U_SINCE,
    U_STATION,
    U_STATUS,
    UNDER_WAY,
    UNIT,
    UNIT_DISPATCHED,
    UNIT_FREE,
    UNIT_MOBILISED,
    UNIT_MOVES_UP,
    UNIT_REACHES_HOSPITAL,
    UNIT_REACHES_SCENE,
    UNIT_REACHES_STATION,
    UNIT_RETURNS,
    UNIT_TO_HOSPITAL,
    WAIT_SINCE,
    WAITED,
    WAITING,
    WALK,
    Case,
    State,
)
from twin.kernels.emergency_choice import OUTSIDE, best_covering, choose_unit, comply, first_unfilled
from twin.kernels.emergency_travel import ahead, set_leg, walk_time

_LEAVES_SCENE = UNIT_TO_HOSPITAL


@inline_jit
def _note(case: Case, state: State, kind: int, call: int, unit: int, value: int) -> None:
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
def _become(state: State, unit: int, status: int) -> None:
    """Change the status of a unit and count the time spent in the last."""
    now = state.clock[NOW]
    old = state.unit[unit, U_STATUS]
    state.spent[unit, old] += now - state.unit[unit, U_SINCE]
    state.unit[unit, U_SINCE] = now
    state.unit[unit, U_STATUS] = status


@inline_jit
def _later(state: State, unit: int, instant: int, kind: int) -> None:
    """Schedule the one event a unit waits for."""
    state.unit[unit, U_HANDLE] = schedule(state.calendar, instant, 0, kind, unit, 0)


@inline_jit
def _count_station(case: Case, state: State, station: int, change: int) -> None:
    """Count an idle unit in or out at a station and the places it covers."""
    if station < 0:
        return
    state.idle[station] += change
    for pattern in range(case.settings.weight.shape[0]):
        if case.settings.covered[station, pattern]:
            state.reach[pattern] += change


@inline_jit
def _count_waiting(state: State, change: int) -> None:
    """Count a call into or out of the queue."""
    now = state.clock[NOW]
    waiting = state.clock[N_WAITING]
    state.clock[WAITED] += waiting * (now - state.clock[WAIT_SINCE])
    state.clock[WAIT_SINCE] = now
    state.clock[N_WAITING] = waiting + change
    state.clock[MOST_WAITING] = max(state.clock[MOST_WAITING], waiting + change)


@inline_jit
def _enqueue(case: Case, state: State, call: int) -> None:
    """Put a call into the queue of its priority, by age."""
    priority = case.demand.call[call, PRIORITY]
    before = state.queue[priority, 1]
    after = -1
    while before > call:
        after = before
        before = state.call[before, PREVIOUS]
    state.call[call, PREVIOUS] = before
    state.call[call, FOLLOWING] = after
    if before >= 0:
        state.call[before, FOLLOWING] = call
    else:
        state.queue[priority, 0] = call
    if after >= 0:
        state.call[after, PREVIOUS] = call
    else:
        state.queue[priority, 1] = call
    state.call[call, STATUS] = WAITING
    _count_waiting(state, 1)


@inline_jit
def _dequeue(case: Case, state: State, call: int) -> None:
    """Take a call out of the queue."""
    priority = case.demand.call[call, PRIORITY]
    before = state.call[call, PREVIOUS]
    after = state.call[call, FOLLOWING]
    if before >= 0:
        state.call[before, FOLLOWING] = after
    else:
        state.queue[priority, 0] = after
    if after >= 0:
        state.call[after, PREVIOUS] = before
    else:
        state.queue[priority, 1] = before
    if state.call[call, GIVE_UP] >= 0:
        cancel(state.calendar, state.call[call, GIVE_UP])
        state.call[call, GIVE_UP] = -1
    _count_waiting(state, -1)


@inline_jit
def _first_from(state: State, priority: int) -> int:
    """Return the oldest waiting call of a priority or the next less urgent; -1 without one."""
    for level in range(priority, state.queue.shape[0]):
        if state.queue[level, 0] >= 0:
            return int(state.queue[level, 0])
    return -1


@inline_jit
def _drive_to_scene(case: Case, state: State, unit: int, start: tuple[int, int, int]) -> None:
    """Set off for the call from a node, us from now, after an arc."""
    now = state.clock[NOW]
    call = state.unit[unit, U_CALL]
    asked = case.demand.call[call]
    mode = case.settings.mode[state.clock[PERIOD], asked[PRIORITY]]
    set_leg(case.roads, state.unit, unit, mode, (start[0], now + start[1], asked[NODE], start[2]))
    arrive = state.unit[unit, U_END] + walk_time(case.places, mode, asked[WALK])
    _become(state, unit, TO_SCENE)
    state.call[call, STATUS] = UNDER_WAY
    state.call[call, LEFT] = now
    _note(case, state, UNIT_MOBILISED, call, unit, arrive)
    _later(state, unit, arrive, UNIT_REACHES_SCENE)


@inline_jit
def _take_from(case: Case, state: State, unit: int) -> None:
    """Take a unit's call away; the call waits and is decided at once."""
    call = state.unit[unit, U_CALL]
    state.call[call, UNIT] = -1
    state.call[call, SENT] = -1
    state.call[call, LEFT] = -1
    state.call[call, PREEMPTED] += 1
    _note(case, state, CALL_PREEMPTED, call, unit, state.call[call, PREEMPTED])
    _enqueue(case, state, call)
    state.stack[state.clock[N_STACK]] = call
    state.clock[N_STACK] += 1


@inline_jit
def _moves_all(case: Case) -> bool:
    """Tell whether the rule moves idle units when one is sent or becomes free."""
    rule = case.settings.number[MOVE_UP]
    return bool(rule in (COMPLIANCE, PYTHON_MOVES))


@inline_jit
def _send(case: Case, state: State, call: int, unit: int) -> None:
    """Send a unit to a call."""
    now = state.clock[NOW]
    status = state.unit[unit, U_STATUS]
    if state.call[call, STATUS] == WAITING:
        _dequeue(case, state, call)
    if status in (MOBILISING, TO_SCENE):
        _take_from(case, state, unit)
    else:
        state.clock[N_IDLE] -= 1
        _count_station(case, state, state.unit[unit, U_STATION], -1)
    state.unit[unit, U_CALL] = call
    if state.clock[FREED] == unit:
        state.clock[FREED] = -1
    state.call[call, STATUS] = DISPATCHED
    state.call[call, UNIT] = unit
    state.call[call, SENT] = now
    _note(case, state, UNIT_DISPATCHED, call, unit, status)
    if _moves_all(case):
        state.clock[MOVES] = 1
    if status == AT_STATION:
        state.unit[unit, U_READY] = now + case.demand.call[call, MOBILISE]
        _become(state, unit, MOBILISING)
        _later(state, unit, state.unit[unit, U_READY], UNIT_MOBILISED)
    elif status != MOBILISING:
        cancel(state.calendar, state.unit[unit, U_HANDLE])
        mode = case.settings.mode[state.clock[PERIOD], case.demand.call[call, PRIORITY]]
        _drive_to_scene(case, state, unit, ahead(case.roads, case.places, state.unit, unit, now, mode))


@inline_jit
def _conclude(case: Case, state: State, call: int, unit: int) -> None:
    """Send a unit to a call, or let it wait (or go elsewhere) when there is none."""
    if unit >= 0:
        _send(case, state, call, unit)
    elif state.call[call, STATUS] != WAITING:
        limit = case.settings.number[QUEUE_LIMIT]
        if 0 <= limit <= state.clock[N_WAITING]:
            state.call[call, STATUS] = TRANSFERRED
            state.call[call, CLOSED] = state.clock[NOW]
            _note(case, state, CALL_TRANSFERRED, call, -1, 0)
            return
        _enqueue(case, state, call)
        _note(case, state, CALL_WAITS, call, -1, state.clock[N_WAITING])
        patience = case.demand.call[call, PATIENCE]
        if patience >= 0:
            instant = state.clock[NOW] + patience
            state.call[call, GIVE_UP] = schedule(state.calendar, instant, 0, CALL_ABANDONED, call, 0)


@inline_jit
def _drive_to_station(case: Case, state: State, unit: int, station: int) -> None:
    """Send an idle unit to a station."""
    now = state.clock[NOW]
    mode = case.settings.mode[state.clock[PERIOD], case.settings.upgrade.shape[0] + 1]
    old = state.unit[unit, U_STATION]
    if state.unit[unit, U_STATUS] == AT_STATION:
        node = case.places.node[old]
        left = walk_time(case.places, mode, case.places.walk[old])
        head = OFF_ROAD
    else:
        node, left, head = ahead(case.roads, case.places, state.unit, unit, now, mode)
        cancel(state.calendar, state.unit[unit, U_HANDLE])
    _count_station(case, state, old, -1)
    _count_station(case, state, station, 1)
    state.unit[unit, U_STATION] = station
    _become(state, unit, RETURNING)
    set_leg(case.roads, state.unit, unit, mode, (node, now + left, case.places.node[station], head))
    arrive = state.unit[unit, U_END] + walk_time(case.places, mode, case.places.walk[station])
    _note(case, state, UNIT_RETURNS if old < 0 else UNIT_MOVES_UP, -1, unit, station)
    _later(state, unit, arrive, UNIT_REACHES_STATION)


@inline_jit
def _station_of_freed(case: Case, state: State, unit: int) -> None:
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


@inline_jit
def _work_left(case: Case, state: State) -> bool:
    """Do what an event has left to decide; True if somebody has to be asked first.

    Each step is called from one place only, which halves the time to compile.
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
                    following = _first_from(state, case.demand.call[tried, PRIORITY] + 1)
                clock[TRY] = following
                state.stack[clock[N_STACK]] = tried
                clock[N_STACK] += 1
        elif clock[FREED] >= 0:
            if case.settings.number[MOVE_UP] == PYTHON_RETURN and answered != ASK_RETURN:
                clock[QUESTION] = ASK_RETURN
                clock[Q_UNIT] = clock[FREED]
                clock[ANSWER] = state.unit[clock[FREED], U_HOME]
                return True
            _station_of_freed(case, state, clock[FREED])
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
            _conclude(case, state, call, unit)
        if moving:
            for mover in range(state.unit.shape[0]):
                if state.goal[mover] >= 0 and state.goal[mover] != state.unit[mover, U_STATION]:
                    _drive_to_station(case, state, mover, state.goal[mover])


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


@inline_jit
def _reach_scene(case: Case, state: State, unit: int) -> None:
    """Arrive at a call and treat the patient."""
    now = state.clock[NOW]
    call = state.unit[unit, U_CALL]
    _become(state, unit, TREATING)
    state.call[call, STATUS] = ON_SCENE
    state.call[call, AT_SCENE] = now
    state.unit[unit, U_CALLS] += 1
    _note(case, state, UNIT_REACHES_SCENE, call, unit, now - case.demand.call[call, ARRIVE])
    _later(state, unit, now + case.demand.call[call, SCENE], _LEAVES_SCENE)


@inline_jit
def _leave_scene(case: Case, state: State, unit: int) -> None:
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
        set_leg(case.roads, state.unit, unit, mode, (node, now + walk, node, OFF_ROAD))
        _free(case, state, unit)
        return
    place = case.settings.number[N_STATION] + hospital
    set_leg(case.roads, state.unit, unit, mode, (node, now + walk, case.places.node[place], OFF_ROAD))
    arrive = state.unit[unit, U_END] + walk_time(case.places, mode, case.places.walk[place])
    _become(state, unit, TO_HOSPITAL)
    state.call[call, STATUS] = TRANSPORTED
    state.call[call, LEFT_SCENE] = now
    state.call[call, CHOSEN] = hospital
    _note(case, state, UNIT_TO_HOSPITAL, call, unit, hospital)
    _later(state, unit, arrive, UNIT_REACHES_HOSPITAL)


@inline_jit
def _reach_hospital(case: Case, state: State, unit: int) -> None:
    """Arrive at the hospital and hand the patient over."""
    now = state.clock[NOW]
    call = state.unit[unit, U_CALL]
    _become(state, unit, AT_DOOR)
    state.call[call, STATUS] = HANDED_OVER
    state.call[call, AT_HOSPITAL] = now
    _note(case, state, UNIT_REACHES_HOSPITAL, call, unit, state.call[call, CHOSEN])
    _later(state, unit, now + case.demand.call[call, HANDOVER], UNIT_FREE)


@inline_jit
def _free_at_hospital(case: Case, state: State, unit: int) -> None:
    """End a call at the hospital; the unit's way begins at its door."""
    now = state.clock[NOW]
    mode = case.settings.mode[state.clock[PERIOD], case.settings.upgrade.shape[0] + 1]
    place = case.settings.number[N_STATION] + state.call[state.unit[unit, U_CALL], CHOSEN]
    node = case.places.node[place]
    walk = walk_time(case.places, mode, case.places.walk[place])
    set_leg(case.roads, state.unit, unit, mode, (node, now + walk, node, OFF_ROAD))
    _free(case, state, unit)


@inline_jit
def _free(case: Case, state: State, unit: int) -> None:
    """End a call: its unit looks for a waiting one, then for a station."""
    call = state.unit[unit, U_CALL]
    state.call[call, STATUS] = SERVED
    state.call[call, CLOSED] = state.clock[NOW]
    _note(case, state, UNIT_FREE, call, unit, 0)
    _become(state, unit, RETURNING)
    state.unit[unit, U_CALL] = -1
    state.unit[unit, U_STATION] = -1
    state.unit[unit, U_HANDLE] = -1
    state.clock[N_IDLE] += 1
    state.clock[FREED] = unit
    state.clock[TRY] = _first_from(state, 0)
    if _moves_all(case):
        state.clock[MOVES] = 1


@inline_jit
def _happen(case: Case, state: State, kind: int, target: int) -> None:
    """Act on an event of the calendar; target is a unit, or a call that gives up."""
    if kind == UNIT_MOBILISED:
        mode = case.settings.mode[state.clock[PERIOD], case.demand.call[state.unit[target, U_CALL], PRIORITY]]
        station = state.unit[target, U_STATION]
        walk = walk_time(case.places, mode, case.places.walk[station])
        _drive_to_scene(case, state, target, (case.places.node[station], walk, OFF_ROAD))
    elif kind == UNIT_REACHES_SCENE:
        _reach_scene(case, state, target)
    elif kind == _LEAVES_SCENE:
        _leave_scene(case, state, target)
    elif kind == UNIT_REACHES_HOSPITAL:
        _reach_hospital(case, state, target)
    elif kind == UNIT_FREE:
        _free_at_hospital(case, state, target)
    elif kind == UNIT_REACHES_STATION:
        _become(state, target, AT_STATION)
        state.unit[target, U_HANDLE] = -1
        _note(case, state, UNIT_REACHES_STATION, -1, target, state.unit[target, U_STATION])
    elif kind == CALL_ABANDONED:
        state.call[target, GIVE_UP] = -1
        _dequeue(case, state, target)
        state.call[target, STATUS] = ABANDONED
        state.call[target, CLOSED] = state.clock[NOW]
        _note(case, state, CALL_ABANDONED, target, -1, 0)


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
            _happen(case, state, state.calendar.entry[row, KIND], state.calendar.entry[row, TARGET])
        elif arrival == instant:
            call = clock[NEXT_ARRIVAL]
            clock[NEXT_ARRIVAL] += 1
            state.call[call, STATUS] = ARRIVED
            _note(case, state, CALL_ARRIVES, call, -1, calls[call, PRIORITY])
        else:
            call = case.demand.order[clock[NEXT_KNOWN]]
            clock[NEXT_KNOWN] += 1
            state.stack[clock[N_STACK]] = call
            clock[N_STACK] += 1
