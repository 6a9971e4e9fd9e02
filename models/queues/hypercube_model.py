"""Larson's hypercube model: units that back each other up, exactly and approximately.

Calls of an atom (a zone, a node) go to the first idle unit on its list. Arrivals are
Poisson and service is exponential. While all units are busy calls are lost, or wait in
one endless line (`waiting`): a line leaves the shares among the 2^n states unchanged,
since the flows in and out of the line cancel in the balance of the full state.

Source: Larson, Computers & Operations Research 1 (1974), exact; Larson, Approximating
the performance of urban emergency service systems, Operations Research 23 (1975).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.models.arguments import matrix, vector
from twin.models.queues.erlang import loss_states, spare_rate

Array = np.ndarray[Any, Any]

MOST_UNITS = 22
"""Above this the exact model needs more than 1 GB; the approximation has no such limit."""

_SWEEPS = 20_000
_CHANGE = 1e-14
_ROUNDS = 3_000
_SETTLED = 1e-13
_LESS = 0.7
_LEAST_STEP = 0.05


@dataclass(frozen=True)
class Hypercube:
    """How busy units are and who serves whom, in the long run.

    workload     (n_unit,)          share of time each unit is busy
    share        (n_atom, n_unit)   share of an atom's calls served by each unit at once
    blocked      share of calls that find all units busy: lost, or made to wait
    probability  (2^n_unit,)        of each state, bit i set while unit i is busy; empty if approximated.
                 With a waiting line the last state is all busy and nobody waiting, and the line has the rest
    sweeps       sweeps or rounds until it settled
    """

    workload: Array
    share: Array
    blocked: float
    probability: Array
    sweeps: int

    def mean_time(self, travel: Any, arrival: Any) -> float:
        """Return the mean travel time (s) of the calls served at once.

        travel   (n_unit, n_atom)  s
        arrival  (n_atom,)         rate of calls
        """
        times = matrix("travel", travel, self.share.T.shape)
        served = vector("arrival", arrival, self.share.shape[0])[:, None] * self.share
        with np.errstate(invalid="ignore"):
            return float(np.where(served > 0, served * times.T, 0.0).sum() / served.sum())


def hypercube(arrival: Any, service: Any, preference: Any, *, waiting: bool = False) -> Hypercube:
    """Solve the hypercube model exactly.

    arrival     (n_atom,)         1/s, not all 0
    service     (n_unit,) or one  1/s, > 0; with `waiting` one for all units
    preference  (n_atom, n_unit)  all units, the preferred first
    waiting     calls wait in one line while all units are busy, in place of being lost

    Raises ValueError for a bad row, for more than 22 units, and for a line that grows for ever.

    >>> hypercube([1, 1, 1], 1.0, [[0, 1, 2], [1, 0, 2], [2, 0, 1]]).workload.round(6).tolist()
    [0.674089, 0.654971, 0.632479]
    """
    from twin.kernels.hypercube import fill_rates, share_dispatches, solve

    arrival, service, preference = _checked(arrival, service, preference)
    units = preference.shape[1]
    if units > MOST_UNITS:
        raise ValueError(
            f"preference has {units} units and the exact model takes {MOST_UNITS}; "
            "use hypercube_approximation, which takes any number"
        )
    stay = _line(arrival, service, waiting)
    size = 1 << units
    rate, flow, probability = np.empty((size, units)), np.empty((2, size)), np.full(size, 1.0 / size)
    fill_rates(arrival, service, preference, rate, flow)
    sweeps = solve(rate, flow, (_SWEEPS, _CHANGE), probability)
    if sweeps < 0:
        raise ValueError(f"the hypercube did not settle in {_SWEEPS} sweeps; its rates lie too far apart")
    share, workload = np.empty(preference.shape), np.empty(units)
    share_dispatches(probability, preference, share, workload)
    full = float(probability[-1])
    keep = 1.0 / (1.0 + full * stay)
    workload = workload * keep + (1.0 - keep)
    return Hypercube(workload, share * keep, full * keep + (1.0 - keep), probability * keep, sweeps)


def hypercube_approximation(arrival: Any, service: float, preference: Any, *, waiting: bool = False) -> Hypercube:
    """Solve the hypercube model by Larson's approximation, for any number of units.

    arrival     (n_atom,)         1/s, not all 0
    service     1/s, the same for all units
    preference  (n_atom, n_unit)  all units, the preferred first

    A unit tried after j busy ones is reached with the product of their workloads, corrected by the
    factor Q(j) that the birth-death chain of the number of busy units gives when units are
    picked at random: Q(j) r^j (1 - r) = sum over k of P(k) [k busy: the first j picked busy, the next idle].
    A call that had to wait goes to each unit alike, for all are busy and whoever is free first takes it.
    The workloads follow by fixed point and are scaled to the known total.

    Raises ValueError for a bad row, for a line that grows for ever, and where the workloads do not settle.
    """
    arrival, rates, preference = _checked(arrival, service, preference)
    if np.ptp(rates) > 0:
        raise ValueError("service of the approximation must be one rate for all units; use hypercube for several")
    units, load = preference.shape[1], float(arrival.sum() / rates[0])
    stay = _line(arrival, rates, waiting)
    busy = loss_states(load, units)
    keep = 1.0 / (1.0 + busy[-1] * stay)
    levels = busy * keep
    mean = (levels @ np.arange(units + 1.0) + (1.0 - keep) * units) / units
    factor = _corrections(levels, units, float(mean))
    blocked = float(levels[-1] + 1.0 - keep)
    late = blocked * load / units if waiting else 0.0
    workload, rounds = _settle(arrival / rates[0], preference, factor, (float(mean), late))
    share = _approximate_share(preference, factor, workload, blocked)
    return Hypercube(workload, share, blocked, np.empty(0), rounds)


def _settle(load: Array, preference: Array, factor: Array, known: tuple[float, float]) -> tuple[Array, int]:
    """Return the workloads that reproduce themselves, and the rounds it took.

    known  mean workload, and the part of it that is work of calls that had to wait

    Full steps go round in circles where hundreds of units are far from alike (seen with 400 units at
    load 0.9), so a step that does not shrink makes the next ones shorter.
    """
    (mean, late), units = known, preference.shape[1]
    workload = np.full(units, mean)
    part, last = 1.0, np.inf
    for rounds in range(1, _ROUNDS + 1):
        ratio = np.bincount(preference.ravel(), _tried(load, preference, factor, workload).ravel(), units)
        step = _scaled((ratio + late) / (1.0 + ratio), mean * units) - workload
        moved = float(np.abs(step).max())
        if moved > last:
            part = max(part * _LESS, _LEAST_STEP)
        workload = workload + part * step
        if moved <= _SETTLED:
            return workload, rounds
        last = moved
    raise ValueError(f"the workloads of {units} units did not settle in {_ROUNDS} rounds (last step {moved:.1g})")


def _scaled(workload: Array, total: float) -> Array:
    """Return workloads with a known sum: the busy time is scaled down, or the idle time, so all stay below 1."""
    busy, units = float(workload.sum()), workload.shape[0]
    if busy >= total:
        return np.asarray(workload * (total / busy))
    return np.asarray(1.0 - (1.0 - workload) * ((units - total) / (units - busy)))


def _checked(arrival: Any, service: Any, preference: Any) -> tuple[Array, Array, Array]:
    """Return the arguments as arrays; name the first bad row."""
    arrival = vector("arrival", arrival)
    given = matrix("preference", preference, (arrival.shape[0], None))
    units = given.shape[1]
    wrong = (np.sort(given, axis=1) != np.arange(units)).any(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(
            f"preference[{row}] ({given[row].tolist()}) must name each unit 0 to {units - 1} once; "
            "put units that should not serve the atom last"
        )
    if arrival.sum() <= 0:
        raise ValueError("arrival is 0 in every row; at least one atom must have calls")
    return arrival, vector("service", service, units, open_low=True), given.astype(np.int64)


def _line(arrival: Array, service: Array, waiting: bool) -> float:
    """Return the probability of a line of 1 or more, beside that of all busy and no line."""
    if not waiting:
        return 0.0
    if np.ptp(service) > 0:
        raise ValueError("service must be one rate for all units when calls wait in line")
    coming, served = float(arrival.sum()), float(service.sum())
    return coming / spare_rate(coming, served)


def _corrections(levels: Array, units: int, mean: float) -> Array:
    """Return Larson's factor Q(j), j = 0 .. n - 1 busy units tried before; (n_unit,)."""
    k = np.arange(units)
    picked = np.ones(units)
    found = np.empty(units)
    for j in range(units):
        found[j] = levels[:-1] @ (picked * (units - k) / (units - j))
        picked *= np.maximum(k - j, 0) / (units - j)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(np.nan_to_num(found / (mean**k * (1.0 - mean)), nan=0.0, posinf=0.0))


def _tried(load: Array, preference: Array, factor: Array, workload: Array) -> Array:
    """Return the load (erlang) each atom brings to each rank of its list, were the unit idle."""
    busy = np.cumprod(workload[preference], axis=1)
    before = np.concatenate([np.ones((preference.shape[0], 1)), busy[:, :-1]], axis=1)
    return np.asarray(load[:, None] * factor * before)


def _approximate_share(preference: Array, factor: Array, workload: Array, blocked: float) -> Array:
    """Return who serves whom, scaled so that the shares of each atom and the blocked calls make 1."""
    ranked = _tried(np.ones(preference.shape[0]), preference, factor, workload) * (1.0 - workload[preference])
    total = ranked.sum(axis=1, keepdims=True)
    ranked = np.divide(ranked * (1.0 - blocked), total, out=np.zeros_like(ranked), where=total > 0)
    share = np.zeros_like(ranked)
    np.put_along_axis(share, preference, ranked, axis=1)
    return np.asarray(share)
