"""Figures of a water network's service, from arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

TWENTY_PSI = 14.069
"""Least pressure (m) left in mains while a hydrant is used: 20 psi. Source: AWWA M31; NFPA 291."""

_ORIFICE = 0.6 * np.sqrt(2 * 9.80665)


def orifice(area: float) -> float:
    """Return the outflow (m3/s) of a hole of an area (m2) at 1 m of pressure.

    Source: orifice equation with the discharge coefficient 0.6 of a sharp edge.
    """
    return float(area * _ORIFICE)


def service_availability(delivered: float, demand: float) -> float:
    """Return demand met over demand; 1 where nobody asks. Source: Ostfeld et al. (2002), fraction of volume."""
    return delivered / demand if demand > 0 else 1.0


def persons_of(population: Array | None, mean_demand: Array, litres: float) -> Array:
    """Return persons at each junction: as the city counts them, else one for each `litres` a day of demand."""
    if population is not None:
        return population.astype(np.float64)
    return np.maximum(mean_demand, 0.0) * 86400e3 / litres
