"""Verdicts of one arm against a baseline: better, same, worse or inconclusive, per figure and together.

Assumptions: those of `paired`. A verdict says where the interval of the mean difference lies: beyond
the margin, within it, or across its edge.

Several figures at once. p of a figure is the smallest alpha whose interval decides it. Holm's step-down
rule (Scandinavian Journal of Statistics 6 (1979), 65-70) takes the K figures by rising p and allows the
j-th the level alpha / (K - j + 1), until the first that is not decided at its level; that one and all
after it are inconclusive together. The Holm-adjusted interval of a figure is the interval at the level
it was allowed (the level of the first undecided figure for all after it), so the family verdict is again
the place of an interval against the margin, and nothing but this interval has to be shown.
Several arms against one baseline make one family of all their judged figures: whoever picks an arm by
its verdict has looked at all of them. A pair that was chosen beforehand is a family by itself.
What is guaranteed: with probability 1 - alpha no family verdict is false, by Holm where which verdicts
would be false does not depend on the data, and for verdicts that can err to two sides by Shaffer
(Annals of Statistics 8 (1980), 1342-1347) for independent figures. Dependent figures are measured:
tests/verification/statistics and `python -m benchmarks gate_power`. What is not: that all adjusted
intervals cover at once; for that every figure would need the level alpha / K (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from twin.stats.paired import LEVEL, Values, interval

BETTER, SAME, WORSE, INCONCLUSIVE = "better", "same", "worse", "inconclusive"
UNMEASURED = "nothing measured"
"""Reason where neither arm has a value."""

DIRECTIONS = ("lower", "higher")
_LARGEST = 1e300


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

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise ValueError(f"direction of {self.name} ({self.direction!r}) must be one of {', '.join(DIRECTIONS)}")
        if not 0 <= self.margin < math.inf:
            raise ValueError(f"margin of {self.name} ({self.margin:g}) must be 0 or more, and finite")


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
    family_low, family_high  Holm-adjusted interval, whose place gives family_verdict
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
    family_low: float = -math.inf
    family_high: float = math.inf

    @property
    def half_width(self) -> float:
        """Half the width of the Holm-adjusted interval, in the unit of the figure."""
        return (self.family_high - self.family_low) / 2

    @property
    def family_reason(self) -> str:
        """Why the verdict for all figures together is inconclusive, or ""."""
        if self.family_verdict != INCONCLUSIVE or self.verdict == INCONCLUSIVE or math.isinf(self.family_high):
            return self.reason
        return f"{self.verdict} by itself, but {self.pairs} replications are too few to say it of all together"


def compare_figures(
    figures: Sequence[Figure],
    baseline: Mapping[str, Mapping[int, float]],
    arm: Mapping[str, Mapping[int, float]],
    level: float = LEVEL,
    judged: Collection[str] = (),
) -> list[Comparison]:
    """Compare every figure of an arm with the baseline, alone and as a family.

    baseline, arm  figure -> seed -> value; only seeds in both are used
    judged         names of the figures that make the family, none for all; the others have no
                   family verdict and cost the family no power
    """
    return compare_arms(figures, {"baseline": baseline, "arm": arm}, "baseline", level, judged)["arm"]


def compare_arms(
    figures: Sequence[Figure],
    values: Mapping[str, Mapping[str, Mapping[int, float]]],
    baseline: str,
    level: float = LEVEL,
    judged: Collection[str] = (),
) -> dict[str, list[Comparison]]:
    """Compare every figure of every arm with one baseline; all arms together are the family.

    values  arm -> figure -> seed -> value, the baseline's among them; only seeds in both arms are used
    judged  as for `compare_figures`
    Returns the comparisons of each other arm, in the order of `values`.
    """
    rivals = [arm for arm in values if arm != baseline]
    found = [_compare_shared(figure, values[baseline], values[arm], level) for arm in rivals for figure in figures]
    adjusted = iter(together([one for one in found if not judged or one.figure.name in judged]))
    whole = [next(adjusted) if not judged or one.figure.name in judged else one for one in found]
    return {arm: whole[i * len(figures) : (i + 1) * len(figures)] for i, arm in enumerate(rivals)}


def _compare_shared(
    figure: Figure, baseline: Mapping[str, Mapping[int, float]], arm: Mapping[str, Mapping[int, float]], level: float
) -> Comparison:
    """Compare a figure over the seeds that both arms have."""
    a, b = baseline.get(figure.name, {}), arm.get(figure.name, {})
    keys = sorted(a.keys() & b.keys())
    return compare(figure, [a[key] for key in keys], [b[key] for key in keys], level)


def together(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return comparisons judged as one family: Holm's p, interval and verdict filled in.

    Comparisons of several arms with one baseline may form one family.
    """
    adjusted = holm([comparison.p for comparison in comparisons])
    allowed = _allowed([comparison.p for comparison in comparisons], [1 - c.level for c in comparisons])
    return [_with_family(*row) for row in zip(comparisons, adjusted, allowed, strict=True)]


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
        with np.errstate(over="ignore"):
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

    An interval of half width t * error decides as soon as it no longer reaches that edge. Equal
    differences show no spread to judge by, so few of them are weak evidence: p is then that of a sign
    test whose n differences all lie on one side, 2 * 0.5^n.
    """
    from scipy.special import stdtr

    distance = abs(abs(difference) - margin)
    if error == 0:
        return 0.5 ** (n - 1) if distance > 0 or difference == 0 else 1.0
    if math.isinf(error):
        return 1.0
    return float(2 * stdtr(n - 1, -distance / error))


def _allowed(p: Sequence[float], alphas: Sequence[float]) -> list[float]:
    """Return the alpha that Holm's rule allows each figure; undecided ones share that of the first of them."""
    allowed = list(alphas)
    stopped = 0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        allowed[i] = alphas[i] / (len(p) - (stopped - 1 if stopped else rank))
        if not stopped and p[i] > allowed[i]:
            stopped = rank + 1
    return allowed


def _with_family(comparison: Comparison, p: float, alpha: float) -> Comparison:
    low, high = _at_level(comparison, 1 - alpha)
    verdict = decide(comparison.figure, low, high) if p <= 1 - comparison.level else INCONCLUSIVE
    return replace(comparison, p_family=p, family_verdict=verdict, family_low=low, family_high=high)


def _at_level(comparison: Comparison, level: float) -> tuple[float, float]:
    """Return the bounds of a comparison's t interval at another level."""
    from scipy.special import stdtrit

    known = comparison.low < comparison.high and math.isfinite(comparison.high)
    if not known or math.isclose(level, comparison.level, rel_tol=1e-12):
        return comparison.low, comparison.high
    degrees = comparison.pairs - 1
    half = (comparison.high - comparison.low) / 2
    half *= float(stdtrit(degrees, (1 + level) / 2) / stdtrit(degrees, (1 + comparison.level) / 2))
    return comparison.difference - half, comparison.difference + half


def _unusable(a: Values, b: Values) -> str:
    if a.size == 0:
        return "no seed is in both arms"
    if not (np.isfinite(a).any() or np.isfinite(b).any()):
        return UNMEASURED
    with np.errstate(over="ignore", invalid="ignore"):
        missing = int((~np.isfinite(b - a)).sum())
    if missing:
        return f"no finite value in {missing} of {a.size} replications"
    return "values too large to average" if max(np.abs(a).max(), np.abs(b).max()) > _LARGEST else ""


def _why_undecided(n: int, figure: Figure) -> str:
    if n == 1:
        return "one replication only"
    unit = "" if figure.unit == "1" else f" {figure.unit}"
    edge = f"the margin of {figure.margin:g}{unit}" if figure.margin else "zero"
    return f"the interval reaches over {edge}"
