"""What came of a what-if: figures per branch, paired differences, verdicts, a ranking."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

from twin.stats import Comparison, Figure, compare
from twin.stats.verdict import together
from twin.units import format_duration

_TABLE = (
    "rank", "policy", "kpi", "unit", "present", "mean", "difference", "low", "high", "margin", "replications",
    "verdict", "reason", "compiled",
)  # fmt: skip


@dataclass(frozen=True)
class Branch:
    """One policy with one future.

    figures  over the horizon: of the calls not reached before it, and of the run for all else
    whole    of the run from its start to the end of the horizon
    message  why it failed, or ""
    """

    policy: str
    replication: int
    figures: Mapping[str, float] = field(default_factory=dict)
    whole: Mapping[str, float] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True)
class WhatIf:
    """Policies compared from one live state on; the first choice is the present policy.

    choices     labels
    figures     what is compared, with margins
    by          figure the ranking goes by
    at          us, branch instant; local: the same as people read it
    horizon     us
    frozen      models and feeds that stood still
    broken_off  Ctrl-C ended it early
    compiled    choices whose branches a kernel ran; the model itself ran the others
    """

    choices: tuple[str, ...]
    figures: tuple[Figure, ...]
    by: str
    branches: tuple[Branch, ...]
    at: int
    local: str
    horizon: int
    frozen: tuple[str, ...] = ()
    place: str = ""
    broken_off: bool = False
    compiled: tuple[str, ...] = ()

    @property
    def present(self) -> str:
        """Label of the present policy."""
        return self.choices[0]

    @property
    def failed(self) -> tuple[Branch, ...]:
        """Branches that ended with an error."""
        return tuple(branch for branch in self.branches if branch.message)

    def values(self, figure: str, policy: str) -> dict[int, float]:
        """Return replication -> value of one figure of one policy."""
        return {b.replication: b.figures[figure] for b in self._of[policy] if figure in b.figures}

    @cached_property
    def _of(self) -> dict[str, list[Branch]]:
        found: dict[str, list[Branch]] = {label: [] for label in self.choices}
        for branch in self.branches:
            if not branch.message:
                found[branch.policy].append(branch)
        return found

    @cached_property
    def comparisons(self) -> dict[str, list[Comparison]]:
        """Comparisons of each other policy with the present one, per figure, paired by future.

        All policies are judged together on the figure of the ranking (Holm); other figures one by one.
        A future in which either has no value (a mean over no call) says nothing and is left out.
        """
        others = self.choices[1:]
        found = {label: [self._compared(figure, label) for figure in self.figures] for label in others}
        place = next(i for i, figure in enumerate(self.figures) if figure.name == self.by)
        for label, judged in zip(others, together([found[label][place] for label in others]), strict=True):
            found[label][place] = judged
        return found

    def _compared(self, figure: Figure, label: str) -> Comparison:
        a, b = self.values(figure.name, self.present), self.values(figure.name, label)
        both = [r for r in sorted(a.keys() & b.keys()) if math.isfinite(a[r]) and math.isfinite(b[r])]
        return compare(figure, [a[r] for r in both], [b[r] for r in both])

    def ranked(self) -> list[tuple[str, float]]:
        """Return (policy, mean of the ranking's figure), the best first; equals by name, no figure last."""
        direction = next(f.direction for f in self.figures if f.name == self.by)
        sign = -1.0 if direction == "higher" else 1.0
        return sorted(self._means.items(), key=lambda one: (math.isnan(one[1]), sign * one[1], one[0]))

    @cached_property
    def _means(self) -> dict[str, float]:
        """Mean of the ranking's figure of each policy, over the futures that all have; nan for one without any."""
        values = {label: self.values(self.by, label) for label in self.choices}
        known = {label: {r for r, v in found.items() if math.isfinite(v)} for label, found in values.items()}
        having = [futures for futures in known.values() if futures]
        shared = sorted(set.intersection(*having)) if having else []
        return {
            label: math.fsum(values[label][r] for r in shared) / len(shared) if shared and known[label] else math.nan
            for label in values
        }

    @property
    def best(self) -> str:
        """The policy that ranks first."""
        return self.ranked()[0][0]

    def verdict(self, policy: str) -> str:
        """Return the verdict of a policy on the ranking's figure, "present" for the present one."""
        if policy == self.present:
            return "present"
        return self.judged(policy).family_verdict

    def judged(self, policy: str) -> Comparison:
        """Return a policy's comparison on the ranking's figure."""
        return next(c for c in self.comparisons[policy] if c.figure.name == self.by)

    def table(self) -> Any:
        """Return a data frame, one row per policy and figure: difference to the present, interval, verdict."""
        import pandas

        order = {label: rank for rank, (label, _) in enumerate(self.ranked(), 1)}
        rows = [
            {
                "rank": order[label],
                "policy": label,
                "kpi": c.figure.name,
                "unit": c.figure.unit,
                "present": c.mean_a,
                "mean": c.mean_b,
                "difference": c.difference,
                "low": c.low,
                "high": c.high,
                "margin": c.figure.margin,
                "replications": c.pairs,
                "verdict": c.family_verdict if c.figure.name == self.by else c.verdict,
                "reason": c.family_reason if c.figure.name == self.by else c.reason,
                "compiled": label in self.compiled,
            }
            for label, compared in self.comparisons.items()
            for c in compared
        ]
        return pandas.DataFrame(rows, columns=list(_TABLE)).sort_values(["rank", "kpi"], ignore_index=True)

    def frame(self) -> Any:
        """Return a data frame, one row per branch and figure: over the horizon, and of the whole run."""
        import pandas

        rows = [
            {"policy": b.policy, "replication": b.replication, "kpi": name, "value": value, "whole_run": b.whole[name]}
            for b in self.branches
            for name, value in b.figures.items()
        ]
        return pandas.DataFrame(rows, columns=["policy", "replication", "kpi", "value", "whole_run"])

    def title(self) -> str:
        """Say what was asked, in one line."""
        still = f", {', '.join(self.frozen)} frozen" if self.frozen else ""
        return f"{self.place}: {format_duration(self.horizon)} from {self.local}{still}"

    def plot(self, ax: Any = None) -> Any:
        """Draw the difference of every policy to the present one, best first, on matplotlib axes; return them."""
        from twin.plot.whatif import ranking_plot

        return ranking_plot(self, ax)

    def __repr__(self) -> str:
        done = sum(not branch.message for branch in self.branches)
        end = ", broken off" if self.broken_off else ""
        return f"WhatIf({self.title()}: {len(self.choices)} policies, {done} branches{end}; best {self.best})"

    def _repr_html_(self) -> str:
        frame = self.table()
        shown = frame[frame["kpi"] == self.by].drop(columns=["kpi", "reason", "compiled"])
        return f"<p>{escape(repr(self))}</p>{shown.to_html(index=False, float_format=lambda v: f'{v:.4g}')}"
