"""Compare a solved power flow with limits and relays in one pass."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit

VOLTAGES, OVERLOADS, RELAYS = 1, 2, 4
"""Flags of what differs from before."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Bounds(NamedTuple):
    """Limits of a grid.

    low, high  pu  voltages of supplied buses
    loading    above it a line is overloaded
    pickup     (n_line,)  loading above which a relay runs, inf for none
    """

    low: float
    high: float
    loading: float
    pickup: Floats


@jit
def watch(
    bounds: Bounds,
    voltage: Floats,
    fed: Flags,
    supplied: Flags,
    loading: Floats,
    was_side: NDArray[np.int8],
    was_over: Flags,
    relay: NDArray[np.int64],
    side: NDArray[np.int8],
    over: Flags,
) -> tuple[int, float]:
    """Write who is beyond a limit; return what differs from before, and the lowest voltage.

    voltage   (n_bus,)   pu
    fed       (n_bus,)   connected to a source: counts for the lowest voltage, inf where none is
    supplied  (n_bus,)   fed, and not shed: has limits
    loading   (n_line,)
    was_side, was_over   as `side` and `over` were before
    relay     (n_line,)  from 0 where a relay runs, else -1
    side      (n_bus,)   written: voltage too low (-1), within limits (0), too high (1)
    over      (n_line,)  written: overloaded
    """
    news, least = 0, np.inf
    for i in range(voltage.shape[0]):
        side[i] = 0
        if supplied[i]:
            side[i] = int(voltage[i] > bounds.high) - int(voltage[i] < bounds.low)
        if side[i] != was_side[i]:
            news |= VOLTAGES
        if fed[i]:
            least = min(least, voltage[i])
    for i in range(loading.shape[0]):
        over[i] = loading[i] > bounds.loading
        if over[i] != was_over[i]:
            news |= OVERLOADS
        if (loading[i] > bounds.pickup[i]) != (relay[i] >= 0):
            news |= RELAYS
    return news, least
