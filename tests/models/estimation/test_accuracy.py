from __future__ import annotations

import math

import numpy as np
import pytest

from twin.errors import DataError
from twin.models.estimation.accuracy import (
    compare,
    geh,
    hourly,
    nearest_mean,
    network_mean,
    score,
    training_half,
    verdict,
)

IDS = [f"site {i}" for i in range(101)]


def test_geh_of_a_known_pair():
    assert geh(np.array([100.0]), np.array([121.0]))[0] == pytest.approx(math.sqrt(2 * 21**2 / 221))
    assert geh(np.zeros(1), np.zeros(1))[0] == 0.0


def test_halves_are_equal_and_follow_the_ids_not_their_order():
    half = training_half(IDS)
    assert half.sum() == 50
    back = training_half(IDS[::-1])
    assert {n for n, t in zip(IDS, half, strict=True) if t} == {n for n, t in zip(IDS[::-1], back, strict=True) if t}


def test_too_few_approaches_are_refused():
    with pytest.raises(DataError, match="needs 3"):
        training_half(IDS[:5])


def test_score_of_flows_worked_out_by_hand():
    flow, count = np.array([[10.0, 10, 10, 10], [0, 0, 0, 0]]), np.array([[20.0, 10, 10, 0], [10, 10, 10, 10]])
    found = score(flow, count, 4)
    assert found.wape == pytest.approx((10 + 10 + 40) / 80)
    assert found.wape_hour == pytest.approx(40 / 80)
    assert found.geh_share == 0.5
    assert found.bias == pytest.approx(-0.5)


def test_gaps_are_left_out_of_both_sides():
    flow, count = np.array([[5.0, 99.0]]), np.array([[5.0, np.nan]])
    assert score(flow, count, 1).wape == 0.0
    assert score(flow, count, 1).hours == 1
    assert np.isnan(hourly(count, 2)[0, 0])


def test_network_mean_leaves_out_gaps():
    volume = np.array([[1.0, np.nan], [3.0, 5.0]])
    np.testing.assert_allclose(network_mean(volume, 2), [[2.0, 5.0], [2.0, 5.0]])


def test_nearest_mean_weighs_the_five_nearest_by_distance():
    xy = np.array([[100.0, 0], [200, 0], [400, 0], [800, 0], [1600, 0], [3200, 0]])
    volume = np.array([[1.0], [2], [3], [4], [5], [1000]])
    weights = 1 / np.array([100.0, 200, 400, 800, 1600])
    expected = (weights * [1, 2, 3, 4, 5]).sum() / weights.sum()
    assert nearest_mean(xy, volume, np.zeros((1, 2)))[0, 0] == pytest.approx(expected)


def test_perfect_flows_win_and_the_verdict_says_so():
    rng = np.random.default_rng(3)
    count = rng.uniform(10, 200, (12, 8))
    scores = compare(count, count, rng.uniform(0, 1000, (12, 2)), training_half(IDS[:12]), 4)
    assert scores["simulation"].wape == 0.0 < min(scores["network mean"].wape, scores["geographic kNN5"].wape)
    assert "the simulation is closest by both measures" in verdict(scores)


def test_the_kept_back_counts_do_not_reach_the_guesses():
    rng = np.random.default_rng(4)
    count, xy, training = rng.uniform(10, 200, (12, 4)), rng.uniform(0, 1000, (12, 2)), training_half(IDS[:12])
    changed = np.where(training[:, None], count, 0.5 * count)
    one, two = (compare(c, c, xy, training, 4)["network mean"] for c in (count, changed))
    assert one.wape != two.wape
    np.testing.assert_array_equal(network_mean(count[training], 1), network_mean(changed[training], 1))
