"""A Poisson process of calls in space and time, fitted to a table of real calls.

    rate(t, x) = base[hour of week of t] * exp(beta . factor(hour of t)) * density(x)

Factors are hourly figures such as rain, heat or a flood. The base rates are shrunk towards their
mean by a few calls of prior weight, so that an hour of the week seen little or never has
a rate. Fitted by Newton's method on the penalised likelihood, which is concave.

Source: Daley and Vere-Jones, An Introduction to the Theory of Point Processes I (2003),
section 7.1 (likelihood) and 7.4 (rescaled time); for calls: Zhou, Matteson, Woodard,
Henderson, Micheas, A spatio-temporal point process model for ambulance demand, Journal of
the American Statistical Association 110 (2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twin.models.arguments import number
from twin.models.emergency.call_space import CallSpace, checked_places, fit_space

Array = np.ndarray[Any, Any]

HOUR = 3600.0
WEEK_HOURS = 168
_ROUNDS = 100
_SETTLED = 1e-10


@dataclass(frozen=True)
class Factors:
    """Hourly figures that raise or lower the rate of calls.

    names  one per factor
    value  (n_hour, n_factor)  row h holds from h to h + 1 hours after time 0
    """

    names: tuple[str, ...]
    value: Array

    def at(self, hour: Array) -> Array:
        """Return the figures of some hours; (n, n_factor).

        Raises ValueError with the first hour that the table does not have.
        """
        beyond = (hour < 0) | (hour >= self.value.shape[0])
        if beyond.any():
            first = int(hour[np.argmax(beyond)])
            raise ValueError(f"factors hold hours 0 to {self.value.shape[0] - 1}, and hour {first} is asked for")
        return np.asarray(self.value[hour], dtype=np.float64)


NO_FACTORS = Factors((), np.zeros((0, 0)))


@dataclass(frozen=True)
class CallProcess:
    """Rates of calls over the week, what raises them, and where calls happen.

    base      (168,)  1/s, by hour of week from Monday 0:00, all factors at 0
    evidence  (168,)  calls behind each base rate, those of the prior included
    names     factors
    beta      (n_factor,)  log of the ratio of rates per unit of each factor
    error     (n_factor,)  standard error of beta
    space     where
    """

    base: Array
    evidence: Array
    names: tuple[str, ...]
    beta: Array
    error: Array
    space: CallSpace

    def hourly(self, hour: Array, factors: Factors = NO_FACTORS) -> Array:
        """Return the rate (1/s) of each hour after time 0."""
        return np.asarray(self.base[hour % WEEK_HOURS] * np.exp(self._figures(hour, factors) @ self.beta))

    def expected(self, pieces: Pieces, factors: Factors = NO_FACTORS) -> Array:
        """Return the expected calls of each piece of time."""
        return np.asarray(self.hourly(pieces.hour, factors) * (pieces.last - pieces.first))

    def _figures(self, hour: Array, factors: Factors) -> Array:
        if factors.names != self.names:
            raise ValueError(f"factors {list(factors.names)} must be those of the fit, {list(self.names)}")
        return factors.at(hour) if self.names else np.zeros((hour.shape[0], 0))


@dataclass(frozen=True)
class Pieces:
    """Observed time, cut at full hours: first and last instant (s) and hour after time 0; all (n_piece,)."""

    first: Array
    last: Array
    hour: Array


@dataclass(frozen=True)
class Settings:
    """How to fit.

    prior       calls of prior weight on each hour of the week
    cell        m, side of a grid cell
    bandwidths  m, kernel widths tried
    even        share of calls spread evenly over the grid
    """

    prior: float = 1.0
    cell: float = 250.0
    bandwidths: Sequence[float] = field(default=(250.0, 500.0, 1000.0, 2000.0, 4000.0))
    even: float = 0.01


def cut_hours(span: Any) -> Pieces:
    """Cut stretches of observed time at full hours.

    span  (n, 2)  s, none overlapping another

    Raises ValueError with the first row that ends before it begins, or that overlaps.
    """
    rows = np.asarray(span, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != 2 or not rows.shape[0]:
        raise ValueError(
            f"span has shape {rows.shape} and must have one row of first and last instant for each stretch"
        )
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    bad = (rows[:, 1] <= rows[:, 0]) | np.r_[False, rows[1:, 0] < rows[:-1, 1]]
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"span {rows[row].tolist()} must end after it begins, and begin after the one before it ends")
    first: list[Array] = []
    last: list[Array] = []
    for begin, end in rows:
        edges = np.arange(np.floor(begin / HOUR), np.ceil(end / HOUR) + 1) * HOUR
        edges = np.clip(edges, begin, end)
        first.append(edges[:-1])
        last.append(edges[1:])
    start = np.concatenate(first)
    return Pieces(start, np.concatenate(last), np.floor(start / HOUR).astype(np.int64))


def count_in(pieces: Pieces, time: Any) -> Array:
    """Return how many calls fall in each piece; calls outside of all are not counted."""
    moments = np.asarray(time, dtype=np.float64)
    row = np.searchsorted(pieces.first, moments, side="right") - 1
    inside = (row >= 0) & (moments < pieces.last[np.maximum(row, 0)])
    return np.bincount(row[inside], minlength=pieces.first.shape[0])


def fit_process(
    time: Any, xy: Any, span: Any, factors: Factors = NO_FACTORS, settings: Settings | None = None
) -> CallProcess:
    """Fit a process to calls.

    time     (n_call,)     s after a Monday 0:00
    xy       (n_call, 2)   m
    span     (n_span, 2)   s, when every call was recorded; calls outside count for places only
    factors  hourly figures from time 0 on

    Raises ValueError for bad rows, for no call in any span, and for a factor that never changes.
    """
    chosen = settings or Settings()
    prior = number("prior", chosen.prior, open_low=True)
    moments, places = np.asarray(time, dtype=np.float64), checked_places(xy)
    if moments.shape != places.shape[:1]:
        raise ValueError(f"time has {moments.shape} rows and xy has {places.shape[0]}; they must be equal")
    pieces = cut_hours(span)
    count = count_in(pieces, moments)
    if not count.sum():
        raise ValueError("none of the calls falls in a span; check that both count from the same Monday")
    figures = factors.at(pieces.hour) if factors.names else np.zeros((pieces.hour.shape[0], 0))
    _check_factors(factors.names, figures)
    problem = _Likelihood(count, pieces.last - pieces.first, pieces.hour % WEEK_HOURS, figures, prior)
    base, beta, error = problem.solve()
    evidence = np.bincount(problem.week, count, WEEK_HOURS) + prior
    space = fit_space(places, chosen.cell, chosen.bandwidths, chosen.even)
    return CallProcess(base, evidence, factors.names, beta, error, space)


def _check_factors(names: Sequence[str], figures: Array) -> None:
    if figures.shape[1] != len(names):
        raise ValueError(f"factors have {len(names)} names and {figures.shape[1]} columns")
    for column, name in enumerate(names):
        if not np.isfinite(figures[:, column]).all():
            raise ValueError(
                f"factor {name!r} is not a finite number in hour row {_first(~np.isfinite(figures[:, column]))}"
            )
        if np.ptp(figures[:, column]) == 0:
            raise ValueError(f"factor {name!r} never changes in the observed time; leave it out")


def _first(bad: Array) -> int:
    return int(np.argmax(bad))


@dataclass(frozen=True)
class _Likelihood:
    """Penalised Poisson likelihood of counts per piece: log rate = alpha[hour of week] + beta . figures."""

    count: Array
    length: Array
    week: Array
    figures: Array
    prior: float

    def solve(self) -> tuple[Array, Array, Array]:
        """Return base rates, beta and its standard errors."""
        mean = self.count.sum() / self.length.sum()
        beta = np.zeros(self.figures.shape[1])
        for _ in range(_ROUNDS):
            base, expected = self._base(beta, mean)
            gradient, curvature = self._slope(expected)
            step = self._solved(curvature, gradient)
            step *= min(1.0, 2.0 / max(float(np.abs(step).max(initial=0.0)), 1e-300))
            beta = beta + step
            if np.abs(step).max(initial=0.0) < _SETTLED:
                break
        base, expected = self._base(beta, mean)
        _, curvature = self._slope(expected)
        spread = np.linalg.inv(curvature) if beta.size else np.zeros((0, 0))
        return base, beta, np.sqrt(np.diag(spread))

    def _base(self, beta: Array, mean: float) -> tuple[Array, Array]:
        """Return the best base rates given beta, which are explicit, and the expected calls per piece."""
        weight = self.length * np.exp(self.figures @ beta)
        calls = np.bincount(self.week, self.count, WEEK_HOURS) + self.prior
        base = calls / (np.bincount(self.week, weight, WEEK_HOURS) + self.prior / mean)
        return base, base[self.week] * weight

    def _slope(self, expected: Array) -> tuple[Array, Array]:
        """Return gradient and curvature in beta of the likelihood whose base rates are already the best."""
        gradient = self.figures.T @ (self.count - expected)
        curvature = self.figures.T @ (expected[:, None] * self.figures)
        if self.figures.shape[1]:
            mixed = np.stack([np.bincount(self.week, expected * figure, WEEK_HOURS) for figure in self.figures.T])
            total = np.bincount(self.week, self.count, WEEK_HOURS) + self.prior
            curvature = curvature - (mixed / total) @ mixed.T
        return gradient, curvature

    def _solved(self, curvature: Array, gradient: Array) -> Array:
        try:
            return np.asarray(np.linalg.solve(curvature, gradient))
        except np.linalg.LinAlgError:
            raise ValueError("the factors cannot be told apart from each other; leave one out") from None
