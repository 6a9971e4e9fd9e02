"""Intervals of differences and the worth of pairing: theory and the cases that break naive code."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.stats.paired import bca_interval, interval, reduction_factor


def draws(seed, *shape):
    return np.random.Generator(np.random.Philox(seed)).normal(size=shape)


def test_bca_follows_efrons_formula():
    from scipy.special import ndtr, ndtri

    sample = np.exp(draws(3, 40))
    generator = np.random.Generator(np.random.Philox(5))
    means = generator.choice(sample, size=(20000, 40)).mean(axis=1)
    z0 = ndtri((means < sample.mean()).mean())
    left_out = (sample.sum() - sample) / 39
    centred = left_out.mean() - left_out
    acceleration = (centred**3).sum() / (6 * (centred**2).sum() ** 1.5)
    shares = [ndtr(z0 + (z0 + z) / (1 - acceleration * (z0 + z))) for z in (-1.959964, 1.959964)]
    expected = np.quantile(means, shares)
    found = bca_interval(sample, 0.95, seed=1, resamples=20000)
    assert (found.low, found.high) == pytest.approx(expected, rel=0.02)
    assert found.low - found.mean > -(found.high - found.mean)


def test_bca_of_a_seed_is_repeatable():
    sample = draws(4, 12)
    assert bca_interval(sample, seed=3) == bca_interval(sample, seed=3)
    assert bca_interval(sample, seed=3) != bca_interval(sample, seed=4)


@pytest.mark.parametrize("make", [interval, bca_interval])
@given(value=st.floats(-1e9, 1e9), n=st.integers(2, 20))
def test_equal_differences_are_a_point(make, value, n):
    assert make(np.full(n, value)) == (value, value, value, 0.0)


@pytest.mark.parametrize("make", [interval, bca_interval])
def test_one_difference_has_no_end(make):
    assert make(np.array([2.0])) == (2, -math.inf, math.inf, math.inf)
    assert make(np.array([0.0])) == (0, -math.inf, math.inf, math.inf)


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=6))
def test_bca_of_few_values_is_never_nan(values):
    found = bca_interval(np.array(values, dtype=float), resamples=200)
    assert found.low <= found.mean <= found.high


def test_the_factor_of_known_correlation_is_found():
    rho = 0.8
    common, own = draws(6, 4000), draws(7, 2, 4000)
    a, b = math.sqrt(rho) * common + math.sqrt(1 - rho) * own
    found = reduction_factor(a, b, resamples=500)
    assert found.low < 1 / (1 - rho) < found.high
    assert found.value == pytest.approx(5.0, rel=0.1)


def test_independent_arms_have_a_factor_of_one():
    found = reduction_factor(*draws(8, 2, 300), resamples=500)
    assert found.low < 1 < found.high


def test_arms_that_move_exactly_together_have_an_infinite_factor():
    a = draws(9, 10)
    assert reduction_factor(a, a).value == math.inf
    assert reduction_factor(a, a).low == math.inf


def test_constant_arms_have_a_factor_of_one():
    assert reduction_factor(np.full(5, 3.0), np.full(5, 3.0)) == (1, 1, 1)
    assert reduction_factor(np.full(5, 3.0), np.full(5, 4.0)) == (1, 1, 1)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=6))
def test_a_factor_is_never_nan(pairs):
    a, b = np.array(pairs, dtype=float).T
    found = reduction_factor(a, b, resamples=100)
    assert 0 <= found.low <= found.high
    assert found.value > 0


def test_one_pair_has_no_factor():
    with pytest.raises(ValueError, match="2 or more pairs"):
        reduction_factor(np.array([1.0]), np.array([2.0]))


@pytest.mark.parametrize("scale", [2.0**-900, 2.0**-500, 2.0**500, 2.0**900])
def test_intervals_keep_their_digits_where_squares_overflow_or_vanish(scale):
    values = draws(8, 10)
    assert interval(values * scale) == tuple(v * scale for v in interval(values))


def test_an_arm_that_never_varies_gains_nothing_from_sharing():
    assert reduction_factor(np.ones(10), draws(9, 10)) == (1.0, 1.0, 1.0)


def test_a_factor_needs_finite_values():
    with pytest.raises(ValueError, match="finite"):
        reduction_factor(np.array([1.0, 2.0, np.nan]), np.array([1.0, 2.0, 4.0]))


@pytest.mark.parametrize("values", [[0.0, 1.0], [0.0] * 9 + [1.0], [0.0] * 40 + [1e-300], [5.0, 5.0, 5.0 + 1e-15]])
def test_bca_of_few_or_tied_values_holds_the_mean(values):
    found = bca_interval(np.array(values))
    assert found.low <= found.mean <= found.high
    assert found.low < found.high
