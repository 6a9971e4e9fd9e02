"""Follow water in tanks between two hydraulic solutions.

Source: EPANET 2.2, hydraul.c (tanklevels, tanktimestep): volumes grow with the inflow of the last
solution; a tank that is full or empty within the next second is full or empty.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit

_NO_FLOW = 1e-6 * 0.028316846592
_SECOND = 1_000_000


class Tanks(NamedTuple):
    """Shape of the tanks.

    low, high    (n_tank,)  m   lowest and highest level over the bottom
    area         (n_tank,)  m2  of cylinders
    least, most  (n_tank,)  m3  volume at these levels
    begin, points (n_tank,)     first point and number of points of the volume curve; 0 points for cylinders
    x, y         (n_point,)     m, m3
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    area: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    begin: NDArray[np.int64]
    points: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]


@jit
def interpolate(x: NDArray[np.float64], y: NDArray[np.float64], value: float) -> float:
    """Return y at `value` on a polyline with rising x, its end values beyond the ends."""
    if value <= x[0]:
        return float(y[0])
    for i in range(1, x.shape[0]):
        if value <= x[i]:
            span = x[i] - x[i - 1]
            if span <= 0.0:
                return float(y[i])
            return float(y[i - 1] + (value - x[i - 1]) * (y[i] - y[i - 1]) / span)
    return float(y[-1])


@jit
def volume_at(tanks: Tanks, tank: int, level: float) -> float:
    """Return the volume (m3) of one tank at a level (m)."""
    if tanks.points[tank] == 0:
        return float(tanks.least[tank] + (level - tanks.low[tank]) * tanks.area[tank])
    begin, end = tanks.begin[tank], tanks.begin[tank] + tanks.points[tank]
    return interpolate(tanks.x[begin:end], tanks.y[begin:end], level)


@jit
def level_at(tanks: Tanks, tank: int, volume: float) -> float:
    """Return the level (m) of one tank that holds a volume (m3), within its limits."""
    if tanks.points[tank] == 0:
        level = tanks.low[tank] + (volume - tanks.least[tank]) / tanks.area[tank]
    else:
        begin, end = tanks.begin[tank], tanks.begin[tank] + tanks.points[tank]
        level = interpolate(tanks.y[begin:end], tanks.x[begin:end], volume)
    return float(min(max(level, tanks.low[tank]), tanks.high[tank]))


@jit
def fill(
    tanks: Tanks,
    inflow: NDArray[np.float64],
    elapsed: int,
    volume: NDArray[np.float64],
    level: NDArray[np.float64],
    corrected: NDArray[np.float64],
) -> None:
    """Let water run into or out of the tanks for a time.

    inflow     (n_tank,)  m3/s  negative when draining
    elapsed               us
    volume     (n_tank,)  m3    changed
    level      (n_tank,)  m     written
    corrected  (n_tank,)  m3    changed: sum of what rounding to full or empty has added
    """
    for i in range(volume.shape[0]):
        free = volume[i] + inflow[i] * (elapsed / _SECOND)
        volume[i] = free
        if free + inflow[i] >= tanks.most[i]:
            volume[i] = tanks.most[i]
        elif free - inflow[i] <= tanks.least[i]:
            volume[i] = tanks.least[i]
        corrected[i] += volume[i] - free
        level[i] = level_at(tanks, i, volume[i])


@jit
def whole_seconds(ratio: float) -> int:
    """Round a time in s to the nearest whole second, halves away from zero; return us."""
    if ratio >= 0.0:
        return int(min(ratio, 1e9) + 0.5) * _SECOND
    return -int(min(-ratio, 1e9) + 0.5) * _SECOND


@jit
def tank_step(
    tanks: Tanks, inflow: NDArray[np.float64], volume: NDArray[np.float64], level: NDArray[np.float64], step: int
) -> int:
    """Return the time (us) until the first tank is full or empty, at most `step`."""
    for i in range(volume.shape[0]):
        if abs(inflow[i]) <= _NO_FLOW:
            continue
        if inflow[i] > 0.0 and level[i] < tanks.high[i]:
            missing = tanks.most[i] - volume[i]
        elif inflow[i] < 0.0 and level[i] > tanks.low[i]:
            missing = tanks.least[i] - volume[i]
        else:
            continue
        until = whole_seconds(missing / inflow[i])
        if 0 < until < step:
            step = until
    return step
