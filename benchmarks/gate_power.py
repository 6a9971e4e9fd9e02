"""How often the gate of `twin run` cries wolf, and how often it misses: verdicts on known differences.

A pool of replications of a small city is made once. A suite then draws each arm from the pool with a
seed set of its own, so arms share no random numbers and differ by chance alone; a known difference is
added to one figure of one arm. Every suite goes through the code that `twin run` uses for a scenario
with `replications: {first, cap}`: stages, Holm-adjusted intervals, family verdicts.

false_alarm_upper95  upper 95 % Clopper-Pearson bound of the share of suites without difference in which
                     any figure is called better or worse
detection_share      suites with a difference of 2 x margin in one figure that call it, in the right direction
same_share           suites without difference that call every figure the same
inconclusive_share   suites without difference with an undecided figure; those at the cap are among them
edge_error_share     suites whose figure differs by exactly the margin and that call it worse, which it
                     only just is not: the honest price of stopping when the interval looks narrow enough
cap60_...            the same without difference where the cap is 60, too few for these margins
crn_same_share       figures called the same when two arms with one policy share their seeds, run in the city
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.city_pool import SCENARIO, columns, figures_of
from benchmarks.report import Report, Target
from twin.stats import BETTER, INCONCLUSIVE, SAME, WORSE, Comparison, Figure, compare_figures
from twin.stats.sequential import Stopped, Stopping, run_stages

_FIGURES = (
    Figure("response_mean", "s", "lower", 60.0),
    Figure("late_share", "1", "lower", 0.05),
    Figure("vehicle_hours", "h", "lower", 2.0),
    Figure("calls_served", "1", "higher", 2.0),
)
_STOPPING = Stopping(first=10, cap=250)
_SHORT = Stopping(first=10, cap=60)
_CITY = {
    "name": "gate_power",
    "scale": 0.25,
    "hours": 4,
    "models": "[traffic, emergency]",
    "feeds": "[probes, avl]",
    "policy": "dispatch: closest_idle, signals: fixed_time",
}
_OPTIONS = "options: {emergency: {calls_factor: 3}, traffic: {demand_factor: 0.3}}\n"

Columns = Mapping[str, np.ndarray[tuple[int], np.dtype[np.float64]]]


@dataclass(frozen=True)
class _Shift:
    """A known difference: its figure, and how much worse the arm is in margins."""

    figure: Figure
    margins: float

    @property
    def size(self) -> float:
        """Difference in the unit of the figure."""
        worse = self.figure.margin if self.figure.direction == "lower" else -self.figure.margin
        return self.margins * worse


def measure(seed: int, quick: bool) -> Report:
    """Return error shares over many suites, and what the stages cost."""
    replications, suites = (60, 300) if quick else (250, 2000)
    text = SCENARIO.format(**_CITY, seed=1000 * seed, replications=replications, rest=_OPTIONS)
    pool = columns(figures_of(text)["base"])
    plain = [_suite(pool, seed, i, None) for i in range(suites)]
    short = _plain_shares([_suite(pool, seed, i, None, _SHORT) for i in range(suites)])
    kept = ("false_alarm_upper95", "same_share", "inconclusive_share", "capped_share")
    figures = {
        **_plain_shares(plain),
        **{f"cap60_{name}": short[name] for name in kept},
        **_shifted_shares(pool, seed, suites),
        **_same_policies(seed),
    }
    figures |= {f"pool_sd_{f.name}": float(pool[f.name].std(ddof=1)) for f in _FIGURES}
    targets = (
        Target("false_alarm_upper95", "<=", 0.06),
        Target("detection_share", ">=", 0.95),
        Target("same_share", ">=", 0.90),
        Target("cap60_false_alarm_upper95", "<=", 0.06),
        Target("crn_same_share", "==", 1.0),
    )
    setup = {
        "suites": suites,
        "pool": f"{replications} replications of nusantara at scale {_CITY['scale']}, {_CITY['hours']} h",
        "margins": {f.name: f.margin for f in _FIGURES},
        "first": _STOPPING.first,
        "cap": _STOPPING.cap,
        "common_random_numbers": "off, but for crn_same_share",
    }
    return Report(figures, targets, setup)


def upper_bound(events: int, trials: int, level: float = 0.95) -> float:
    """Return the upper end of the two-sided Clopper-Pearson interval of a share.

    Source: Clopper and Pearson, Biometrika 26 (1934), 404-413.
    """
    from scipy.special import betaincinv

    return 1.0 if events == trials else float(betaincinv(events + 1, trials - events, (1 + level) / 2))


def _suite(pool: Columns, seed: int, number: int, shift: _Shift | None, stopping: Stopping = _STOPPING) -> Stopped:
    """Run the gate on two arms drawn from the pool with seed sets of their own."""
    generator = np.random.Generator(np.random.Philox(key=[seed, number]))
    size = next(iter(pool.values())).size
    rows = generator.integers(size, size=(2, _STOPPING.cap))
    drawn = [{f.name: pool[f.name][arm] for f in _FIGURES} for arm in rows]
    if shift is not None:
        drawn[1][shift.figure.name] = drawn[1][shift.figure.name] + shift.size

    def judge(replications: int) -> list[Comparison]:
        first, second = ({k: dict(enumerate(v[:replications].tolist())) for k, v in arm.items()} for arm in drawn)
        return compare_figures(_FIGURES, first, second)

    return run_stages(judge, stopping)


def _plain_shares(suites: list[Stopped]) -> dict[str, float]:
    verdicts = [{c.family_verdict for c in suite.comparisons} for suite in suites]
    alarms = sum(bool(found & {BETTER, WORSE}) for found in verdicts)
    return {
        "false_alarm_upper95": upper_bound(alarms, len(suites)),
        "false_alarm_share": alarms / len(suites),
        "same_share": sum(found == {SAME} for found in verdicts) / len(suites),
        "inconclusive_share": sum(INCONCLUSIVE in found for found in verdicts) / len(suites),
        "capped_share": sum(not suite.precise for suite in suites) / len(suites),
        "replications_mean": float(np.mean([suite.replications for suite in suites])),
        "stages_mean": float(np.mean([suite.stages for suite in suites])),
        **_coverage(suites),
    }


def _coverage(suites: list[Stopped]) -> dict[str, float]:
    """Return how often the Holm-adjusted intervals hold zero, which is the truth here: each and all at once."""
    held = np.array([[c.family_low <= 0 <= c.family_high for c in suite.comparisons] for suite in suites])
    return {"coverage_least": float(held.mean(axis=0).min()), "coverage_all": float(held.all(axis=1).mean())}


def _shifted_shares(pool: Columns, seed: int, suites: int) -> dict[str, float]:
    """Shift the figures in turn; numbers beyond those of the plain suites keep the draws apart."""
    found: dict[float, list[str]] = {2.0: [], 1.0: []}
    for margins, verdicts in found.items():
        for i in range(suites):
            figure = _FIGURES[i % len(_FIGURES)]
            number = int(margins) * 1_000_000 + i
            stopped = _suite(pool, seed, number, _Shift(figure, margins))
            verdicts.append(next(c.family_verdict for c in stopped.comparisons if c.figure == figure))
    shares = {
        f"detection_{f.name}": float(np.mean([v == WORSE for v in found[2.0][i :: len(_FIGURES)]]))
        for i, f in enumerate(_FIGURES)
    }
    return {
        "detection_share": found[2.0].count(WORSE) / suites,
        "detection_inconclusive_share": found[2.0].count(INCONCLUSIVE) / suites,
        "edge_error_share": found[1.0].count(WORSE) / suites,
        **shares,
    }


def _same_policies(seed: int) -> dict[str, float]:
    """Run two arms of one policy with shared seeds through the whole of `twin run`."""
    import twin
    from twin.execution.execute import Execution
    from twin.execution.suite import run_suite

    kpis = ", ".join(f"{f.name}: {{margin: {f.margin:g} {f.unit if f.unit != '1' else ''}}}" for f in _FIGURES)
    rest = _OPTIONS + f"arms: {{A: {{}}, B: {{}}}}\ncompare: {{kpis: {{{kpis}}}}}\n"
    text = SCENARIO.format(**_CITY, seed=seed, replications="{first: 10, cap: 20}", rest=rest)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "same.yaml"
        path.write_text(text, encoding="utf-8")
        stopped = run_suite(twin.load(path), Path(scratch) / "results", execution=Execution(workers=2)).stopped
    assert stopped is not None
    bounds = [bound for c in stopped.comparisons for bound in (c.family_low, c.family_high, c.p_family)]
    return {
        "crn_same_share": float(np.mean([c.family_verdict == SAME for c in stopped.comparisons])),
        "crn_nan": float(np.isnan(bounds).sum()),
        "crn_replications": float(stopped.replications),
    }
