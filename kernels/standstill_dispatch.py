"""Choose units for calls by the rules of dispatch, on what is observed, as the policies do."""

import numpy as np

from twin.kernels._jit import inline_jit, lean_jit
from twin.kernels.coverage import coverage_losses
from twin.kernels.standstill_arrays import (
    AT_HOSPITAL,
    AWARE,
    C_BAY,
    C_CLOSED,
    C_STAGE,
    C_UNIT,
    DECISION,
    DECISIONS,
    IDLE,
    LEAST_LOSS,
    LISTED,
    NOW,
    ORDER,
    ORDER_DELAY,
    SEEN,
    SERVED,
    SERVICE,
    TABLE,
    U_CALL,
    U_SEEN_FREE,
    U_SEEN_NODE,
    U_STATION,
    WAITING,
    Case,
    Int,
    State,
)
from twin.kernels.standstill_service import plan
from twin.kernels.standstill_streets import grow, wound

_LIMITS = (0.05, 0.95)
"""Least and largest share of busy units that DMEXCLP believes."""
_LONGEST, _UNREPORTED = 1.5, 30.0
"""As in the policy `hospital_aware`."""
_SECOND = 1_000_000


@inline_jit
def _first_waiting(calls: Int, looked: Int, found: Int, known: Int, decision: int) -> int:
    """Return the most urgent, then the oldest call that waits and was not looked at in this decision."""
    best = -1
    for call in range(calls.shape[0]):
        if calls[call, C_STAGE] != WAITING or looked[call] == decision:
            continue
        if best < 0 or found[call] < found[best] or (found[call] == found[best] and known[call] < known[best]):
            best = call
    return best


@inline_jit
def _least_loss(case: Case, state: State, call: int, count: int, closest: int) -> int:
    """Return the place of the unit of least coverage loss among those in time, the closest when none is."""
    n_unit = state.unit.shape[0]
    free = 0
    for unit in range(n_unit):
        free += state.unit[unit, U_SEEN_FREE]
    busy = case.rule.busy
    if busy == 0.0:
        busy = min(max(1.0 - free / n_unit, _LIMITS[0]), _LIMITS[1])
    coverage_losses(case.rule.covered, case.rule.population, state.idle_node[:count], busy, state.loss[:count])
    gone = (state.clock[NOW] - case.rung[call]) / _SECOND
    best = closest
    least = np.inf
    for place in range(count):
        if state.reach[place] + case.rule.preparation + gone > case.rule.target:
            continue
        loss = state.loss[place]
        if loss < least or (loss == least and state.reach[place] < state.reach[best]):
            best = place
            least = loss
    return best


@inline_jit
def _first_listed(case: Case, state: State, call: int, count: int, closest: int) -> int:
    """Return the place of the unit whose station comes first on the list of the call's node, of several the closest."""
    best = closest
    for place in range(count):
        if not state.reach[place] < np.inf:
            continue
        mine = case.rule.rank[case.node[call], state.unit[state.idle_unit[place], U_STATION]]
        least = case.rule.rank[case.node[call], state.unit[state.idle_unit[best], U_STATION]]
        if mine < least or (mine == least and state.reach[place] < state.reach[best]):
            best = place
    return best


@inline_jit
def _of_table(case: Case, state: State, call: int, count: int, closest: int) -> int:
    """Return the place of the unit of the table for the units idle now, the closest when it would be late."""
    zone = case.rule.zone[case.node[call]]
    group = case.rule.group[zone]
    busy = 0
    for slot in range(case.rule.member.shape[1]):
        member = case.rule.member[group, slot]
        if member < 0:
            break
        busy |= 1 << slot
        for place in range(count):
            if state.idle_unit[place] == member:
                busy ^= 1 << slot
    sent = case.rule.table[group, busy, case.rule.column[zone]]
    if sent < 0:
        return closest
    gone = (state.clock[NOW] - case.rung[call]) / _SECOND
    for place in range(count):
        in_time = gone + case.rule.preparation + state.reach[place] <= case.rule.target
        if in_time and state.idle_unit[place] == case.rule.member[group, sent]:
            return place
    return closest


@inline_jit
def _waits(case: Case, state: State, call: int, reach: float) -> bool:
    """Tell whether to wait for a unit that hands over, or just has, and could be on scene clearly sooner; keep it.

    reach  s until the closest idle unit could be
    A unit kept for a call is marked in `state.loss`, which no other part of this rule uses.
    """
    soonest = np.inf
    kept = -1
    for other in range(state.call.shape[0]):
        bay = state.call[other, C_BAY]
        if bay < 0:
            continue
        unit = state.call[other, C_UNIT]
        if state.loss[unit] > 0.0:
            continue
        left = 0.0
        if state.call[other, C_STAGE] == AT_HOSPITAL:
            gone = (state.clock[NOW] - bay) / _SECOND
            if gone >= _LONGEST * case.rule.handover:
                continue
            left = max(case.rule.handover - gone, 0.0)
        elif state.call[other, C_STAGE] == SERVED:
            over = (state.clock[NOW] - state.call[other, C_CLOSED]) / _SECOND
            if over >= _UNREPORTED or state.unit[unit, U_CALL] >= 0 or state.unit[unit, U_SEEN_FREE]:
                continue
        else:
            continue
        until = left + state.beliefs.time[case.node[call], state.unit[unit, U_SEEN_NODE]]
        if until < soonest:
            soonest = until
            kept = unit
    if soonest + case.rule.sooner >= reach:
        return False
    state.loss[kept] = 1.0
    return True


@inline_jit
def _chosen(case: Case, state: State, call: int, count: int) -> int:
    """Return the place in the list of idle units of the one the policy sends, -1 to wait; one has been reachable."""
    closest = 0
    for place in range(count):
        if state.reach[place] < state.reach[closest]:
            closest = place
    if case.rule.number == LEAST_LOSS:
        return _least_loss(case, state, call, count, closest)
    if case.rule.number == LISTED:
        return _first_listed(case, state, call, count, closest)
    if case.rule.number == TABLE:
        return _of_table(case, state, call, count, closest)
    if case.rule.number == AWARE and _waits(case, state, call, state.reach[closest]):
        return -1
    return closest


@inline_jit
def _list_idle(state: State) -> int:
    """List the units that report to be free and have no call; return how many."""
    count = 0
    for unit in range(state.unit.shape[0]):
        if state.unit[unit, U_SEEN_FREE] and state.unit[unit, U_CALL] < 0:
            state.idle_unit[count] = unit
            state.idle_node[count] = state.unit[unit, U_SEEN_NODE]
            count += 1
    return count


@inline_jit
def _expect(case: Case, state: State, call: int, count: int, seen: int) -> bool:
    """Write the seconds each idle unit is expected to take to a call; tell whether any can come."""
    grow(case.streets, case.seen_time[seen], int(case.node[call]), True, seen, state.beliefs)
    reachable = False
    for place in range(count):
        state.reach[place] = state.beliefs.time[case.node[call], state.idle_node[place]]
        reachable = reachable or state.reach[place] < np.inf
    return reachable


@lean_jit
def decide(case: Case, state: State) -> None:
    """Order a unit for each waiting call that a dispatcher is there for, on what is observed."""
    count = _list_idle(state)
    state.clock[DECISIONS] += 1
    decision = int(state.clock[DECISIONS])
    left = state.clock[IDLE]
    state.loss[:] = 0.0
    while left > 0 and count > 0:
        call = _first_waiting(state.call, state.looked, case.found, case.known, decision)
        if call < 0:
            return
        state.looked[call] = decision
        if not _expect(case, state, call, count, wound(case.seen, state.clock, SEEN, DECISION)):
            continue
        place = _chosen(case, state, call, count)
        if place < 0:
            continue
        plan(
            state.calendar,
            state.clock,
            state.clock[NOW] + case.number[ORDER_DELAY],
            SERVICE,
            ORDER,
            call,
            state.idle_unit[place],
        )
        left -= 1
        count -= 1
        for other in range(place, count):
            state.idle_unit[other] = state.idle_unit[other + 1]
            state.idle_node[other] = state.idle_node[other + 1]
