"""Find the best of several systems with a stated probability.

Assumptions: replications are independent and near enough to normal; systems may share random numbers
within a replication, which helps. Differences below the indifference zone do not matter: any system
within it of the best is a good answer. Values carry the unit of the figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.stats.verdict import DIRECTIONS

Array = np.ndarray[Any, Any]
Sampler = Callable[[Sequence[int], int], Sequence[float]]
"""Called with systems (0 .. k-1) and a replication (0, 1, ...); returns one value per system."""


@dataclass(frozen=True)
class Zone:
    """What counts as best, and how sure the answer has to be.

    indifference  smallest difference worth detecting, > 0, in the unit of the figure
    direction     "lower" or "higher" values are better
    level         probability of a correct selection, above 1/k
    first         replications of every system before any is dropped, >= 2
    cap           most replications of a system; reaching it gives up the guarantee
    """

    indifference: float
    direction: str = "lower"
    level: float = 0.95
    first: int = 10
    cap: int = 100_000


@dataclass(frozen=True)
class Selection:
    """The system chosen.

    best          its number
    means         (k,)  mean of each over the replications it had
    replications  (k,)  how many that were; a system is dropped as soon as it is clearly behind
    guaranteed    the probability of correct selection holds: the cap was not reached
    """

    best: int
    means: tuple[float, ...]
    replications: tuple[int, ...]
    guaranteed: bool


def select_best(sample: Sampler, systems: int, zone: Zone) -> Selection:
    """Choose the best of k systems by the fully sequential procedure KN.

    If the best is ahead of all others by the indifference zone it is chosen with probability at least
    `zone.level`, common random numbers or not (c = 1, the constant that needs no tables).
    Systems that never differ, or by a constant, need no more than the first stage; of equal ones the first is chosen.
    Raises ValueError for fewer than 2 systems or an impossible zone, and for values that are not finite
    or too large to be squared.
    Source: Kim and Nelson, ACM Transactions on Modeling and Computer Simulation 11 (2001), 251-273.
    """
    _check(systems, zone)
    sign = 1.0 if zone.direction == "higher" else -1.0
    first = np.array([_values(sample, range(systems), r) for r in range(zone.first)]) * sign
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = _h_squared(systems, zone) * _pair_variances(first) / zone.indifference**2
    if not np.isfinite(scaled).all():
        raise ValueError(f"the spread of the first stage is too large for an indifference of {zone.indifference:g}")
    sums, counts = first.sum(axis=0), np.full(systems, zone.first)
    alive, r = np.arange(systems), zone.first
    while True:
        alive = alive[_survivors(sums[alive] / r, scaled[np.ix_(alive, alive)], r, zone.indifference)]
        if alive.size == 1 or r >= zone.cap or r > int(scaled[np.ix_(alive, alive)].max()):
            break
        sums[alive] += sign * np.array(_values(sample, alive.tolist(), r))
        r += 1
        counts[alive] = r
    best = int(alive[np.argmax(sums[alive])])
    guaranteed = alive.size == 1 or r > int(scaled[np.ix_(alive, alive)].max())
    return Selection(best, tuple((sign * sums / counts).tolist()), tuple(counts.tolist()), bool(guaranteed))


def allocate(means: Sequence[float], deviations: Sequence[float], budget: int, direction: str = "lower") -> list[int]:
    """Share a budget of replications among systems so that the best is most likely to show (OCBA).

    means, deviations  (k,)  of each system so far, unit of the figure; finite, deviations >= 0
    budget             total replications, those done included, >= 0; shares sum to it
    Systems close to the best and noisy ones get more: N_i / N_j = ((s_i / d_i) / (s_j / d_j))^2 with d
    the distance to the best, and N_b = s_b sqrt(sum_i N_i^2 / s_i^2) for the best. Asymptotic, and no
    guarantee: use it to spend a fixed budget, `select_best` to be sure. Means that tie for best take it all, which
    is where the ratios go as distances shrink; a system without spread needs nothing; without any, all get alike.
    Raises ValueError for fewer than 2 systems, values that are not finite, and a negative budget or deviation.
    Source: Chen, Lin, Yucesan and Chick, Discrete Event Dynamic Systems 10 (2000), 251-270, theorem 1.
    """
    mean, deviation = np.asarray(means, dtype=np.float64), np.asarray(deviations, dtype=np.float64)
    _check_allocation(mean, deviation, budget, direction)
    best = int(np.argmin(mean) if direction == "lower" else np.argmax(mean))
    others = np.arange(mean.size) != best
    distance = np.abs(mean - mean[best])[others]
    spread = deviation[others]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(spread > 0, spread / distance, 0.0)
    if np.isinf(ratio).any():
        ratio, distance = np.where(np.isinf(ratio), spread, 0.0), np.ones(spread.size)
    largest = float(ratio.max())
    weight = np.zeros(mean.size)
    if largest > 0:
        weight[others] = (ratio / largest) ** 2
        per_spread = weight[others] / np.where(spread > 0, spread, 1.0)
        weight[best] = deviation[best] * math.hypot(*per_spread.tolist())
    total = float(weight.sum())
    shares = weight / total if total > 0 else np.full(mean.size, 1 / mean.size)
    return _whole(shares * budget, budget)


def _check_allocation(mean: Array, deviation: Array, budget: int, direction: str) -> None:
    if mean.ndim != 1 or mean.size < 2 or mean.shape != deviation.shape:
        raise ValueError(f"allocation needs 2 or more systems with a deviation each, not {mean.size}")
    if not (np.isfinite(mean).all() and np.isfinite(deviation).all() and (deviation >= 0).all()):
        raise ValueError("allocation needs finite means, and deviations of 0 or more")
    if budget < 0:
        raise ValueError(f"budget ({budget}) must be 0 or more")
    _check_direction(direction)


def _check_direction(direction: str) -> None:
    if direction not in DIRECTIONS:
        raise ValueError(f"direction ({direction!r}) must be one of {', '.join(DIRECTIONS)}")


def _check(systems: int, zone: Zone) -> None:
    if systems < 2:
        raise ValueError(f"systems ({systems}) must be 2 or more")
    if not zone.indifference > 0:
        raise ValueError(f"indifference ({zone.indifference}) must be greater than 0")
    if not 1 / systems < zone.level < 1:
        raise ValueError(f"level ({zone.level}) must lie between 1/{systems} and 1")
    if zone.first < 2:
        raise ValueError(f"first ({zone.first}) must be 2 or more")
    if zone.cap < zone.first:
        raise ValueError(f"cap ({zone.cap}) must be at least first ({zone.first})")
    _check_direction(zone.direction)


def _h_squared(systems: int, zone: Zone) -> float:
    """Return h^2 = 2 eta (n0 - 1) of KN with c = 1, eta = ((2 alpha / (k - 1))^(-2 / (n0 - 1)) - 1) / 2."""
    degrees = zone.first - 1
    eta = ((2 * (1 - zone.level) / (systems - 1)) ** (-2 / degrees) - 1) / 2
    return float(2 * eta * degrees)


def _pair_variances(first: Array) -> Array:
    """Return the sample variance of the difference of each pair of systems.

    first  (n0, k)
    """
    covariance = np.cov(first, rowvar=False, ddof=1)
    spread = np.diag(covariance)
    variances: Array = np.maximum(spread[:, None] + spread[None, :] - 2 * covariance, 0.0)
    return variances


def _survivors(means: Array, scaled: Array, r: int, indifference: float) -> Array:
    """Tell which systems are not clearly behind any other after r replications.

    means   (m,)    larger is better
    scaled  (m, m)  h^2 S^2 / indifference^2 of each pair
    """
    allowance = np.maximum(indifference / (2 * r) * (scaled - r), 0.0)
    np.fill_diagonal(allowance, 0.0)
    alive: Array = np.all(means[:, None] >= means[None, :] - allowance, axis=1)
    return alive


def _values(sample: Sampler, systems: Sequence[int], replication: int) -> list[float]:
    values = [float(value) for value in sample(systems, replication)]
    if len(values) != len(systems) or not all(math.isfinite(value) for value in values):
        raise ValueError(f"replication {replication} gave {values} for {len(systems)} systems")
    return values


def _whole(shares: Array, budget: int) -> list[int]:
    """Round shares to whole numbers that sum to the budget, largest remainders first."""
    whole = np.floor(shares).astype(int)
    order = np.argsort(-(shares - whole), kind="stable")
    whole[order[: budget - int(whole.sum())]] += 1
    return [int(n) for n in whole]
