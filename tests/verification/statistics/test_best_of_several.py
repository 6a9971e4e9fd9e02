"""The selection procedure in its hardest case, and what it promises there."""

from __future__ import annotations

import numpy as np

from twin.stats.selection import Zone, allocate, select_best


def share_correct(runs, shared, deviations, zone):
    """Return how often system 0, ahead by the indifference zone, is chosen, and the mean total of replications."""
    draw = np.random.Generator(np.random.Philox(51))
    right, total = 0, 0
    for _ in range(runs):
        own, common = draw.normal(size=(600, len(deviations))), draw.normal(size=(600, 1))
        values = deviations * (np.sqrt(1 - shared) * own + np.sqrt(shared) * common)
        values[:, 0] += zone.indifference

        def sample(systems, r, values=values):
            return values[r % 600, list(systems)]

        found = select_best(sample, len(deviations), zone)
        right += found.best == 0
        total += sum(found.replications)
    return right / runs, total / runs


def test_the_slippage_configuration_is_decided_as_often_as_promised():
    zone = Zone(0.35, "higher", 0.9, 12)
    independent, cost = share_correct(300, 0.0, np.ones(5), zone)
    together, cheaper = share_correct(300, 0.7, np.ones(5), zone)
    assert independent > 0.9 - 2 * np.sqrt(0.09 / 300)
    assert together > 0.9 - 2 * np.sqrt(0.09 / 300)
    assert cheaper < 0.6 * cost


def test_uneven_variances_keep_the_promise():
    chosen, _ = share_correct(200, 0.0, np.array([1.0, 2.0, 0.5, 1.5]), Zone(0.5, "higher", 0.9, 12))
    assert chosen > 0.9 - 2 * np.sqrt(0.09 / 200)


def test_optimal_allocation_beats_equal_shares():
    """Ten systems, means 0 .. 9 of deviation 6, 400 replications: a test problem of Chen et al. (2000)."""
    means, deviations, budget, runs = np.arange(10.0), np.full(10, 6.0), 400, 4000
    draw = np.random.Generator(np.random.Philox(52))

    def share_right(counts):
        observed = means + deviations / np.sqrt(counts) * draw.normal(size=(runs, 10))
        return np.mean(observed.argmin(axis=1) == 0)

    optimal = np.array(allocate(means, deviations, budget))
    assert share_right(optimal) > share_right(np.full(10, budget / 10)) + 0.05
