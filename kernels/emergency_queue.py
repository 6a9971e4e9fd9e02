"""Calls that wait for a unit: a list for each priority, linked through the calls, by age."""

from twin.kernels._jit import inline_jit
from twin.kernels.calendar import cancel
from twin.kernels.emergency_arrays import (
    FOLLOWING,
    GIVE_UP,
    MOST_WAITING,
    N_WAITING,
    NOW,
    PREVIOUS,
    PRIORITY,
    STATUS,
    WAIT_SINCE,
    WAITED,
    WAITING,
    Case,
    State,
)


@inline_jit
def count_waiting(state: State, change: int) -> None:
    """Count a call into or out of the queue."""
    now = state.clock[NOW]
    waiting = state.clock[N_WAITING]
    state.clock[WAITED] += waiting * (now - state.clock[WAIT_SINCE])
    state.clock[WAIT_SINCE] = now
    state.clock[N_WAITING] = waiting + change
    state.clock[MOST_WAITING] = max(state.clock[MOST_WAITING], waiting + change)


@inline_jit
def enqueue(case: Case, state: State, call: int) -> None:
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
    count_waiting(state, 1)


@inline_jit
def dequeue(case: Case, state: State, call: int) -> None:
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
    count_waiting(state, -1)


@inline_jit
def first_from(state: State, priority: int) -> int:
    """Return the oldest waiting call of a priority or the next less urgent; -1 without one."""
    for level in range(priority, state.queue.shape[0]):
        if state.queue[level, 0] >= 0:
            return int(state.queue[level, 0])
    return -1
