"""Evaluate rule-based controls of a water network.

Source: EPANET 2.2, rules.c (evalpremises, checktime, checkstatus, checkvalue, updateactlist, takeactions).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit
from twin.kernels.water_codes import (
    ABOVE,
    ACTIVE,
    AT_LEAST,
    AT_MOST,
    BELOW,
    CLOCK,
    CLOSED,
    DEMAND,
    DRAIN_TIME,
    EQUAL,
    FILL_TIME,
    FLOW,
    HEAD,
    LEVEL,
    OPEN,
    SETTING,
    STATUS,
    TIME,
    UNEQUAL,
)
from twin.kernels.water_tanks import Tanks

_DAY = 86_400_000_000
_SECOND = 1_000_000
_TINY = 1e-6 * 0.028316846592


class Rules(NamedTuple):
    """Rules as arrays: clauses of rule `i` are rows first..first + count.

    priority  (n_rule,)  of two rules for one link the higher wins, else the earlier
    premises, actions, elses: (n_rule, 2)  first and count
    either, variable, node, link, relation, value, tolerance, state   (n_premise,)
    act_link, act_status, act_setting, act_tolerance                  (n_action,)
    """

    priority: NDArray[np.float64]
    premises: NDArray[np.int64]
    actions: NDArray[np.int64]
    elses: NDArray[np.int64]
    either: NDArray[np.bool_]
    variable: NDArray[np.int8]
    node: NDArray[np.int64]
    link: NDArray[np.int64]
    relation: NDArray[np.int8]
    value: NDArray[np.float64]
    tolerance: NDArray[np.float64]
    state: NDArray[np.int8]
    act_link: NDArray[np.int64]
    act_status: NDArray[np.int8]
    act_setting: NDArray[np.float64]
    act_tolerance: NDArray[np.float64]


class Seen(NamedTuple):
    """What rules look at.

    now, since, clock  us; the time of this evaluation, of the last one, and of day at the start
    demand  m3/s  sum of all full demands
    head, elevation, inflow  (n_node,)  m, m, m3/s
    volume  (n_tank,)  m3;  first_tank: water node of the first tank
    flow    (n_link,)  m3/s
    """

    now: int
    since: int
    clock: int
    demand: float
    head: NDArray[np.float64]
    elevation: NDArray[np.float64]
    inflow: NDArray[np.float64]
    volume: NDArray[np.float64]
    first_tank: int
    flow: NDArray[np.float64]


@jit
def _time_holds(relation: int, limit: int, begin: int, end: int) -> bool:
    """Compare a time with the interval since the last evaluation; inequalities take its end."""
    if relation == BELOW:
        return end < limit
    if relation == AT_MOST:
        return end <= limit
    if relation == ABOVE:
        return end > limit
    if relation == AT_LEAST:
        return end >= limit
    inside = begin <= limit <= end if begin <= end else (limit >= begin or limit <= end)
    return inside == (relation == EQUAL)


@jit
def _value_holds(relation: int, x: float, limit: float, tolerance: float) -> bool:
    """Compare a number with a limit; the tolerance widens < and >, and narrows <= and >=."""
    if relation == EQUAL:
        return abs(x - limit) <= tolerance
    if relation == UNEQUAL:
        return abs(x - limit) >= tolerance
    if relation == BELOW:
        return x <= limit + tolerance
    if relation == AT_MOST:
        return x <= limit - tolerance
    if relation == ABOVE:
        return x >= limit - tolerance
    return x >= limit + tolerance


@jit
def _looked_at(
    rules: Rules,
    i: int,
    seen: Seen,
    tanks: Tanks,
    setting: NDArray[np.float64],
) -> float:
    """Return the number premise `i` looks at, NaN where there is none."""
    variable, node, link = rules.variable[i], rules.node[i], rules.link[i]
    if variable == DEMAND:
        return seen.demand if node < 0 else float(seen.inflow[node])
    if variable == HEAD:
        return float(seen.head[node])
    if variable == LEVEL:
        return float(seen.head[node] - seen.elevation[node])
    if variable == FLOW:
        return float(abs(seen.flow[link]))
    if variable == SETTING:
        return float(setting[link])
    tank = node - seen.first_tank
    if tank >= 0 and variable == FILL_TIME and seen.inflow[node] > _TINY:
        return float((tanks.most[tank] - seen.volume[tank]) / seen.inflow[node])
    if tank >= 0 and variable == DRAIN_TIME and seen.inflow[node] < -_TINY:
        return float((tanks.least[tank] - seen.volume[tank]) / seen.inflow[node])
    return np.nan


@jit
def _premise_holds(
    rules: Rules,
    i: int,
    seen: Seen,
    tanks: Tanks,
    setting: NDArray[np.float64],
    closed: NDArray[np.bool_],
) -> bool:
    variable = rules.variable[i]
    if variable in (TIME, CLOCK):
        begin, end = seen.since + _SECOND, seen.now
        if variable == CLOCK:
            begin, end = (begin + seen.clock) % _DAY, (end + seen.clock) % _DAY
        return _time_holds(rules.relation[i], int(rules.value[i]) * _SECOND, begin, end)
    if variable == STATUS:
        matches = closed[rules.link[i]] == (rules.state[i] == CLOSED)
        return bool(matches == (rules.relation[i] == EQUAL))
    x = _looked_at(rules, i, seen, tanks, setting)
    if np.isnan(x):
        return False
    return _value_holds(rules.relation[i], x, rules.value[i], rules.tolerance[i])


@jit
def rule_holds(
    rules: Rules, rule: int, seen: Seen, tanks: Tanks, setting: NDArray[np.float64], closed: NDArray[np.bool_]
) -> bool:
    """Tell whether the premises of a rule hold; an OR mends what failed before it, an AND ends there."""
    result = True
    first = rules.premises[rule, 0]
    for i in range(first, first + rules.premises[rule, 1]):
        if rules.either[i]:
            result = result or _premise_holds(rules, i, seen, tanks, setting, closed)
        else:
            if not result:
                return False
            result = _premise_holds(rules, i, seen, tanks, setting, closed)
    return result


@jit
def act(
    rules: Rules,
    action: int,
    kind: NDArray[np.int8],
    status: NDArray[np.int8],
    setting: NDArray[np.float64],
    closed: NDArray[np.bool_],
) -> bool:
    """Take one action; tell whether it changed its link.

    kind  (n_link,)  0 pipe, 1 pump, 2 valve, 3 general-purpose valve
    """
    link, order, value = rules.act_link[action], rules.act_status[action], rules.act_setting[action]
    if (order == OPEN and closed[link]) or (order == CLOSED and not closed[link]):
        status[link] = order
        closed[link] = order == CLOSED
        if kind[link] == 1:
            setting[link] = 1.0 if order == OPEN else 0.0
        elif kind[link] == 2:
            setting[link] = np.nan
        return True
    if np.isnan(value) or abs(value - setting[link]) <= rules.act_tolerance[action]:
        return False
    setting[link] = value
    if kind[link] == 1:
        status[link] = OPEN if value > 0.0 else CLOSED
    else:
        status[link] = ACTIVE
    closed[link] = status[link] == CLOSED
    return True


@jit
def apply_rules(
    rules: Rules,
    seen: Seen,
    tanks: Tanks,
    kind: NDArray[np.int8],
    held: NDArray[np.bool_],
    status: NDArray[np.int8],
    setting: NDArray[np.float64],
    closed: NDArray[np.bool_],
    chosen: NDArray[np.int64],
    fired: NDArray[np.bool_],
) -> int:
    """Evaluate all rules at one instant and take their actions; return how many links changed.

    held    (n_link,)     links that obey nobody
    status, setting, closed  (n_link,)  changed
    chosen  (n_link, 2)   written: action and rule for each link, -1 for none
    fired   (n_rule,)     written: the rule changed a link
    """
    chosen[:, :] = -1
    fired[:] = False
    for rule in range(rules.priority.shape[0]):
        holds = rule_holds(rules, rule, seen, tanks, setting, closed)
        span = rules.actions if holds else rules.elses
        for action in range(span[rule, 0], span[rule, 0] + span[rule, 1]):
            link = rules.act_link[action]
            before = chosen[link, 1]
            if before < 0 or rules.priority[rule] > rules.priority[before]:
                chosen[link, 0] = action
                chosen[link, 1] = rule
    changes = 0
    for link in range(chosen.shape[0]):
        if chosen[link, 0] >= 0 and not held[link] and act(rules, chosen[link, 0], kind, status, setting, closed):
            fired[chosen[link, 1]] = True
            changes += 1
    return changes
