"""Intervals of paired differences, and what pairing is worth.

Assumptions: replications are independent of each other; the two arms of a replication may share all
random numbers, so their difference is taken before anything else. Values carry the unit of the figure.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

import numpy as np

LEVEL = 0.95
_RESAMPLES = 2000

Values = np.ndarray[tuple[int], np.dtype[np.float64]]


class Interval(NamedTuple):
    """A confidence interval of a mean difference.

    mean, low, high  unit of the figure; low and high are infinite when nothing is known of the spread
    error            standard error of the mean, same unit
    """

    mean: float
    low: float
    high: float
    error: float


class Factor(NamedTuple):
    """How much less the difference of two arms varies because they share random numbers.

    value      variance of the difference with independent arms over that with paired arms, > 0;
               below 1 sharing harms; inf when the arms move exactly together; 1 when either never varies
    low, high  its bootstrap interval
    """

    value: float
    low: float
    high: float


def interval(differences: Values, level: float = LEVEL) -> Interval:
    """Return the paired t interval of the mean difference.

    differences  (n,)  n >= 1, finite
    Equal differences have an interval of no width, so all zeros give 0, 0, 0, 0 and never nan;
    one difference says nothing about spread: its interval has no end.
    Exact when the differences are normal, else near enough for moderate n.
    Source: Law, Simulation Modeling and Analysis, 5th ed. (2015), section 10.2.1.
    """
    from scipy.special import stdtrit

    n = differences.size
    degenerate = _degenerate(differences)
    if degenerate is not None:
        return degenerate
    # A power of two changes no digit, and squares of the scaled values neither overflow nor vanish.
    power = math.frexp(float(np.abs(differences).max()))[1]
    scaled = np.ldexp(differences, -power)
    mean = math.ldexp(float(scaled.mean()), power)
    error = math.ldexp(float(scaled.std(ddof=1)), power) / math.sqrt(n)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * error
    return Interval(mean, mean - half, mean + half, error)


def bca_interval(differences: Values, level: float = LEVEL, seed: int = 0, resamples: int = _RESAMPLES) -> Interval:
    """Return the bias-corrected and accelerated bootstrap interval of the mean difference.

    differences  (n,)  n >= 1, finite; degenerate ones are handled as by `interval`
    seed         of the resampling: equal values and seed give equal bounds
    Assumes no distribution, yet covers too little for n below about 15 (Efron and Tibshirani 1993,
    section 14.3). Where the correction is undefined the t interval stands in.
    Source: Efron, Journal of the American Statistical Association 82 (1987), 171-185.
    """
    degenerate = _degenerate(differences)
    if degenerate is not None:
        return degenerate
    fallback = interval(differences, level)
    low, high = _bootstrap((differences,), _mean, level, seed, resamples)
    if not (math.isfinite(low) and math.isfinite(high)):
        return fallback
    return Interval(fallback.mean, low, high, fallback.error)


def reduction_factor(
    baseline: Values, arm: Values, level: float = LEVEL, seed: int = 0, resamples: int = _RESAMPLES
) -> Factor:
    """Measure the variance reduction that common random numbers gave.

    baseline, arm  (n,)  values of the same replications in the same order, finite, n >= 2
    The factor is (Var A + Var B) / Var(A - B): what the difference of independent arms would vary over
    what it does vary; as many times fewer replications give the same width of interval. Bootstrapped
    over replications on the scale of 1 / factor, which is finite where the factor is not; where the
    correction is undefined the interval is 0 to inf.
    Raises ValueError for other shapes and for values that are not finite.
    Source: Law (2015), section 11.2; interval as in `bca_interval`.
    """
    if baseline.shape != arm.shape or baseline.size < 2:
        raise ValueError(f"a factor needs 2 or more pairs of values, not {baseline.size} and {arm.size}")
    if not (np.isfinite(baseline).all() and np.isfinite(arm).all()):
        raise ValueError("a factor needs finite values; leave out the replications that have none")
    if (baseline == baseline[0]).all() or (arm == arm[0]).all():
        return Factor(1.0, 1.0, 1.0)
    share = float(_share(baseline, arm))
    if share == 0:
        return Factor(math.inf, math.inf, math.inf)
    low, high = _bootstrap((baseline, arm), _share, level, seed, resamples)
    if math.isnan(low) or math.isnan(high):
        return Factor(1 / share, 0.0, math.inf)
    return Factor(1 / share, _inverse(high), _inverse(low))


def _degenerate(differences: Values) -> Interval | None:
    """Return the interval of differences that are all equal, None when they are not."""
    first = float(differences[0])
    if not (differences == first).all():
        return None
    if differences.size > 1:
        return Interval(first, first, first, 0.0)
    return Interval(first, -math.inf, math.inf, math.inf)


def _bootstrap(
    columns: tuple[Values, ...], statistic: Any, level: float, seed: int, resamples: int
) -> tuple[float, float]:
    """Return BCa bounds of a statistic, nan where they are undefined."""
    from scipy.stats import bootstrap

    generator = np.random.Generator(np.random.Philox(seed))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = bootstrap(
            columns,
            statistic,
            paired=len(columns) > 1,
            n_resamples=resamples,
            confidence_level=level,
            method="BCa",
            random_state=generator,
        ).confidence_interval
    return float(found.low), float(found.high)


def _mean(values: Any, axis: int = -1) -> Any:
    return values.mean(axis=axis)


def _share(a: Any, b: Any, axis: int = -1) -> Any:
    """Return Var(A - B) / (Var A + Var B), 1 where neither varies: sharing changes nothing there."""
    apart = a.var(axis=axis, ddof=1) + b.var(axis=axis, ddof=1)
    together = (a - b).var(axis=axis, ddof=1)
    return np.where(apart > 0, together / np.where(apart > 0, apart, 1.0), 1.0)


def _inverse(share: float) -> float:
    return 1 / share if share > 0 else math.inf
