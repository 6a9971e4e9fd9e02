"""Means of one long run: where its start-up ends, and how exact its mean is.

Assumptions: one series of a process that becomes stationary, equally spaced or one value per customer,
with correlations that die out within a small share of the series. Values carry the unit of the figure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.stats.paired import LEVEL, Interval, Values

BATCHES = 20
_GROUP = 5
_TAIL = 5


@dataclass(frozen=True)
class SteadyMean:
    """Mean of a long run after its start-up.

    interval     batch-means interval of the mean
    dropped      values taken off the beginning
    batches      number of batches
    correlation  between neighbouring batch means; far from 0 means batches are too short
    settled      False when the start-up may not have ended: no interval should be trusted then
    """

    interval: Interval
    dropped: int
    batches: int
    correlation: float
    settled: bool


def mser(series: Values, group: int = _GROUP) -> int | None:
    """Return how many values to drop at the beginning, None when the start-up seems not to end.

    series  (n,)  finite, n >= 2 * group
    group   values averaged before the search; 5 gives MSER-5
    The cut-off minimises the variance of what is kept over its number; a minimum in the second half
    means that the series is too short. A constant series drops nothing.
    Source: White, Simulation 69 (1997), 323-334; groups of five: White, Cobb and Spratt, Proceedings of
    the Winter Simulation Conference (2000), 755-760; the last groups, where a few like values look like
    rest, are left out as by Hoad, Robinson and Davies, J. Operational Research Society 61 (2010), 1389-1403.
    Raises ValueError for a series that is too short or holds a value that is not finite, and for an empty group.
    """
    if group < 1:
        raise ValueError(f"group ({group}) must be 1 or more")
    _check_finite(series)
    count = series.size // group
    if count < 2:
        raise ValueError(f"a series of {series.size} values is too short: {2 * group} or more are needed")
    means = series[: count * group].reshape(count, group).mean(axis=1)
    centred = means - means.mean()
    kept = np.arange(count, 0, -1)
    sums, squares = centred[::-1].cumsum()[::-1], (centred**2)[::-1].cumsum()[::-1]
    spread = np.maximum(squares - sums**2 / kept, 0.0) / kept**2
    cut = int(np.argmin(spread[: max(count - _TAIL, count // 2 + 1)]))
    return None if cut > count // 2 else cut * group


def batch_means(series: Values, batches: int = BATCHES, level: float = LEVEL) -> Interval:
    """Return the interval of the mean of a stationary series from means of batches.

    series   (n,)  finite, n >= batches; values that do not fill a batch are dropped at the beginning
    batches  >= 2; 10 to 30 lose little and keep batches long (Schmeiser, Operations Research 30 (1982))
    Student's t over batch means, taken to be independent and normal.
    Raises ValueError for a series that is too short or holds a value that is not finite.
    Source: Law, Simulation Modeling and Analysis, 5th ed. (2015), section 9.5.3.
    """
    from scipy.special import stdtrit

    _check_finite(series)
    means = _batches(series, batches)
    mean = float(means.mean())
    if (means == means[0]).all():
        return Interval(float(means[0]), float(means[0]), float(means[0]), 0.0)
    error = float(means.std(ddof=1)) / math.sqrt(batches)
    half = float(stdtrit(batches - 1, (1 + level) / 2)) * error
    return Interval(mean, mean - half, mean + half, error)


def steady_mean(series: Any, batches: int = BATCHES, level: float = LEVEL) -> SteadyMean:
    """Return the mean of a long run after MSER-5 truncation, with its batch-means interval.

    series  (n,)  finite, n >= 4 * batches
    Raises ValueError for a series that is too short or holds a value that is not finite.
    """
    values = np.asarray(series, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"a series has one dimension, not {values.ndim}")
    if batches < 2 or values.size < 4 * batches:
        raise ValueError(f"{values.size} values are too few for {batches} batches: {4 * max(batches, 2)} are needed")
    cut = mser(values)
    kept = values[cut or 0 :]
    found = batch_means(kept, batches, level)
    return SteadyMean(found, cut or 0, batches, _neighbours(_batches(kept, batches)), cut is not None)


def _batches(series: Values, batches: int) -> Values:
    length = series.size // batches
    if length < 1 or batches < 2:
        raise ValueError(f"{series.size} values cannot make {batches} batches; 2 or more batches of a value each can")
    means: Values = series[series.size - length * batches :].reshape(batches, length).mean(axis=1)
    return means


def _neighbours(means: Values) -> float:
    """Return the lag-1 correlation of batch means, 0 when they are all equal."""
    if (means == means[0]).all():
        return 0.0
    centred = means - means.mean()
    total = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / total if total > 0 else 0.0


def _check_finite(series: Values) -> None:
    wrong = int((~np.isfinite(series)).sum())
    if wrong:
        raise ValueError(f"{wrong} of {series.size} values are not finite")
