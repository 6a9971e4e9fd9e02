"""Long runs against queues and processes whose mean and variance are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin.stats.steady import batch_means, mser, steady_mean


def generator(seed):
    return np.random.Generator(np.random.Philox(seed))


def autoregressive(seed, runs, n, rho, start=0.0):
    """Return AR(1) series of unit innovations around zero, (runs, n)."""
    from scipy.signal import lfilter

    noise = generator(seed).normal(size=(runs, n))
    noise[:, 0] += rho * start
    return lfilter([1.0], [1.0, -rho], noise, axis=1)


def waits(seed, runs, n, load):
    """Return waits in queue of an M/M/1 that begins empty, mean service 1, (runs, n); Lindley's recursion."""
    draw = generator(seed)
    steps = draw.exponential(1.0, size=(runs, n)) - draw.exponential(1 / load, size=(runs, n))
    walk = np.concatenate([np.zeros((runs, 1)), np.cumsum(steps[:, :-1], axis=1)], axis=1)
    return walk - np.minimum.accumulate(walk, axis=1)


def test_batch_means_know_the_variance_of_an_autoregressive_mean():
    """Var of the mean of AR(1) tends to sigma^2 / (n (1 - rho)^2), the sum of its autocovariances over n."""
    rho, n, runs = 0.8, 8000, 400
    found = [batch_means(row) for row in autoregressive(1, runs, n, rho)]
    estimated = np.mean([one.error**2 for one in found])
    assert estimated == pytest.approx(1 / (n * (1 - rho) ** 2), rel=0.1)
    assert 0.92 < np.mean([one.low <= 0 <= one.high for one in found]) < 0.975


def test_plain_intervals_would_not_know_it():
    rows = autoregressive(1, 200, 2000, 0.8)
    held = [abs(row.mean()) <= 1.96 * row.std() / math.sqrt(row.size) for row in rows]
    assert np.mean(held) < 0.6


def test_mser_removes_the_bias_of_a_far_start():
    """AR(1) that begins at 50: the bias of the mean is 50 rho (1 - rho^n) / (n (1 - rho))."""
    rho, n, runs, start = 0.9, 2000, 200, 50.0
    rows = autoregressive(2, runs, n, rho, start)
    bias = start * rho * (1 - rho**n) / (n * (1 - rho))
    assert rows.mean() == pytest.approx(bias, abs=0.08)
    found = [steady_mean(row) for row in rows]
    assert abs(np.mean([one.interval.mean for one in found])) < bias / 3
    assert all(one.settled for one in found)
    assert 15 <= np.median([one.dropped for one in found]) <= 100


def test_the_mean_wait_of_a_queue_is_covered():
    """M/M/1 at load 0.5: mean wait in queue is load / (1 - load) services = 1: Gross et al. (2008), section 2.2."""
    rows = waits(3, 200, 20000, 0.5)
    found = [steady_mean(row) for row in rows]
    assert np.mean([one.interval.mean for one in found]) == pytest.approx(1.0, abs=0.02)
    assert 0.89 < np.mean([one.interval.low <= 1.0 <= one.interval.high for one in found]) < 0.985


def test_a_busier_queue_is_covered_too():
    """M/M/1 at load 0.8: mean wait in queue is 4 services; correlations last some 100 customers."""
    rows = waits(4, 120, 60000, 0.8)
    found = [steady_mean(row) for row in rows]
    assert np.mean([one.interval.mean for one in found]) == pytest.approx(4.0, abs=0.1)
    assert np.mean([one.interval.low <= 4.0 <= one.interval.high for one in found]) > 0.87


def test_a_stationary_series_loses_little():
    cuts = [mser(row) for row in autoregressive(5, 200, 2000, 0.5)]
    assert None not in cuts
    assert np.mean(cuts) < 0.15 * 2000
