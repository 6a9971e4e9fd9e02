"""Covering models: reach as much demand as possible in time, by units that may be busy.

A demand point that k units reach in time counts for d (1 - q^k), q the share of time a
unit is busy. With q = 0 this is the maximal covering model.

Sources: Church and ReVelle, The maximal covering location problem, Papers of the Regional
Science Association 32 (1974); Daskin, A maximum expected covering location model,
Transportation Science 17 (1983).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.models.arguments import matrix, number, vector
from twin.models.location.plan import (
    Method,
    Plan,
    checked_capacity,
    checked_demand,
    choose_method,
    exchange,
    greedy,
    listed,
    solve_integer,
)

Array = np.ndarray[Any, Any]


def covering_matrix(travel: Any, target: float, before: float = 0.0) -> Array:
    """Return who reaches whom in time; (n_demand, n_site) of bool.

    travel  (n_site, n_demand)  s
    target  s, response time wanted
    before  s, part of it gone when the unit leaves: call-taking and mobilisation
    """
    left = number("target", target) - number("before", before)
    return np.asarray(left >= matrix("travel", travel).T)


def maximal_covering(covered: Any, demand: Any, units: int, method: Method = "auto") -> Plan:
    """Choose sites that cover the most demand (MCLP of Church and ReVelle, 1974).

    covered  (n_demand, n_site)  bool, see `covering_matrix`
    demand   (n_demand,)
    units    sites to choose
    """
    return _cover(covered, demand, units, 0.0, 1, method)


def maximal_expected_covering(
    covered: Any, demand: Any, units: int, busy: float, capacity: Any = None, method: Method = "auto"
) -> Plan:
    """Place units that may be busy so that expected coverage is greatest (MEXCLP of Daskin, 1983).

    covered   (n_demand, n_site)  bool
    demand    (n_demand,)
    busy      share of time a unit is busy, 0 <= q < 1
    capacity  (n_site,) or one: units a site may hold; None for any number
    """
    return _cover(covered, demand, units, busy, capacity, method)


def expected_coverage(covered: Any, demand: Any, idle: Any, busy: float) -> float:
    """Return the demand expected to be covered by the idle units at each site.

    idle  (n_site,)  number of units there
    """
    reach, weight, share = _checked(covered, demand, busy)
    within = reach @ vector("idle", idle, reach.shape[1])
    return float(weight @ (1.0 - share**within))


def marginal_coverage(covered: Any, demand: Any, idle: Any, busy: float) -> Array:
    """Return the coverage that one more idle unit at each site would add; (n_site,).

    idle  (n_site,)  units idle there, or on their way there, without the unit to be placed

    The unit is sent where this is greatest: DMEXCLP, Jagtenberg, Bhulai, van der Mei, An
    efficient heuristic for real-time ambulance redeployment, Operations Research for
    Health Care 4 (2015), algorithm 1. What taking a unit away costs is `twin.kernels.coverage`.
    """
    reach, weight, share = _checked(covered, demand, busy)
    return _marginal(reach, weight, vector("idle", idle, reach.shape[1]), share)


def _marginal(reach: Array, weight: Array, idle: Array, busy: float) -> Array:
    return np.asarray((weight * (1.0 - busy) * busy ** (reach @ idle)) @ reach)


def _checked(covered: Any, demand: Any, busy: float) -> tuple[Array, Array, float]:
    reach = matrix("covered", np.asarray(covered, dtype=np.float64))
    if ((reach != 0.0) & (reach != 1.0)).any():
        raise ValueError("covered must hold only true and false; make it of travel times by covering_matrix")
    share = number("busy", busy)
    if share >= 1.0:
        raise ValueError(f"busy ({share:g}) must be less than 1: units that are never free cover nobody")
    return reach, checked_demand(demand, reach.shape[0]), share


def _cover(covered: Any, demand: Any, units: Any, busy: float, capacity: Any, method: Method) -> Plan:
    reach, weight, share = _checked(covered, demand, busy)
    room, count = checked_capacity(capacity, reach.shape[1], units, np.iinfo(np.int32).max)
    exact = choose_method(method, reach.size)
    if exact:
        chosen = _exact(reach, weight, count, share, room)
    else:

        def gains(idle: Array) -> Array:
            return _marginal(reach, weight, idle, share)

        chosen = exchange(greedy(count, gains, room), gains, room)
    value = float(weight @ (1.0 - share ** (reach @ chosen)))
    return Plan(listed(chosen), value, value if exact else np.inf, exact)


def _exact(reach: Array, weight: Array, count: int, busy: float, room: Array) -> Array:
    """Solve with columns x(site), then y(demand, k) = 1 where a k-th unit reaches the point in time.

    The k-th unit adds d (1 - q) q^(k - 1), less with each k, so the y fill in order and need not be integers.
    """
    from scipy.sparse import coo_array, hstack, vstack

    points, sites = reach.shape
    depth = 1 if busy == 0.0 else int(min(count, (reach @ room).max()))
    if depth == 0:
        return greedy(count, lambda idle: np.zeros(sites), room)
    counted = coo_array((np.ones(points * depth), (np.repeat(np.arange(points), depth), np.arange(points * depth))))
    left = coo_array(-reach)
    total = coo_array(
        (np.ones(sites), (np.zeros(sites, np.int64), np.arange(sites))), shape=(1, sites + points * depth)
    )
    rows = vstack([hstack([left, counted]), total]).tocsr()
    limits = (np.r_[np.full(points, -np.inf), count], np.r_[np.zeros(points), count])
    value = (weight[:, None] * (1.0 - busy) * busy ** np.arange(depth)).ravel()
    upper = np.r_[room.astype(np.float64), np.ones(points * depth)]
    return solve_integer(np.r_[np.zeros(sites), -value], rows, limits, upper, sites)
