"""Intervals and verdicts against what is known: coverage, Holm's table, simultaneous error rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.stats import BETTER, INCONCLUSIVE, SAME, WORSE, Figure, compare_figures, decide, holm, interval
from twin.stats.paired import bca_interval, reduction_factor
from twin.stats.sequential import Stopping, run_stages
from twin.stats.verdict import together

EDGES = st.tuples(*[st.floats(-10, 10, allow_nan=False)] * 2).map(sorted)


def draws(seed, *shape):
    return np.random.Generator(np.random.Philox(seed)).normal(size=shape)


def judged(columns, margin, level=0.95):
    """Return the comparisons of figures whose differences are the rows of (k, n)."""
    figures = [Figure(f"f{i}", "s", "lower", margin) for i in range(len(columns))]
    arm = {f.name: dict(enumerate(row.tolist())) for f, row in zip(figures, columns, strict=True)}
    return compare_figures(figures, {name: dict.fromkeys(row, 0.0) for name, row in arm.items()}, arm, level)


def test_bca_covers_the_mean_of_a_skewed_law_better_than_t():
    skewed = np.exp(draws(21, 400, 30))
    truth = float(np.exp(0.5))
    held = {
        make: np.mean([found.low <= truth <= found.high for found in map(make, skewed)])
        for make in (interval, lambda row: bca_interval(row, resamples=400))
    }
    of_t, of_bca = held.values()
    assert 0.84 < of_t < 0.93
    assert of_bca > of_t - 0.01


def test_bca_is_scipys():
    from scipy.stats import bootstrap

    row = np.exp(draws(22, 25))
    generator = np.random.Generator(np.random.Philox(9))
    expected = bootstrap((row,), np.mean, n_resamples=2000, method="BCa", random_state=generator)
    found = bca_interval(row, 0.95, seed=9)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval), rel=1e-12)


def test_factor_intervals_cover_the_factor_of_known_correlation():
    rho, runs = 0.75, 200
    common, own = draws(23, runs, 1, 40), draws(24, runs, 2, 40)
    arms = np.sqrt(rho) * common + np.sqrt(1 - rho) * own
    found = [reduction_factor(*pair, resamples=300) for pair in arms]
    held = np.mean([factor.low <= 1 / (1 - rho) <= factor.high for factor in found])
    assert 0.88 < held < 0.98


def test_holm_by_hand():
    """p = 0.01, 0.04, 0.03, 0.005: times 4, 3, 2, 1 in order 0.005, 0.01, 0.03, 0.04, never falling."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holms_levels_by_hand():
    """Three figures at alpha 0.05: the first decides at 0.05/3, the second fails at 0.05/2, the third shares it."""
    wide = np.array([1.0, -1.0] * 5)
    rows = np.array([wide * 0.3 - 3.0, wide * 2.0 + 0.4, wide * 9.0])
    found = judged(rows, 1.0)
    assert [c.family_verdict for c in found] == [BETTER, INCONCLUSIVE, INCONCLUSIVE]
    for comparison, row, alpha in zip(found, rows, (0.05 / 3, 0.05 / 2, 0.05 / 2), strict=True):
        expected = interval(row, 1 - alpha)
        assert (comparison.family_low, comparison.family_high) == pytest.approx((expected.low, expected.high))


@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(0.1, 2), st.floats(-3, 3))
def test_a_family_verdict_is_the_place_of_its_interval(seed, k, margin, shift):
    found = judged(draws(seed, k, 8) + shift, margin)
    for comparison in found:
        assert comparison.family_verdict == decide(comparison.figure, comparison.family_low, comparison.family_high)
        assert comparison.family_low <= comparison.low <= comparison.high <= comparison.family_high


@given(st.integers(0, 10**6), st.permutations(range(4)))
def test_the_order_of_figures_does_not_matter(seed, order):
    found = judged(draws(seed, 4, 8) * 1.5, 1.0)
    shuffled = together([found[i] for i in order])
    assert shuffled == [found[i] for i in order]


@given(EDGES, st.floats(0.01, 10), st.sampled_from(["lower", "higher"]))
def test_a_verdict_says_where_the_interval_lies(bounds, margin, direction):
    low, high = bounds
    verdict = decide(Figure("x", "s", direction, margin), low, high)
    if verdict == SAME:
        assert -margin <= low
        assert high <= margin
    elif verdict == INCONCLUSIVE:
        assert any(low <= edge <= high for edge in (-margin, margin))
    else:
        rises = (verdict == BETTER) == (direction == "higher")
        assert low > margin if rises else high < -margin


@pytest.mark.parametrize("correlation", [0.0, 0.6, -0.3])
def test_false_claims_in_the_family_are_as_rare_as_promised(correlation):
    """Four figures: two differ by just the margin, two by nothing; 'worse' is false for all, and so is 'better'."""
    runs, k, n = 3000, 4, 12
    factor = np.linalg.cholesky((1 - correlation) * np.eye(k) + correlation)
    rows = np.einsum("ij,rjn->rin", factor, draws(31, runs, k, n)) + np.array([1.0, 1.0, 0.0, 0.0])[:, None]
    false = [any(c.family_verdict in {BETTER, WORSE} for c in judged(run, 1.0)) for run in rows]
    assert np.mean(false) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_a_sequence_of_stages_covers_almost_as_often_as_a_fixed_number():
    """One figure, width 1/2 at standard deviation 1.2: about 25 replications; known loss is a few percent at most."""
    runs, rule = 1500, Stopping(first=10, cap=200)
    noise = 1.2 * draws(41, runs, 1, 200)
    ends = [run_stages(lambda n, row=row: judged(row[:, :n], 1.0), rule) for row in noise]
    held = np.mean([end.comparisons[0].low <= 0 <= end.comparisons[0].high for end in ends])
    assert all(end.precise for end in ends)
    assert 0.92 < held < 0.965
