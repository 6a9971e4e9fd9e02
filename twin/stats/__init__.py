"""Statistics of replications: intervals, verdicts, stopping, long runs, and the best of several.

`paired` makes intervals, `verdict` reads them against margins, `sequential` says how many replications
are enough, `steady` handles one long run, `selection` finds the best of k.
"""

from twin.stats.paired import LEVEL, Interval, interval
from twin.stats.verdict import (
    BETTER,
    INCONCLUSIVE,
    SAME,
    UNMEASURED,
    WORSE,
    Comparison,
    Figure,
    compare,
    compare_arms,
    compare_figures,
    decide,
    holm,
)

__all__ = [
    "BETTER",
    "INCONCLUSIVE",
    "LEVEL",
    "SAME",
    "UNMEASURED",
    "WORSE",
    "Comparison",
    "Figure",
    "Interval",
    "compare",
    "compare_arms",
    "compare_figures",
    "decide",
    "holm",
    "interval",
]
