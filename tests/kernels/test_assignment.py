"""Assignments of least cost, and what one more unit covers, against independent ways to find them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from twin.kernels.assignment import COLUMN_OF, assign
from twin.kernels.standstill_moves import assign_places, coverage_gains, most_gain
from twin.models.location.coverage import marginal_coverage


def matched(cost, call=assign):
    rows, columns = cost.shape
    match = np.empty((5, max(rows, columns)), np.int64)
    call(np.ascontiguousarray(cost), rows, columns, np.empty((3, max(rows, columns))), match)
    return match[COLUMN_OF, :rows]


def cheapest(cost):
    rows, columns = cost.shape
    return min(cost[range(rows), list(p)].sum() for p in itertools.permutations(range(columns), rows))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("whole", [True, False])
def test_no_permutation_costs_less(seed, whole):
    rng = np.random.default_rng(seed)
    rows, more = rng.integers(1, 5), rng.integers(0, 2)
    cost = rng.integers(0, 4, (rows, rows + more)).astype(float) if whole else rng.uniform(0, 9, (rows, rows + more))
    found = matched(cost)
    assert len(set(found.tolist())) == rows
    assert cost[range(rows), found].sum() == pytest.approx(cheapest(cost), abs=1e-12)


@pytest.mark.jit
@pytest.mark.parametrize("seed", range(3))
def test_large_ones_agree_with_scipy(seed):
    from scipy.optimize import linear_sum_assignment

    cost = np.random.default_rng(seed).uniform(0, 900, (60, 75)).round(1)
    rows, columns = linear_sum_assignment(cost)
    assert cost[range(60), matched(cost)].sum() == pytest.approx(cost[rows, columns].sum(), rel=1e-12)


def test_equals_go_to_the_lowest_column():
    assert matched(np.ones((3, 4))).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("units", "places"), [(4, 2), (3, 3), (2, 4)])
def test_units_get_places_or_none(units, places):
    reach = np.random.default_rng(units).uniform(0, 9, (places, units))
    most = max(units, places)
    match = np.empty((5, most), np.int64)
    cost = np.ascontiguousarray(reach if places < units else reach.T)
    assign_places(cost, units, places, np.empty((3, most)), match)
    found = match[COLUMN_OF, :units]
    given = found[found >= 0].tolist()
    assert len(given) == len(set(given)) == min(units, places)
    total = sum(reach[place, unit] for unit, place in enumerate(found.tolist()) if place >= 0)
    assert total == pytest.approx(cheapest(reach if places <= units else reach.T))


@pytest.mark.parametrize("seed", range(5))
def test_gains_are_those_of_the_location_model(seed):
    rng = np.random.default_rng(seed)
    covered, demand = rng.random((9, 4)) < 0.5, rng.uniform(1, 5, 9)
    held, gain = rng.integers(0, 3, 4), np.empty(4)
    coverage_gains(covered, demand, held, 0.4, gain)
    np.testing.assert_allclose(gain, marginal_coverage(covered, demand, held, 0.4), rtol=1e-12)


def test_who_gains_nothing_by_moving_stays():
    assert most_gain(np.array([2.0, 3.0, 3.0]), 2) == 2
    assert most_gain(np.array([2.0, 3.0, 3.0]), 0) == 1
