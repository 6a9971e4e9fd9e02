"""Which unit to send, by a Markov decision process over who is busy.

The state is the set of busy units (bit i set while unit i is busy, as in the hypercube
model); a call of zone z comes at rate lambda(z) and is given to an idle unit, which is then
busy for an exponential time and answers from its base. A call that finds all units busy
costs `lost` and is served from elsewhere. Policy iteration finds the table of least
cost per call. The response of a busy unit's next call does not depend on where it
was, which makes the table a heuristic on a real city.

Source: Jagtenberg, Bhulai, van der Mei, Dynamic ambulance dispatching: is the closest-idle policy
always optimal?, Health Care Management Science 20 (2017), section 4, there in discrete time;
policy iteration: Howard, Dynamic Programming and Markov Processes (1960).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.models.arguments import matrix, number, vector

Array = np.ndarray[Any, Any]

MOST_UNITS = 12
_ROUNDS = 1_000
_LEAST_GAIN = 1e-11


@dataclass(frozen=True)
class DispatchTable:
    """Which unit goes to a call of each zone, for each set of busy units.

    unit      (2^n_unit, n_zone)  the unit sent, -1 where all are busy
    value     (2^n_unit,)         cost still to come, beside that of all units idle
    cost      mean cost per call under this table
    """

    unit: Array
    value: Array
    cost: float

    def send(self, busy: Any, zone: int) -> int:
        """Return the unit to send; busy is (n_unit,) of bool."""
        flags, units = np.asarray(busy, dtype=bool), self.unit.shape[0].bit_length() - 1
        if flags.shape != (units,):
            raise ValueError(f"busy has shape {flags.shape} and must have {units} values, one per unit")
        return int(self.unit[int(flags @ (1 << np.arange(flags.shape[0]))), zone])


def closest_table(travel: Any) -> Array:
    """Return the table that always sends the closest idle unit; travel is (n_unit, n_zone), s."""
    time = matrix("travel", travel)
    return _best(time.T[None] + _closed(_bits(_few(time.shape[0]))))


def solve_dispatch(arrival: Any, service: Any, cost: Any, lost: float) -> DispatchTable:
    """Find the table of least mean cost per call.

    arrival  (n_zone,)         1/s, not all 0
    service  (n_unit,) or one  1/s, > 0: 1 / mean time from order to free
    cost     (n_unit, n_zone)  of sending the unit: 1 if it comes too late, else 0; or the response time
    lost     cost of a call that finds all units busy

    Starts from the unit of least cost; an action is changed only for a gain above 1e-11, so it ends.
    Raises ValueError for a bad row and above 12 units: divide the region.
    """
    chain = _Chain.of(arrival, service, cost, lost)
    table = _best(chain.cost.T[None] + _closed(chain.busy))
    found = chain.evaluate(table)
    for _ in range(_ROUNDS):
        after = found.value[np.arange(chain.busy.shape[0])[:, None] | 1 << np.arange(chain.busy.shape[1])]
        score = chain.cost.T[None] + after[:, None, :] + _closed(chain.busy)
        new = _improved(score, found.unit, _LEAST_GAIN * max(1.0, float(chain.cost.max()), chain.lost))
        if np.array_equal(new, found.unit):
            break
        found = chain.evaluate(new)
    return found


def evaluate_dispatch(table: Any, arrival: Any, service: Any, cost: Any, lost: float) -> DispatchTable:
    """Return a table with its mean cost per call, for a cost that need not be the one it was made for."""
    chain = _Chain.of(arrival, service, cost, lost)
    unit = np.asarray(table, dtype=np.int64)
    if unit.shape != (chain.busy.shape[0], chain.cost.shape[1]):
        raise ValueError(f"table has shape {unit.shape} and must have {chain.busy.shape[0]} x {chain.cost.shape[1]}")
    idle = np.take_along_axis(~chain.busy[:-1], np.clip(unit[:-1], 0, chain.busy.shape[1] - 1), axis=1)
    bad = ~idle | (unit[:-1] < 0) | (unit[:-1] >= chain.busy.shape[1])
    if bad.any():
        state, zone = np.unravel_index(int(np.argmax(bad)), bad.shape)
        raise ValueError(f"table[{state}, {zone}] ({unit[state, zone]}) must be a unit that is idle in that state")
    return chain.evaluate(unit)


@dataclass(frozen=True)
class _Chain:
    """The checked problem; busy is (2^n_unit, n_unit) of bool."""

    arrival: Array
    service: Array
    cost: Array
    lost: float
    busy: Array

    @classmethod
    def of(cls, arrival: Any, service: Any, cost: Any, lost: float) -> _Chain:
        rate = vector("arrival", arrival)
        if rate.sum() <= 0:
            raise ValueError("arrival is 0 in every row; at least one zone must have calls")
        price = matrix("cost", cost, (None, rate.shape[0]))
        if not np.isfinite(price).all():
            row, column = np.unravel_index(int(np.argmax(~np.isfinite(price))), price.shape)
            raise ValueError(f"cost[{row}, {column}] must be finite; give an unreachable zone a large cost")
        units = _few(price.shape[0])
        return cls(rate, vector("service", service, units, open_low=True), price, number("lost", lost), _bits(units))

    def evaluate(self, table: Array) -> DispatchTable:
        """Solve the average-cost equations of a table: cost rate + Q value = mean cost rate."""
        size, units = self.busy.shape
        state = np.arange(size)
        rate = np.zeros((size, size))
        price = np.zeros(size)
        for zone, calls in enumerate(self.arrival):
            unit = table[:-1, zone]
            np.add.at(rate, (state[:-1], state[:-1] | 1 << unit), calls)
            price[:-1] += calls * self.cost[unit, zone]
        price[-1] = self.arrival.sum() * self.lost
        for one in range(units):
            held = state[self.busy[:, one]]
            rate[held, held ^ 1 << one] += self.service[one]
        rate[state, state] = -rate.sum(axis=1)
        rate[:, 0] = -1.0
        solved = np.linalg.solve(rate, -price)
        mean = float(solved[0])
        solved[0] = 0.0
        return DispatchTable(table, solved, mean / float(self.arrival.sum()))


def _few(units: int) -> int:
    if units > MOST_UNITS:
        raise ValueError(f"{units} units make 2^{units} states; {MOST_UNITS} is the most: divide the region")
    return units


def _bits(units: int) -> Array:
    return np.asarray((np.arange(1 << units)[:, None] >> np.arange(units)) & 1, dtype=bool)


def _closed(busy: Array) -> Array:
    """Return what bars busy units from being chosen; (n_state, 1, n_unit)."""
    return np.where(busy, np.inf, 0.0)[:, None, :]


def _improved(score: Array, unit: Array, least: float) -> Array:
    """Return the best units, but keep those that the best ones beat by no more than `least`."""
    new = _best(score)
    now, then = (np.take_along_axis(score[:-1], choice[:-1, :, None], axis=2)[..., 0] for choice in (unit, new))
    new[:-1] = np.where(now - then > least, new[:-1], unit[:-1])
    return new


def _best(score: Array) -> Array:
    """Return the unit of least score in each state and zone, the lowest of equals, -1 in the last state."""
    unit: Array = np.argmin(score, axis=2)
    unit[-1] = -1
    return unit
