"""Say how many replications are enough: a fixed-width sequential rule.

The rule looks at widths and never at verdicts: a first stage, then more replications until the
Holm-adjusted half width of every judged figure is at most half its margin, or a cap. At that width a
figure without difference is "same" and one that differs by twice its margin is decided, each with the
probability of the interval.

Optional stopping. Stopping when a verdict appears would cry wolf; stopping at a width does not look at
the mean, which for normal differences is independent of the variance that the rule watches (Stein,
Annals of Mathematical Statistics 16 (1945), 243-258). What remains is that the rule stops sooner where
the variance happens to be underestimated, so intervals cover slightly less than they say; they do so
asymptotically as the width goes to zero (Chow and Robbins, Annals of Mathematical Statistics 36 (1965),
457-462). A first stage of 10, whole stages instead of single looks, and a stage that only goes as far as
the variance seen so far asks for keep it small; `python -m benchmarks gate_power` measures it. Holm's ranks
follow the means, which the measurement includes. A figure that is constant in the first stage counts as
precise: an event rarer than one in ten replications can hide there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from twin.stats.verdict import Comparison

SHARE_OF_MARGIN = 0.5
"""Half width to reach, as a share of the margin."""


@dataclass(frozen=True)
class Stopping:
    """When to stop adding replications.

    first  replications of the first stage, >= 2; 10 or more are advised
    cap    most replications, >= first
    step   fewest replications of a further stage, >= 1
    """

    first: int = 10
    cap: int = 60
    step: int = 2

    def __post_init__(self) -> None:
        if self.first < 2:
            raise ValueError(f"first ({self.first}) must be 2 or more: one replication shows no spread")
        if self.cap < self.first:
            raise ValueError(f"cap ({self.cap}) must be at least first ({self.first})")
        if self.step < 1:
            raise ValueError(f"step ({self.step}) must be 1 or more")


@dataclass(frozen=True)
class Stopped:
    """Where a sequence of stages ended.

    replications  pairs used
    stages        times the figures were looked at
    comparisons   the last judgement
    precise       every judged figure reached its width; False when capped or given up
    """

    replications: int
    stages: int
    comparisons: tuple[Comparison, ...]
    precise: bool


def is_precise(comparison: Comparison) -> bool:
    """Tell whether the Holm-adjusted interval is narrow enough for its margin.

    Figures without margin or without finite values are not judged, so nothing waits for them.
    """
    margin = comparison.figure.margin
    judged = margin > 0 and math.isfinite(comparison.difference)
    return not judged or comparison.half_width <= SHARE_OF_MARGIN * margin


def next_stage(comparisons: Iterable[Comparison], done: int, stopping: Stopping) -> int:
    """Return how many replications more are needed, 0 for enough.

    comparisons  of all judged figures and arms, after `done` replications
    The stage goes to where the least precise figure would arrive with the variance seen so far, at
    most doubling the replications: an early estimate of a variance is poor.
    """
    if done < stopping.first:
        return stopping.first - done
    wide = [comparison for comparison in comparisons if not is_precise(comparison)]
    if not wide or done >= stopping.cap:
        return 0
    ratio = max(c.half_width / (SHARE_OF_MARGIN * c.figure.margin) for c in wide)
    wanted = done * min(ratio**2, 2.0)
    return min(max(math.ceil(wanted) - done, stopping.step), stopping.cap - done)


def run_stages(judge: Callable[[int], Sequence[Comparison]], stopping: Stopping) -> Stopped:
    """Add replications until figures are precise or the cap is reached.

    judge  called with a total number of replications; makes what is missing and returns the comparisons
    """
    done, stages = 0, 0
    comparisons: tuple[Comparison, ...] = ()
    while more := next_stage(comparisons, done, stopping):
        done, stages = done + more, stages + 1
        comparisons = tuple(judge(done))
    return Stopped(done, stages, comparisons, all(is_precise(comparison) for comparison in comparisons))
