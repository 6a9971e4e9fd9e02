"""What common random numbers are worth: the variance factor of pairs of policies that differ in one role.

Each pair runs with shared seeds; the factor is (Var A + Var B) / Var(A - B) of one figure over the
replications, with a BCa bootstrap interval. A factor f means that independent arms would need f times
the replications for the same width of interval. With --quick the figure says little: 12 pairs.

factor_<pair>       closest_idle against dmexclp and against districts, static against dmexclp_relocation (all
                    response_mean), fixed_time against actuated (vehicle_hours), first_come against
                    hospital_first (mean_restoration_time)
factor_dispatch     the pair of dispatch policies again, under the name that has a target
_low95, _high95     bounds; inf where two policies never differed
correlation_<pair>  of the two arms
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.city_pool import SCENARIO, columns, figures_of
from benchmarks.report import Report, Target
from twin.stats.paired import reduction_factor

_CALLS, _DEMAND = 2, 0.5
_FEEDS = "[probes, avl, scada]"
_MODELS = "[hazards, power, backup, telecom, traffic, emergency, restoration]"
_POLICY = "dispatch: closest_idle, relocation: static, signals: fixed_time, restoration: first_come"


@dataclass(frozen=True)
class _Pair:
    """Two policies of one role, and the figure they are compared by."""

    name: str
    role: str
    rival: str
    figure: str


_PAIRS = (
    _Pair("closest_dmexclp", "dispatch", "dmexclp", "response_mean"),
    _Pair("closest_districts", "dispatch", "districts", "response_mean"),
    _Pair("static_relocation", "relocation", "dmexclp_relocation", "response_mean"),
    _Pair("fixed_actuated", "signals", "actuated", "vehicle_hours"),
    _Pair("first_hospital", "restoration", "hospital_first", "mean_restoration_time"),
)
_EVENTS = """\
options: {{emergency: {{calls_factor: {calls}}}, traffic: {{demand_factor: {demand}}}}}
events:
  - {{at: +30 min, kind: storm, where: all, probability: 0.06, duration: 20 min}}
arms:
  base: {{}}
{arms}
"""


def measure(seed: int, quick: bool) -> Report:
    """Return the factor of each pair with its interval; the full size takes about half an hour on two cores."""
    return measure_size(seed, *((12, 5) if quick else (200, 24)))


def measure_size(seed: int, replications: int, hours: int) -> Report:
    """Return the factor of each pair over replications of some hours."""
    arms = "\n".join(f"  {pair.name}: {{policy: {{{pair.role}: {pair.rival}}}}}" for pair in _PAIRS)
    text = SCENARIO.format(
        name="crn",
        scale=0.25,
        hours=hours,
        seed=1000 * seed,
        replications=replications,
        models=_MODELS,
        feeds=_FEEDS,
        policy=_POLICY,
        rest=_EVENTS.format(calls=_CALLS, demand=_DEMAND, arms=arms),
    )
    found = {arm: columns(figures) for arm, figures in figures_of(text).items()}
    figures = {}
    for pair in _PAIRS:
        figures |= _factor(pair, found["base"][pair.figure], found[pair.name][pair.figure], seed)
    figures["factor_dispatch"] = figures[f"factor_{_PAIRS[0].name}"]
    figures["factor_dispatch_low95"] = figures[f"factor_{_PAIRS[0].name}_low95"]
    setup = {
        "replications": replications,
        "hours": hours,
        "city": "nusantara at scale 0.25, storm",
        "calls_factor": _CALLS,
        "demand_factor": _DEMAND,
    }
    return Report(figures, (Target("factor_dispatch", ">=", 3),), setup)


def _factor(pair: _Pair, baseline: np.ndarray, rival: np.ndarray, seed: int) -> dict[str, float]:
    """Return the factor of one pair with its interval; replications without a value are left out in pairs."""
    known = np.isfinite(baseline) & np.isfinite(rival)
    a, b = baseline[known], rival[known]
    factor = reduction_factor(a, b, seed=seed)
    varied = a.std() > 0 and b.std() > 0
    return {
        f"factor_{pair.name}": factor.value,
        f"factor_{pair.name}_low95": factor.low,
        f"factor_{pair.name}_high95": factor.high,
        f"correlation_{pair.name}": float(np.corrcoef(a, b)[0, 1]) if varied else 1.0,
        f"sd_{pair.name}": float(a.std(ddof=1)),
        f"sd_difference_{pair.name}": float((b - a).std(ddof=1)),
        f"pairs_{pair.name}": float(a.size),
    }
