"""The p-median: base units so that the mean travel time to the nearest is least."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.models.arguments import matrix
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


def p_median(travel: Any, demand: Any, units: int, method: Method = "auto") -> Plan:
    """Choose sites that make the demand-weighted sum of travel times to the nearest least.

    travel  (n_site, n_demand)  s, infinite where unreachable; each demand point must be reachable
    demand  (n_demand,)         weight, for example calls a year
    units   sites to choose
    method  exact (HiGHS), search (greedy, then exchange), or auto by size

    Source: Hakimi, Optimum locations of switching centers, Operations Research 12 (1964);
    as an integer program: ReVelle and Swain, Central facilities location, Geographical Analysis 2 (1970).
    """
    time = matrix("travel", travel).T
    weight = checked_demand(demand, time.shape[0])
    unreachable = ~np.isfinite(time).any(axis=1)
    if unreachable.any():
        raise ValueError(f"travel has no finite time to demand point {int(np.argmax(unreachable))} from any site")
    room, count = checked_capacity(1, time.shape[1], units, 1)
    exact = choose_method(method, time.size)
    chosen = _exact(time, weight, count) if exact else _search(time, weight, count, room)
    site = listed(chosen)
    value = float(weight @ np.where(weight > 0, time[:, site].min(axis=1), 0.0))
    return Plan(site, value, value if exact else -np.inf, exact)


def _far(time: Array) -> float:
    """Return a time that stands for unreachable: worse than any detour through reachable sites."""
    return float(time[np.isfinite(time)].max() * time.shape[0] + 1.0)


def _search(time: Array, weight: Array, count: int, room: Array) -> Array:
    far = _far(time)
    reach = np.minimum(time, far)

    def gains(units: Array) -> Array:
        held = np.flatnonzero(units)
        now = reach[:, held].min(axis=1) if held.size else np.full(reach.shape[0], far)
        return np.asarray(weight @ np.maximum(now[:, None] - reach, 0.0))

    return exchange(greedy(count, gains, room), gains, room)


def _exact(time: Array, weight: Array, count: int) -> Array:
    """Solve with columns x(site), then y(demand, site) <= x(site) for each reachable pair."""
    from scipy.sparse import coo_array, vstack

    points, sites = time.shape
    i, j = np.nonzero(np.isfinite(time))
    pair = np.arange(i.shape[0])
    columns = sites + pair.shape[0]
    ones = np.ones(pair.shape[0])
    served = coo_array((ones, (i, sites + pair)), shape=(points, columns))
    opened = coo_array((np.r_[ones, -ones], (np.r_[pair, pair], np.r_[sites + pair, j])), shape=(pair.size, columns))
    total = coo_array((np.ones(sites), (np.zeros(sites, np.int64), np.arange(sites))), shape=(1, columns))
    low = np.r_[np.ones(points), np.full(pair.size, -np.inf), count]
    high = np.r_[np.ones(points), np.zeros(pair.size), count]
    cost = np.r_[np.zeros(sites), weight[i] * time[i, j]]
    return solve_integer(cost, vstack([served, opened, total]).tocsr(), (low, high), np.ones(columns), sites)
