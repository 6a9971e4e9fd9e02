"""What no dispatch policy can beat: the best assignment by one who knows all calls beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.models.arguments import matrix, number, vector

Array = np.ndarray[Any, Any]

_MOST_CALLS = 5_000
_ROUNDS = 3


@dataclass(frozen=True)
class CallTrace:
    """Calls with their luck, and units at the beginning; places are rows of the travel table.

    time      (n_call,)  s, when each call may be served first
    scene     (n_call,)  place
    end       (n_call,)  place where the unit is free again: the hospital, or the scene
    busy      (n_call,)  s from reaching the scene to free, the least that any policy can bring about
    mobilise  (n_call,)  s from order to departure; 0 if units on the road leave at once
    unit      (n_unit,)  place of each unit at the beginning
    free      (n_unit,)  s, when each unit may leave first
    """

    time: Any
    scene: Any
    end: Any
    busy: Any
    mobilise: Any
    unit: Any
    free: Any = 0.0


@dataclass(frozen=True)
class OfflineBound:
    """Limits that hold for every policy.

    mean_response  s; no policy has less
    late_share     share of calls; no policy has less. NaN without a target
    response       (n_call,)  s in the assignment of least mean; a single call may do better
    before         (n_call,)  what its unit does before each call there: a call's row, or -1 - unit at its beginning
    """

    mean_response: float
    late_share: float
    response: Array
    before: Array


def offline_bound(
    trace: CallTrace, travel: Any, target: float | None = None, stations: Any = None, both_ways: bool = False
) -> OfflineBound:
    """Bound the response of every policy that serves all calls without breaking one off.

    travel    (n_place, n_place)  s, shortest times at the highest speed
    target    s, response later than this is late
    stations  places; for policies whose idle units go to one of these and stay there. None
              for any policy, even one that moves idle units to the next call before it rings
    both_ways every street takes as long one way as the other, which makes the bound with stations sharper

    Proof idea. Under any policy each unit serves a chain of calls, so every call l has one predecessor:
    another call k or the unit's beginning, and no two calls share one. That is an assignment, so the
    least-cost assignment costs no more, if the cost c(k, l) is at most the true response. It is:
    the unit is free after k not before e(k) = time + least response + busy, and
    cannot reach l before e(k) + travel(end of k, scene of l); order and mobilisation come after the
    call. With `stations` the unit is at a station, or x seconds on its way from there to one: then
    at least travel(end, scene) - x from the scene, and, `both_ways`, at least travel(station, scene)
    less what is left of the way; the least over all x up to the time gone is taken. The least
    response of k is the least c(., k); starting with its mobilisation and repeating, it only grows
    towards the truth. Chains that close to a ring are not excluded (the assignment is a relaxation),
    so the bound is valid but not always reached.

    Source of the relaxation: assignment bound of vehicle scheduling, Dantzig and Fulkerson, Minimizing the
    number of tankers to meet a fixed schedule, Naval Research Logistics Quarterly 1 (1954).

    Raises ValueError with the first bad row, and above 5,000 calls.
    """
    from scipy.optimize import linear_sum_assignment

    problem = _Problem.of(trace, matrix("travel", travel), stations, both_ways)
    cost = problem.costs()
    if not np.isfinite(cost.min(axis=0)).all():
        row = int(np.argmax(~np.isfinite(cost.min(axis=0))))
        raise ValueError(f"time[{row}]: no unit can reach the call; its scene is cut off in the travel table")
    before, call = linear_sum_assignment(_finite(cost))
    order = np.argsort(call)
    before = before[order]
    calls = problem.time.shape[0]
    response = cost[before, np.arange(calls)]
    late = np.nan
    if target is not None:
        missed = (cost > number("target", target)).astype(np.float64)
        missed[~np.isfinite(cost)] = calls + 1.0
        late = float(missed[linear_sum_assignment(missed)].sum() / calls)
    return OfflineBound(float(response.mean()), late, response, np.where(before < calls, before, calls - 1 - before))


def _finite(cost: Array) -> Array:
    """Replace infinite costs by one that is worse than any finite assignment."""
    return np.where(np.isfinite(cost), cost, cost[np.isfinite(cost)].max() * (cost.shape[1] + 1.0) + 1.0)


@dataclass(frozen=True)
class _Problem:
    time: Array
    scene: Array
    end: Array
    busy: Array
    mobilise: Array
    unit: Array
    free: Array
    travel: Array
    stations: Array | None
    both_ways: bool

    @classmethod
    def of(cls, trace: CallTrace, travel: Array, stations: Any, both_ways: bool) -> _Problem:
        time = vector("time", trace.time)
        calls = time.shape[0]
        if not 1 <= calls <= _MOST_CALLS:
            raise ValueError(f"the trace has {calls} calls and must have 1 to {_MOST_CALLS}; take a shorter one")
        if travel.shape[0] != travel.shape[1]:
            raise ValueError(f"travel has shape {travel.shape} and must have a row and a column for each place")
        unit = _places("unit", trace.unit, travel)
        return cls(
            time,
            _places("scene", trace.scene, travel, calls),
            _places("end", trace.end, travel, calls),
            vector("busy", trace.busy, calls),
            vector("mobilise", trace.mobilise, calls),
            unit,
            vector("free", trace.free, unit.shape[0]),
            travel,
            None if stations is None else _places("stations", stations, travel),
            both_ways,
        )

    def costs(self) -> Array:
        """Return the least response of each call after each predecessor; (n_call + n_unit, n_call)."""
        least = self.mobilise
        for _ in range(_ROUNDS):
            free = np.r_[self.time + least + self.busy, self.free]
            cost = self.mobilise + self._travel_left(free)
            np.fill_diagonal(cost, np.inf)
            least = np.maximum(least, np.where(np.isfinite(cost.min(axis=0)), cost.min(axis=0), least))
        return cost

    def _travel_left(self, free: Array) -> Array:
        """Return the least wait and travel between call or order and arrival, without mobilisation."""
        place = np.r_[self.end, self.unit]
        direct = self.travel[np.ix_(place, self.scene)]
        gone = self.time[None, :] - free[:, None]
        wait = np.maximum(-gone, 0.0)
        if self.stations is None:
            return np.asarray(np.maximum(direct - gone, 0.0))
        best = np.full(direct.shape, np.inf)
        for station in self.stations:
            best = np.minimum(best, self._returning(place, int(station), direct, np.maximum(gone, 0.0)))
        home = np.isin(self.unit, self.stations)
        best[self.time.shape[0] :][home] = direct[self.time.shape[0] :][home]
        return np.asarray(wait + best)

    def _returning(self, place: Array, station: int, direct: Array, gone: Array) -> Array:
        """Return the least travel time to each call of units that are at a station or on their way to it."""
        back = self.travel[place, station][:, None]
        home = self.travel[station, self.scene][None, :]
        most = np.minimum(gone, back)
        if not self.both_ways:
            road = np.maximum(direct - most, 0.0)
        else:
            with np.errstate(invalid="ignore"):
                way = np.clip(np.nan_to_num((direct - home + back) / 2.0, nan=0.0), 0.0, most)
                road = np.nan_to_num(np.maximum(direct - way, home - (back - way)), nan=0.0, posinf=np.inf)
            road = np.maximum(road, 0.0)
        return np.asarray(np.minimum(np.where(gone >= back, home, np.inf), road))


def _places(name: str, values: Any, travel: Array, rows: int | None = None) -> Array:
    found = vector(name, values, rows)
    bad = (found != np.floor(found)) | (found >= travel.shape[0])
    if bad.any() or not found.size:
        where = (
            f"{name}[{int(np.argmax(bad))}] ({found[np.argmax(bad)]:g})" if found.size else f"{name}, which is empty,"
        )
        raise ValueError(f"{where} must be a place, a row from 0 to {travel.shape[0] - 1} of the travel table")
    return found.astype(np.int64)
