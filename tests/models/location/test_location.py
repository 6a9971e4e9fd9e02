"""Location models against brute force over every plan, and against each other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from twin.kernels.coverage import coverage_losses
from twin.models import location


@st.composite
def places(draw):
    sites, points = draw(st.integers(2, 6)), draw(st.integers(1, 7))
    travel = draw(arrays.arrays(np.float64, (sites, points), elements=st.integers(0, 30).map(float)))
    demand = draw(arrays.arrays(np.float64, points, elements=st.integers(0, 9).map(float)))
    demand[0] += 1
    return travel, demand, draw(st.integers(1, sites))


@settings(deadline=None, max_examples=60)
@given(places())
def test_the_p_median_is_the_best_of_all_plans(case):
    travel, demand, units = case
    best = min(
        demand @ travel[list(chosen)].min(axis=0) for chosen in itertools.combinations(range(len(travel)), units)
    )
    plan = location.p_median(travel, demand, units, method="exact")
    assert plan.value == pytest.approx(best)
    assert plan.bound == plan.value
    assert len(set(plan.site)) == units
    found = location.p_median(travel, demand, units, method="search")
    assert found.value >= best - 1e-9
    assert not found.exact


@settings(deadline=None, max_examples=60)
@given(places(), st.integers(0, 30), st.sampled_from([0.0, 0.2, 0.5, 0.9]), st.sampled_from([1, 2, None]))
def test_expected_covering_is_the_best_of_all_plans(case, target, busy, capacity):
    travel, demand, units = case
    covered = location.covering_matrix(travel, target)
    plans = (
        np.bincount(chosen, minlength=len(travel))
        for chosen in itertools.combinations_with_replacement(range(len(travel)), units)
    )
    allowed = [idle for idle in plans if capacity is None or idle.max() <= capacity]
    best = max(location.expected_coverage(covered, demand, idle, busy) for idle in allowed)
    plan = location.maximal_expected_covering(covered, demand, units, busy, capacity, method="exact")
    assert plan.value == pytest.approx(best, abs=1e-6)
    assert len(plan.site) == units
    assert capacity is None or np.bincount(plan.site).max() <= capacity
    found = location.maximal_expected_covering(covered, demand, units, busy, capacity, method="search")
    assert (1 - 1 / np.e) * best - 1e-9 <= found.value <= best + 1e-9


@settings(deadline=None, max_examples=40)
@given(places(), st.integers(0, 30))
def test_maximal_covering_is_the_best_of_all_plans(case, target):
    travel, demand, units = case
    covered = location.covering_matrix(travel, target)
    best = max(
        demand @ covered[:, list(chosen)].any(axis=1) for chosen in itertools.combinations(range(len(travel)), units)
    )
    assert location.maximal_covering(covered, demand, units, method="exact").value == pytest.approx(best)
    assert location.maximal_covering(covered, demand, units, method="search").value <= best + 1e-9


def test_no_exchange_of_one_unit_improves_a_searched_plan():
    draw = np.random.Generator(np.random.Philox(5))
    spots = draw.random((60, 2))
    travel = np.abs(spots[:, None] - spots).sum(axis=2)
    demand = draw.random(60)
    plan = location.p_median(travel, demand, 6, method="search")
    for out, into in itertools.product(plan.site, range(60)):
        moved = [*(set(plan.site) - {out}), into]
        assert demand @ travel[moved].min(axis=0) >= plan.value - 1e-9
    exact = location.p_median(travel, demand, 6, method="exact")
    assert exact.value <= plan.value <= 1.05 * exact.value


@pytest.mark.parametrize("method", ["exact", "search"])
@pytest.mark.parametrize("scale", [1e-12, 1e-7, 1e9])
def test_a_plan_does_not_depend_on_the_unit_of_demand(scale, method):
    draw = np.random.Generator(np.random.Philox(8))
    spots, demand = draw.random((25, 2)), draw.random(25)
    travel = 1000 * np.abs(spots[:, None] - spots).sum(axis=2)
    covered = location.covering_matrix(travel, 300)
    makers = (
        lambda weight: location.p_median(travel, weight, 5, method),
        lambda weight: location.maximal_covering(covered, weight, 5, method),
        lambda weight: location.maximal_expected_covering(covered, weight, 5, 0.3, method=method),
    )
    for make in makers:
        assert make(demand * scale).value == pytest.approx(make(demand).value * scale, rel=1e-9)


def test_room_without_end_is_room_for_all_units():
    plan = location.maximal_expected_covering(np.eye(2), [3.0, 1.0], 4, 0.2, capacity=1e300)
    assert plan.site.tolist() == location.maximal_expected_covering(np.eye(2), [3.0, 1.0], 4, 0.2).site.tolist()


def test_marginal_coverage_is_the_difference_that_one_unit_makes():
    draw = np.random.Generator(np.random.Philox(6))
    covered, demand = draw.random((20, 5)) < 0.4, draw.random(20)
    idle = np.array([1, 0, 2, 0, 1])
    gain = location.marginal_coverage(covered, demand, idle, 0.3)
    now = location.expected_coverage(covered, demand, idle, 0.3)
    for site in range(5):
        more = idle + np.eye(5, dtype=int)[site]
        assert gain[site] == pytest.approx(location.expected_coverage(covered, demand, more, 0.3) - now)
    loss = np.empty(4)
    coverage_losses(covered, demand, np.array([0, 2, 2, 4]), 0.3, loss)
    for unit, site in enumerate([0, 2, 2, 4]):
        others = idle - np.eye(5, dtype=int)[site]
        assert loss[unit] == pytest.approx(location.marginal_coverage(covered, demand, others, 0.3)[site])


def test_time_gone_before_departure_counts_against_the_target():
    travel = [[300.0, 400.0]]
    assert location.covering_matrix(travel, 480, 90).tolist() == [[True], [False]]


def test_districts_follow_the_nearest_unit_and_lists_its_backups():
    travel = np.array([[10.0, 50.0, 30.0, np.inf], [40.0, 20.0, 30.0, np.inf], [5.0, np.inf, 90.0, np.inf]])
    assert location.preference_lists(travel).tolist() == [[2, 0, 1], [1, 0, 2], [0, 1, 2], [0, 1, 2]]
    assert location.district_of(travel).tolist() == [2, 1, 0, -1]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: location.p_median([[1, 2], [3, np.nan]], [1, 1], 1), r"travel\[1, 1\] \(nan\)"),
        (lambda: location.p_median([[1, np.inf], [3, np.inf]], [1, 1], 1), "no finite time to demand point 1"),
        (lambda: location.p_median([[1, 2]], [1, 1], 2), r"units \(2\) must be 1 or less"),
        (lambda: location.p_median([[1, 2]], [0, 0], 1), "demand is 0 in every row"),
        (lambda: location.p_median([[1, 2]], [1, 1], 1, method="best"), r"method \('best'\) must be"),
        (lambda: location.maximal_covering([[0.5]], [1], 1), "covered must hold only true and false"),
        (lambda: location.maximal_expected_covering([[1]], [1], 1, 1.0), r"busy \(1\) must be less than 1"),
        (
            lambda: location.maximal_expected_covering([[1]], [1], 3, 0.5, capacity=2.9),
            r"units \(3\) must be 2 or less",
        ),
        (lambda: location.distance_constant("chess"), r"metric \('chess'\)"),
        (lambda: location.mean_distance(1e6, 0), r"idle \(0\) must be greater than 0"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
