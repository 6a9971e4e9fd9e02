"""Expected coverage of an area by ambulances that may be busy (MEXCLP).

A place that k idle units can reach in time counts for d (1 - q^k), d its demand
and q the fraction of time a unit is busy; so the k-th unit adds d (1 - q) q^(k-1).
Source: Daskin, A maximum expected covering location model, Transportation
Science 17 (1983); as a rule for dispatch: Jagtenberg, Bhulai, van der
Mei, Dynamic ambulance dispatching: is the closest-idle policy always optimal?,
Health Care Management Science 20 (2017).
"""

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit


@jit
def coverage_losses(
    covered: NDArray[np.bool_],
    demand: NDArray[np.float64],
    node: NDArray[np.int64],
    busy: float,
    out: NDArray[np.float64],
) -> None:
    """Compute the expected coverage lost when each idle unit is taken away.

    covered  (n_zone, n_node)  a unit at the node reaches the zone in time
    demand   (n_zone,)         weight of each zone
    node     (n_unit,)         node of each idle unit
    busy     fraction of time a unit is busy, 0..1
    out      (n_unit,)         written in place; unit of demand
    """
    out[:] = 0.0
    for zone in range(covered.shape[0]):
        reach = 0
        for unit in range(node.shape[0]):
            if covered[zone, node[unit]]:
                reach += 1
        if reach == 0:
            continue
        loss = demand[zone] * (1.0 - busy) * busy ** (reach - 1)
        for unit in range(node.shape[0]):
            if covered[zone, node[unit]]:
                out[unit] += loss
