"""Judge two arms by paired differences over replications with common random numbers.

Assumptions, for every figure: replications are independent of each other; the two arms of a
replication share all random numbers, so their difference is taken before anything else; the mean
of the differences is near enough to normal for Student's t (exact when the differences are
normal). Interval: Law, Simulation Modeling and Analysis, 5th ed. (2015), section 10.2.1.
Several figures at once: Holm, Scandinavian Journal of Statistics 6 (1979), 65-70.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

LEVEL = 0.95
BETTER, SAME, WORSE, INCONCLUSIVE = "better", "same", "worse", "inconclusive"


@dataclass(frozen=True)
class Figure:
    """What is compared: a name, its unit, which direction is better, and the margin that matters.

    direction  "lower" or "higher"
    margin     differences up to this size are practically none, >= 0, in `unit`
    """

    name: str
    unit: str
    direction: str
    margin: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """One figure of an arm against the baseline.

    pairs          replications that both arms have, by seed
    mean_a, mean_b mean of baseline and arm over the pairs
    difference     mean of arm minus baseline; low, high: its confidence interval
    p              smallest 1 - level at which this interval would decide the verdict
    p_family       the same by Holm over all figures judged together
    verdict        from the interval of this figure alone
    family_verdict the verdict when all figures are to hold together, else "inconclusive"
    reason         why it is inconclusive, or ""
    """

    figure: Figure
    pairs: int
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    p: float
    verdict: str
    level: float = LEVEL
    p_family: float = 1.0
    family_verdict: str = INCONCLUSIVE
    reason: str = ""


def compare_figures(
    figures: Sequence[Figure],
    baseline: Mapping[str, Mapping[int, float]],
    arm: Mapping[str, Mapping[int, float]],
    level: float = LEVEL,
) -> list[Comparison]:
    """Compare every figure of an arm with the baseline, alone and as a family.

    baseline, arm  figure -> seed -> value; only seeds in both are used
    """
    found = []
    for figure in figures:
        a, b = baseline.get(figure.name, {}), arm.get(figure.name, {})
        keys = sorted(a.keys() & b.keys())
        found.append(compare(figure, [a[k] for k in keys], [b[k] for k in keys], level))
    adjusted = holm([comparison.p for comparison in found])
    return [_with_family(comparison, p) for comparison, p in zip(found, adjusted, strict=True)]


def compare(figure: Figure, baseline: Sequence[float], arm: Sequence[float], level: float = LEVEL) -> Comparison:
    """Compare paired values of one figure.

    baseline, arm  (n,)  values of the same replications, in the same order
    Raises ValueError when the lengths differ or the level is not inside (0, 1).
    """
    a, b = np.asarray(baseline, dtype=np.float64), np.asarray(arm, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"paired values must agree in number: {a.size} and {b.size}")
    if not 0 < level < 1:
        raise ValueError(f"level ({level}) must lie between 0 and 1")
    reason = _unusable(a, b)
    if reason:
        nan, inf = math.nan, math.inf
        means = (float(a.mean()), float(b.mean())) if a.size else (nan, nan)
        return Comparison(
            figure, a.size, *means, means[1] - means[0], -inf, inf, 1.0, INCONCLUSIVE, level, reason=reason
        )
    difference, low, high, error = interval(b - a, level)
    verdict = decide(figure, low, high)
    return Comparison(
        figure, a.size, float(a.mean()), float(b.mean()), difference, low, high,
        _deciding_p(difference, error, figure.margin, a.size), verdict, level,
        reason=_why_undecided(a.size, figure) if verdict == INCONCLUSIVE else "",
    )  # fmt: skip


def interval(differences: np.ndarray[tuple[int], np.dtype[np.float64]], level: float) -> tuple[float, ...]:
    """Return mean, lower and upper bound, and standard error of paired differences.

    differences  (n,)  n >= 1, finite
    Equal differences have an interval of no width, so all zeros give 0, 0, 0, 0 and never nan;
    one difference that is not zero says nothing about spread: its interval has no end.
    """
    from scipy.special import stdtrit

    n = differences.size
    mean = float(differences.mean())
    if (differences == differences[0]).all():
        mean = float(differences[0])
        return (mean, mean, mean, 0.0) if n > 1 or mean == 0 else (mean, -math.inf, math.inf, math.inf)
    error = float(differences.std(ddof=1)) / math.sqrt(n)
    half = float(stdtrit(n - 1, (1 + level) / 2)) * error
    return mean, mean - half, mean + half, error


def decide(figure: Figure, low: float, high: float) -> str:
    """Return the verdict of an interval: beyond the margin, within it, or undecided."""
    gain = (low, high) if figure.direction == "higher" else (-high, -low)
    if low == high == 0 or (-figure.margin <= low and high <= figure.margin and figure.margin > 0):
        return SAME
    if gain[0] > figure.margin:
        return BETTER
    return WORSE if gain[1] < -figure.margin else INCONCLUSIVE


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Holm's step-down rule, in the order given.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [1.0] * len(p)
    highest = 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = highest
    return adjusted


def _deciding_p(difference: float, error: float, margin: float, n: int) -> float:
    """Return the smallest alpha whose interval lies on one side of the nearest edge of the margin.

    An interval of half width t * error decides as soon as it no longer reaches that edge.
    """
    from scipy.special import stdtr

    distance = abs(abs(difference) - margin)
    if error == 0:
        return 0.0 if distance > 0 or difference == 0 else 1.0
    if math.isinf(error):
        return 1.0
    return float(2 * stdtr(n - 1, -distance / error))


def _with_family(comparison: Comparison, p: float) -> Comparison:
    holds = p <= 1 - comparison.level and comparison.verdict != INCONCLUSIVE
    return replace(comparison, p_family=p, family_verdict=comparison.verdict if holds else INCONCLUSIVE)


def _unusable(a: np.ndarray[tuple[int], np.dtype[np.float64]], b: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    if a.size == 0:
        return "no seed is in both arms"
    with np.errstate(over="ignore", invalid="ignore"):
        missing = int((~np.isfinite(b - a)).sum())
    return f"no finite value in {missing} of {a.size} replications" if missing else ""


def _why_undecided(n: int, figure: Figure) -> str:
    if n == 1:
        return "one replication only"
    unit = "" if figure.unit == "1" else f" {figure.unit}"
    edge = f"the margin of {figure.margin:g}{unit}" if figure.margin else "zero"
    return f"the interval reaches over {edge}"
