"""Where to base units: covering and median models, districts, and the law of large fleets."""

from twin.models.location.coverage import (
    covering_matrix,
    expected_coverage,
    marginal_coverage,
    maximal_covering,
    maximal_expected_covering,
)
from twin.models.location.distance_law import distance_constant, mean_distance
from twin.models.location.districts import district_of, preference_lists
from twin.models.location.median import p_median
from twin.models.location.plan import Plan

__all__ = [
    "Plan",
    "covering_matrix",
    "distance_constant",
    "district_of",
    "expected_coverage",
    "marginal_coverage",
    "maximal_covering",
    "maximal_expected_covering",
    "mean_distance",
    "p_median",
    "preference_lists",
]
