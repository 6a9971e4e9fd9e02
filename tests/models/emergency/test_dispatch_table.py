"""Dispatch tables: the best of all tables, and in step with the hypercube model."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from twin.models.emergency.dispatch_table import closest_table, evaluate_dispatch, solve_dispatch
from twin.models.location import preference_lists
from twin.models.queues import erlang_b, hypercube


def region(units, zones, seed, load=0.4):
    draw = np.random.Generator(np.random.Philox(seed))
    homes, spots = draw.random((units, 2)), draw.random((zones, 2))
    travel = 1500 * np.abs(homes[:, None] - spots).sum(axis=2)
    arrival = draw.random(zones) + 0.05
    return travel, arrival * load * units / arrival.sum() / 3600.0


def all_tables(units, zones):
    choices = []
    for state in range(2**units - 1):
        idle = [unit for unit in range(units) if not state >> unit & 1]
        choices += [idle] * zones
    for picked in itertools.product(*choices):
        yield np.vstack([np.array(picked).reshape(-1, zones), np.full((1, zones), -1)])


@pytest.mark.parametrize("seed", range(6))
def test_policy_iteration_finds_the_best_of_all_tables(seed):
    travel, arrival = region(3, 2, seed, load=0.6)
    service = np.array([1.0, 1.5, 0.7]) / 3600.0
    late = (travel > 600).astype(float) + travel / 1e5
    best = min(evaluate_dispatch(table, arrival, service, late, 1.5).cost for table in all_tables(3, 2))
    assert solve_dispatch(arrival, service, late, 1.5).cost == pytest.approx(best, abs=1e-12)


def test_the_closest_table_is_the_hypercube_model():
    travel, arrival = region(5, 8, 3)
    table = closest_table(travel)
    found = evaluate_dispatch(table, arrival, 1 / 3600.0, travel, 0.0)
    exact = hypercube(arrival, 1 / 3600.0, preference_lists(travel))
    weight = arrival / arrival.sum()
    assert found.cost == pytest.approx((weight[:, None] * exact.share * travel.T).sum(), rel=1e-10)
    only_lost = evaluate_dispatch(table, arrival, 1 / 3600.0, np.zeros_like(travel), 1.0)
    assert only_lost.cost == pytest.approx(erlang_b(arrival.sum() * 3600, 5), abs=1e-12)


def test_fewer_late_calls_are_bought_with_a_longer_mean_response():
    """The sign that Jagtenberg, Bhulai and van der Mei (2017) report, over ten regions."""
    gains, losses = [], []
    for seed in range(10):
        travel, arrival = region(6, 12, seed)
        late = (travel > 600).astype(float)
        closest = closest_table(travel)
        table = solve_dispatch(arrival, 1 / 3600.0, late, 1.0)
        before = [evaluate_dispatch(closest, arrival, 1 / 3600.0, c, x).cost for c, x in ((late, 1.0), (travel, 0.0))]
        after = [evaluate_dispatch(table.unit, arrival, 1 / 3600.0, c, x).cost for c, x in ((late, 1.0), (travel, 0.0))]
        gains.append(before[0] - after[0])
        losses.append(after[1] - before[1])
    assert min(gains) >= -1e-12
    assert max(gains) > 0.005
    assert min(losses) >= -1e-9
    assert np.mean(losses) > 1.0


def test_a_table_tells_which_unit_to_send():
    travel = np.array([[100.0, 900.0], [500.0, 300.0]])
    table = solve_dispatch([1e-4, 1e-4], 1e-3, travel, 1e4)
    assert table.send([False, False], 1) == 1
    assert table.send([False, True], 1) == 0
    assert table.send([True, True], 0) == -1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: solve_dispatch([0.0], 1.0, [[1.0]], 1.0), "arrival is 0 in every row"),
        (lambda: solve_dispatch([1.0], 1.0, [[np.inf]], 1.0), r"cost\[0, 0\] must be finite"),
        (lambda: solve_dispatch([1.0], 1.0, np.ones((13, 1)), 1.0), "12 is the most: divide the region"),
        (lambda: evaluate_dispatch([[0], [0], [0], [-1]], [1.0], 1.0, [[1.0], [2.0]], 0), r"table\[1, 0\] \(0\)"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_table_is_asked_about_all_of_its_units():
    table = solve_dispatch([1.0], 1.0, [[0.0], [1.0]], 1.0)
    assert table.send([True, False], 0) == 1
    with pytest.raises(ValueError, match=r"busy has shape \(3,\) and must have 2 values"):
        table.send([True, False, False], 0)
