"""The square-root law: how far the nearest of many units is.

Where units lie at random, as dense as gamma per area, the distance to the nearest has
mean c / sqrt(gamma), whatever the shape of the region, as long as it is large: the
chance that no unit lies within r is exp(-gamma x area within r).

Source: Kolesar and Blum, Square root laws for fire engine response distances, Management
Science 19 (1973); Larson and Odoni, Urban Operations Research (1981), sections 3.7.1 and 4.
"""

from __future__ import annotations

import math
from typing import Literal

from twin.models.arguments import number

Metric = Literal["euclid", "right_angle"]


def distance_constant(metric: Metric = "euclid") -> float:
    """Return c: 1/2 in straight lines, sqrt(pi / 8) along two directions at right angles.

    The area within r is pi r^2 or 2 r^2, and the integral of exp(-k r^2) over r > 0 is sqrt(pi / k) / 2.

    >>> round(distance_constant("right_angle"), 5)
    0.62666
    """
    within = {"euclid": math.pi, "right_angle": 2.0}
    if metric not in within:
        raise ValueError(f"metric ({metric!r}) must be euclid or right_angle")
    return math.sqrt(math.pi / within[metric]) / 2.0


def mean_distance(area: float, idle: float, metric: Metric = "euclid") -> float:
    """Return the mean distance (m) to the nearest of so many idle units, spread at random over an area (m2)."""
    each = number("area", area, open_low=True) / number("idle", idle, open_low=True)
    return distance_constant(metric) * math.sqrt(each)
