"""How often the best of ten systems is chosen in the hardest case: all others just the indifference zone behind.

The slippage configuration of Kim and Nelson (2001): the best is ahead of k - 1 equal systems
by exactly the indifference zone, which is the standard error of a first-stage mean; normal observations,
independent systems. pcs is the share of macro-replications that choose the best; pcs_crn the same when
systems share half of their variance through common random numbers, and pcs_uneven when the variance of
the others is four times that of the best.
"""

from __future__ import annotations

import numpy as np

from benchmarks.report import Report, Target
from twin.stats.selection import Selection, Zone, select_best

_SYSTEMS, _FIRST, _BLOCK = 10, 24, 512
_ZONE = Zone(1 / np.sqrt(_FIRST), "higher", 0.95, _FIRST)


def measure(seed: int, quick: bool) -> Report:
    """Return the share of correct selections and the replications they took."""
    macros = 200 if quick else 1000
    even = np.ones(_SYSTEMS)
    uneven = np.where(np.arange(_SYSTEMS) == 0, 1.0, 2.0)
    runs = {
        "": [_choose([seed, i, 0], even, 0.0) for i in range(macros)],
        "_crn": [_choose([seed, i, 1], even, 0.5) for i in range(macros)],
        "_uneven": [_choose([seed, i, 2], uneven, 0.0) for i in range(macros)],
    }
    figures = {}
    for name, found in runs.items():
        figures[f"pcs{name}"] = float(np.mean([one.best == 0 for one in found]))
        figures[f"replications_mean{name}"] = float(np.mean([sum(one.replications) for one in found]))
    setup = {"systems": _SYSTEMS, "first": _FIRST, "macro_replications": macros, "level": _ZONE.level}
    return Report(figures, (Target("pcs", ">=", 0.95),), setup)


def _choose(key: list[int], deviations: np.ndarray, shared: float) -> Selection:
    """Select once among normal systems of which number 0 is ahead by the indifference zone.

    key         seed, macro-replication and configuration, which make the random numbers
    deviations  (k,)  standard deviations
    shared      share of the variance that comes from common random numbers
    """
    blocks: dict[int, np.ndarray] = {}

    def block(number: int) -> np.ndarray:
        if number not in blocks:
            generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([*key, number])))
            own, common = generator.normal(size=(_BLOCK, _SYSTEMS)), generator.normal(size=(_BLOCK, 1))
            blocks[number] = deviations * (np.sqrt(1 - shared) * own + np.sqrt(shared) * common)
            blocks[number][:, 0] += _ZONE.indifference
        return blocks[number]

    return select_best(lambda systems, r: block(r // _BLOCK)[r % _BLOCK, list(systems)].tolist(), _SYSTEMS, _ZONE)
