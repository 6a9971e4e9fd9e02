"""One long run: where it begins to be steady, and bad series."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin.stats.steady import batch_means, mser, steady_mean


def noise(seed, n):
    return np.random.Generator(np.random.Philox(seed)).normal(size=n)


def test_a_start_up_is_cut_where_it_ends():
    series = noise(1, 2000)
    series[:200] += 20.0
    assert 200 <= mser(series) <= 230


def test_the_cut_is_that_of_the_definition():
    series = noise(2, 400) + 5 * np.exp(-np.arange(400) / 30)
    means = series.reshape(-1, 5).mean(axis=1)
    spread = [means[d:].var() / (means.size - d) for d in range(means.size - 5)]
    assert mser(series) == 5 * int(np.argmin(spread))


def test_a_drift_that_does_not_end_is_not_settled():
    found = steady_mean(np.arange(1000.0) + noise(3, 1000))
    assert not found.settled


def test_a_constant_series_has_no_width_and_drops_nothing():
    found = steady_mean(np.full(200, 7.5))
    assert (found.dropped, found.settled, found.correlation) == (0, True, 0.0)
    assert found.interval == (7.5, 7.5, 7.5, 0.0)


@pytest.mark.parametrize("value", [0.1, 1 / 3, -7.7, 1e9 + 0.1])
@pytest.mark.parametrize("count", [80, 999, 12_345])
def test_a_constant_whose_mean_is_rounded_is_still_constant(value, count):
    found = steady_mean(np.full(count, value))
    assert (found.dropped, found.settled, found.correlation, found.interval.error) == (0, True, 0.0, 0.0)


def test_batches_of_one_value_are_the_plain_t_interval():
    from scipy.stats import ttest_1samp

    series = noise(4, 20)
    expected = ttest_1samp(series, 0.0).confidence_interval(0.95)
    found = batch_means(series, 20)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_what_does_not_fill_a_batch_goes_from_the_beginning():
    series = noise(5, 43)
    assert batch_means(series, 20) == batch_means(series[3:], 20)


def test_long_correlation_shows_between_batches():
    slow = np.cumsum(noise(6, 400))
    assert steady_mean(slow).correlation > 0.4
    assert abs(steady_mean(noise(7, 4000)).correlation) < 0.4


@pytest.mark.parametrize(("series", "words"), [([1.0] * 79, "79 values"), ([math.nan] * 100, "100 of 100")])
def test_bad_series_are_named(series, words):
    with pytest.raises(ValueError, match=words):
        steady_mean(series)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: mser(np.array([1, math.nan] * 10)), "10 of 20"),
        (lambda: mser(np.arange(10.0), 0), "group"),
        (lambda: mser(np.arange(9.0)), "9 values"),
        (lambda: batch_means(np.array([1, math.inf] * 30)), "30 of 60"),
        (lambda: batch_means(np.arange(19.0)), "19 values"),
        (lambda: steady_mean(np.ones((100, 3))), "one dimension"),
    ],
)
def test_parts_of_it_name_bad_series_too(ask, words):
    with pytest.raises(ValueError, match=words):
        ask()
