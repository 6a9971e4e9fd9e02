"""Compute flood water: stage over time, depth on ground, and speed through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

CLOSING_DEPTH = 0.3
_DRY_SPEED = 86.9448


@dataclass(frozen=True)
class Hydrograph:
    """Describe the stage of one flood above the lowest ground of its area.

    peak  m   stage at the crest
    rise  us  from the start to the crest
    hold  us  at the crest
    fall  us  from the crest back to the lowest ground
    """

    peak: float
    rise: int
    hold: int
    fall: int

    @property
    def end(self) -> int:
        """Time from the start until the water is gone, us."""
        return self.rise + self.hold + self.fall

    def stage(self, elapsed: int) -> float:
        """Return the stage (m) at `elapsed` us after the start: straight lines between corners."""
        if elapsed < 0 or elapsed >= self.end:
            return 0.0
        if elapsed < self.rise:
            return self.peak * (elapsed / self.rise)
        if elapsed <= self.rise + self.hold:
            return self.peak
        return self.peak * ((self.end - elapsed) / self.fall)

    def next_look(self, elapsed: int, every: int) -> int:
        """Return when to look again (us after the start): in `every` us, or at a corner before."""
        corners = (self.rise, self.rise + self.hold, self.end)
        return min([elapsed + every, *(c for c in corners if c > elapsed)])


def wet_speed(depth: Array) -> Array:
    """Return the share of dry speed that drivers keep in standing water.

    depth  (n,)  m  of water on the road

    The safe speed is v = 0.0009 w^2 - 0.5529 w + 86.9448 km/h with w in mm up
    to 300 mm, here divided by its value on a dry road. Deeper roads are closed;
    for who is still on one the share stays at its value for 300 mm (0.024), so
    that no travel time is infinite.

    Source: Pregnolato, Ford, Wilkinson, Dawson, The impact of flooding on road
    transport: a depth-disruption function, Transportation Research Part D 55
    (2017) 67-81, doi 10.1016/j.trd.2017.06.020, equation 1.
    """
    w = 1000.0 * np.minimum(depth, CLOSING_DEPTH)
    return np.asarray((0.0009 * w * w - 0.5529 * w + _DRY_SPEED) / _DRY_SPEED)
