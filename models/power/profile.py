"""Describe how demand for power varies over a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

# Assumption: share of the daily peak at each full hour of local time. Homes peak in the
# evening, as the tropical Indonesian system does (evening peak at 18-19 h in the yearly
# statistics of PLN); work peaks in office hours with air conditioning.
_HOMES_MORNING = (0.55, 0.52, 0.50, 0.49, 0.51, 0.56, 0.58, 0.56, 0.55, 0.56, 0.58, 0.60)
_HOMES_EVENING = (0.61, 0.61, 0.61, 0.62, 0.65, 0.78, 0.98, 1.00, 0.96, 0.88, 0.75, 0.64)
_WORK_MORNING = (0.38, 0.36, 0.35, 0.35, 0.36, 0.39, 0.48, 0.66, 0.84, 0.94, 0.98, 1.00)
_WORK_EVENING = (0.95, 0.99, 1.00, 0.98, 0.92, 0.80, 0.70, 0.66, 0.60, 0.53, 0.46, 0.41)
HOMES = (*_HOMES_MORNING, *_HOMES_EVENING)
WORK = (*_WORK_MORNING, *_WORK_EVENING)
STANDING = min(WORK)
"""Share of the peak of places of work that runs by itself: refrigerators, servers, lights left on."""

_HOMES, _WORK = (*HOMES, HOMES[0]), (*WORK, WORK[0])


def work_share(city: City) -> Array:
    """Return the share of each bus's load that follows working hours: jobs of its zone over jobs and people."""
    share = np.zeros(city.rows("buses"))
    zone = city["buses"]["zone"]
    has_zone = zone >= 0
    if "zones" in city and has_zone.any():
        jobs, people = city["zones"]["jobs"], city["zones"]["population"]
        everybody = np.maximum(jobs + people, 1)
        share[has_zone] = (jobs / everybody)[zone[has_zone]]
    return share


def demand_factor(share: Array, hour: float) -> Array:
    """Return the factor on each bus's peak load at a local hour, linear between full hours.

    share  (n_bus,)  part of the load that follows working hours
    hour   local hour of day, 0 to 24
    """
    homes, work = _between(_HOMES, hour), _between(_WORK, hour)
    return np.asarray((1.0 - share) * homes + share * work)


def staffed(hour: float) -> float:
    """Return the share of those who work in a place that are there at a local hour.

    What work uses above `STANDING` is taken to follow the people, and nobody to be there at its least.
    """
    return (_between(_WORK, hour) - STANDING) / (max(_WORK) - STANDING)


def _between(factors: tuple[float, ...], hour: float) -> float:
    """Return a factor at a local hour, linear between full hours; for one hour a fifth of the time of np.interp.

    factors  (25,)  at full hours from 0 to 24
    """
    if hour >= 24.0:
        return factors[24]
    whole = int(hour)
    return (factors[whole + 1] - factors[whole]) * (hour - whole) + factors[whole]


def solar_factor(hour: float) -> float:
    """Return the output of solar panels over their peak at a local hour: half a sine from 6 to 18 h.

    Assumption: a clear day near the equator; clouds are a model of their own.
    """
    return float(max(np.sin(np.pi * (hour - 6.0) / 12.0), 0.0))


def charging_factor(hour: float) -> float:
    """Return the share of chargers in use at a local hour, linear between the hours stated.

    Assumption: most cars are plugged in on coming home and are full by the small hours.
    """
    hours = (0.0, 3.0, 6.0, 9.0, 16.0, 19.0, 22.0, 24.0)
    return float(np.interp(hour, hours, (0.30, 0.10, 0.05, 0.10, 0.15, 0.45, 0.40, 0.30)))
