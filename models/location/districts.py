"""Preference lists and districts that follow from where units are based."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.models.arguments import matrix

Array = np.ndarray[Any, Any]


def preference_lists(travel: Any) -> Array:
    """Return the units in order of travel time to each zone; (n_zone, n_unit) of int64.

    travel  (n_unit, n_zone)  s; infinite comes last, and of equal times the lower unit first

    The lists fit the hypercube model and dispatch by preference.
    """
    return np.argsort(matrix("travel", travel), axis=0, kind="stable").T.astype(np.int64)


def district_of(travel: Any) -> Array:
    """Return the unit each zone belongs to, -1 where none reaches it; (n_zone,) of int64."""
    time = matrix("travel", travel)
    return np.where(np.isfinite(time.min(axis=0)), preference_lists(time)[:, 0], -1)
