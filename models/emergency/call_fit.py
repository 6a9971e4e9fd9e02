"""Say how well a fitted process of calls agrees with calls that were kept back.

Three tests, one for each thing claimed: rescaled times (Poisson in time), counts by hour
of the week (the weekly pattern), and the likelihood of places (the spatial kernel). With
thousands of calls a p-value finds any small fault, so the sizes of the faults are given too.

Source: rescaled times: Brown, Barbieri, Ventura, Kass, Frank, The time-rescaling theorem and its
application to neural spike train data analysis, Neural Computation 14 (2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.models.emergency.call_space import checked_places
from twin.models.emergency.process import NO_FACTORS, WEEK_HOURS, CallProcess, Factors, count_in, cut_hours

Array = np.ndarray[Any, Any]

_LEAST_EXPECTED = 5.0
_DAY_HOURS = 24


@dataclass(frozen=True)
class CallFit:
    """How a process agrees with calls.

    calls          calls judged
    ks, ks_p       Kolmogorov-Smirnov distance of rescaled gaps from uniform, and its p-value
    lag            correlation of neighbouring rescaled gaps; 0 for a Poisson process
    chi_square, degrees, chi_square_p  counts by hour of the week; the uncertainty of the fitted rates counts
                   as well, and hours with less than 5 expected calls are put together
    dispersion     variance of calls a day over the Poisson variance; above 1 days differ more than the model says
    gain           nats per call by which the kernel beats an even spread over the grid
    log_density    mean logarithm of the density (1/m2) at the calls
    observed, expected  (168,)  calls by hour of the week
    rescaled       (n,)  rescaled gaps, uniform on 0..1 if the model holds
    """

    calls: int
    ks: float
    ks_p: float
    lag: float
    chi_square: float
    degrees: int
    chi_square_p: float
    dispersion: float
    gain: float
    log_density: float
    observed: Array
    expected: Array
    rescaled: Array

    def plot(self, axes: Any = None) -> Any:
        """Draw calls by hour of the week beside the rescaled gaps on two axes; see `twin.plot.calls`."""
        from twin.plot.calls import call_fit_plot

        return call_fit_plot(self.observed, self.expected, self.rescaled, axes)


def judge_fit(process: CallProcess, time: Any, xy: Any, span: Any, factors: Factors = NO_FACTORS) -> CallFit:
    """Judge a process by calls that it was not fitted to.

    time   (n_call,)    s after the Monday 0:00 of the factors
    xy     (n_call, 2)  m
    span   (n_span, 2)  s, when every call was recorded; calls outside are left out

    Raises ValueError for bad rows and for fewer than 10 calls in the spans.
    """
    from scipy.stats import chi2, kstest

    pieces = cut_hours(span)
    expected = process.expected(pieces, factors)
    count = count_in(pieces, time)
    moments, places = np.asarray(time, dtype=np.float64), checked_places(xy)
    row = np.searchsorted(pieces.first, moments, side="right") - 1
    inside = (row >= 0) & (moments < pieces.last[np.maximum(row, 0)])
    if inside.sum() < 10:
        raise ValueError(f"{int(inside.sum())} calls fall in the spans; a judgement needs 10 or more")
    gaps = _rescaled(moments[inside], row[inside], pieces.first, expected / (pieces.last - pieces.first), expected)
    ks = kstest(gaps, "uniform")
    week = pieces.hour % WEEK_HOURS
    observed = np.bincount(week, count, WEEK_HOURS)
    mean = np.bincount(week, expected, WEEK_HOURS)
    square, degrees = _chi_square(observed, mean, process.evidence)
    density = process.space.log_density(places[inside])
    cells = process.space.share.shape[0]
    even = -np.log(cells) - 2.0 * np.log(process.space.cell)
    return CallFit(
        int(inside.sum()), float(ks.statistic), float(ks.pvalue), float(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]),
        square, degrees, float(chi2.sf(square, degrees)), _dispersion(pieces.hour, count, expected),
        float(density.mean() - even), float(density.mean()), observed, mean, gaps,
    )  # fmt: skip


def _rescaled(time: Array, row: Array, first: Array, rate: Array, expected: Array) -> Array:
    """Return 1 - exp(-expected calls between neighbours); time between spans does not pass."""
    before = np.r_[0.0, np.cumsum(expected)[:-1]]
    clock = np.sort(before[row] + rate[row] * (time - first[row]))
    return np.asarray(-np.expm1(-np.diff(clock, prepend=0.0)))


def _chi_square(observed: Array, expected: Array, evidence: Array) -> tuple[float, int]:
    """Return the statistic and its degrees of freedom.

    The variance of a count about an estimated mean m is m + m^2 / n, n the calls behind the estimate.
    """
    large = expected >= _LEAST_EXPECTED
    rest = ~large & (expected > 0)
    spread = np.divide(expected**2, evidence)
    groups = [(observed[large] - expected[large]) ** 2 / (expected[large] + spread[large])]
    if expected[rest].sum() > 0:
        groups.append(
            np.atleast_1d((observed[rest].sum() - expected[rest].sum()) ** 2 / (expected + spread)[rest].sum())
        )
    terms = np.concatenate(groups)
    return float(terms.sum()), int(terms.shape[0])


def _dispersion(hour: Array, count: Array, expected: Array) -> float:
    """Return the mean of (calls - expected)^2 / expected over days."""
    day = hour // _DAY_HOURS - hour.min() // _DAY_HOURS
    calls, mean = np.bincount(day, count), np.bincount(day, expected)
    seen = mean > 0
    return float(np.mean((calls[seen] - mean[seen]) ** 2 / mean[seen]))
