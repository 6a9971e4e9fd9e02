"""Survival falls with time, and equity measures know the even and the uneven case."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.models.emergency.outcomes import equity, gini, survival


def test_survival_has_the_published_form():
    minutes = np.array([0.0, 5.0, 8.0, 15.0])
    assert survival(minutes * 60) == pytest.approx(1 / (1 + np.exp(0.679 + 0.262 * minutes)))
    assert (np.diff(survival(np.arange(0, 3600, 30.0))) < 0).all()


def test_gini_knows_the_even_and_the_uneven_case():
    assert gini([3.0, 3.0, 3.0]) == pytest.approx(0.0)
    assert gini([0.0, 0.0, 0.0, 8.0]) == pytest.approx(0.75)
    assert gini([0.0, 8.0], [3, 1]) == pytest.approx(0.75)
    assert gini([0.0, 0.0]) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1000), st.integers(1, 5)), min_size=1, max_size=8))
def test_gini_is_half_the_mean_difference_over_the_mean(rows):
    burden, weight = np.array(rows).T
    everyone = np.repeat(burden, weight.astype(int))
    mean = everyone.mean()
    expected = np.abs(everyone[:, None] - everyone).mean() / (2 * mean) if mean > 0 else 0.0
    assert gini(burden, weight) == pytest.approx(expected, abs=1e-9)
    assert gini(burden * 7, weight) == pytest.approx(gini(burden, weight), abs=1e-9)


def test_equity_compares_zones_that_have_calls():
    found = equity([100.0, 300.0, 600.0, 600.0], [0, 0, 2, 2], 3)
    assert found.mean[[0, 2]].tolist() == [200.0, 600.0]
    assert np.isnan(found.mean[1])
    assert (found.gap, found.worst_ratio, found.gini) == pytest.approx((400.0, 1.5, 0.25))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: survival([1.0, -5.0]), r"response\[1\] \(-5\)"),
        (lambda: gini([1.0], [0.0]), "weight is 0 in every row"),
        (lambda: equity([1.0, 2.0], [0, 3], 3), r"group must hold one row from 0 to 2 .*group\[1\] is 3"),
    ],
)
def test_bad_rows_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
