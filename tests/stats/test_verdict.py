"""Verdicts on paired differences: theory, symmetry, and the cases that break naive code."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from twin.stats import (
    BETTER,
    INCONCLUSIVE,
    SAME,
    UNMEASURED,
    WORSE,
    Figure,
    compare,
    compare_arms,
    compare_figures,
    holm,
    interval,
)

LOWER = Figure("response", "s", "lower", 10.0)
HIGHER = Figure("served", "1", "higher", 10.0)
values = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3))
pairs = st.integers(2, 12).flatmap(lambda n: st.tuples(*[st.lists(values, min_size=n, max_size=n)] * 2))
margins = st.floats(0, 1e5).map(lambda x: round(x, 3))
FLIPPED = {BETTER: WORSE, WORSE: BETTER, SAME: SAME, INCONCLUSIVE: INCONCLUSIVE}


@given(pairs)
def test_interval_is_that_of_scipys_paired_test(pair):
    from scipy.stats import ttest_rel

    a, b = map(np.array, pair)
    assume(np.ptp(b - a) > 1e-3)
    expected = ttest_rel(b, a).confidence_interval(0.95)
    _, low, high, _ = interval(b - a, 0.95)
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-6)


@given(pairs, margins)
def test_the_other_direction_turns_the_verdict_round(pair, margin):
    lower = compare(Figure("x", "s", "lower", margin), *pair)
    higher = compare(Figure("x", "s", "higher", margin), *pair)
    assert higher.verdict == FLIPPED[lower.verdict]


@given(pairs, margins)
def test_swapping_the_arms_turns_the_verdict_round(pair, margin):
    figure = Figure("x", "s", "lower", margin)
    there, back = compare(figure, *pair), compare(figure, *reversed(pair))
    assert back.verdict == FLIPPED[there.verdict]
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


@given(pairs, margins)
def test_p_is_the_alpha_at_which_the_verdict_is_decided(pair, margin):
    figure = Figure("x", "s", "lower", margin)
    found = compare(figure, *pair)
    assume(1e-9 < found.p < 0.99 and found.low != found.high)
    assert compare(figure, *pair, level=1 - found.p * 1.001).verdict != INCONCLUSIVE
    assert compare(figure, *pair, level=1 - found.p * 0.999).verdict == INCONCLUSIVE


@given(pairs, margins)
def test_a_verdict_is_never_nan_and_never_contradicts_its_interval(pair, margin):
    found = compare(Figure("x", "s", "lower", margin), *pair)
    assert not math.isnan(found.low)
    assert not math.isnan(found.high)
    assert found.low <= found.difference <= found.high
    assert (found.verdict == BETTER) == (found.high < -margin)
    assert (found.verdict == WORSE) == (found.low > margin)


@given(st.lists(values, min_size=2, max_size=8), margins)
def test_no_difference_at_all_is_same(column, margin):
    found = compare(Figure("x", "s", "lower", margin), column, column)
    assert (found.verdict, found.low, found.high, found.p) == (SAME, 0, 0, 0.5 ** (len(column) - 1))


@pytest.mark.parametrize(
    ("differences", "lower"),
    [
        ([-30, -31, -29, -30], BETTER),
        ([30, 31, 29, 30], WORSE),
        ([1, -1, 2, -2], SAME),
        ([-30, 30, -20, 25], INCONCLUSIVE),
        ([-14, -11, -12, -9], INCONCLUSIVE),
        ([-12, -12, -12, -12], BETTER),
        ([-10, -10, -10, -10], SAME),
    ],
)
def test_verdicts_by_hand(differences, lower):
    base = [100.0] * len(differences)
    arm = [100.0 + d for d in differences]
    assert compare(LOWER, base, arm).verdict == lower
    assert compare(HIGHER, base, arm).verdict == FLIPPED[lower]


def test_a_figure_without_value_is_inconclusive_and_says_so():
    found = compare(LOWER, [1.0, math.nan, 3.0], [1.0, 2.0, 3.0])
    assert (found.verdict, found.reason) == (INCONCLUSIVE, "no finite value in 1 of 3 replications")
    nothing = [math.nan, math.inf]
    assert compare(LOWER, nothing, nothing).reason == UNMEASURED
    assert compare(LOWER, nothing, [1.0, 2.0]).reason == "no finite value in 2 of 2 replications"


@pytest.mark.parametrize("value", [10.0, 100.0])
def test_one_replication_is_inconclusive(value):
    found = compare(LOWER, [100.0], [value])
    assert found.verdict == INCONCLUSIVE
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert "one replication" in found.reason


def test_only_shared_seeds_are_compared():
    found = compare_figures([LOWER], {"response": {1: 5.0, 2: 6.0, 3: 7.0}}, {"response": {2: 6.0, 3: 7.0, 4: 99.0}})[0]
    assert (found.pairs, found.verdict) == (2, SAME)
    nothing = compare_figures([LOWER], {"response": {1: 5.0}}, {"response": {2: 6.0}})[0]
    assert (nothing.verdict, nothing.reason) == (INCONCLUSIVE, "no seed is in both arms")


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_is_monotone_never_below_p_and_never_above_bonferroni(p):
    adjusted = holm(p)
    assert all(a >= q and a <= min(1.0, len(p) * q) for a, q in zip(adjusted, p, strict=True))
    order = sorted(range(len(p)), key=lambda i: p[i])
    assert [adjusted[i] for i in order] == sorted(adjusted)


def test_a_verdict_that_holds_alone_need_not_hold_in_the_family():
    base = {name: dict.fromkeys(range(4), 0.0) for name in ("a", "n0", "n1", "n2", "n3", "n4")}
    arm = {"a": {0: -20.0, 1: -30.0, 2: -14.0, 3: -22.0}}
    arm |= {f"n{k}": {0: -50.0, 1: 40.0, 2: 30.0, 3: -25.0} for k in range(5)}
    figures = [Figure(name, "s", "lower", 10.0) for name in base]
    alone, together = compare_figures(figures[:1], base, arm)[0], compare_figures(figures, base, arm)[0]
    assert (alone.verdict, alone.family_verdict) == (BETTER, BETTER)
    assert (together.verdict, together.family_verdict) == (BETTER, INCONCLUSIVE)
    assert (alone.family_reason, together.reason) == ("", "")
    assert together.family_reason == "better by itself, but 4 replications are too few to say it of all together"


def test_intervals_cover_the_true_difference_as_often_as_they_say():
    draws = np.random.Generator(np.random.Philox(7)).normal(3.0, 2.0, size=(4000, 6))
    covered = [low <= 3.0 <= high for _, low, high, _ in (interval(row, 0.95) for row in draws)]
    assert 0.94 < np.mean(covered) < 0.96


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="2 and 1"):
        compare(LOWER, [1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match=r"level \(95\)"):
        compare(LOWER, [1.0, 2.0], [1.0, 2.0], level=95)


@pytest.mark.parametrize(
    ("given", "words"), [(("up", 1.0), "direction"), (("lower", -1.0), "margin"), (("lower", math.nan), "margin")]
)
def test_impossible_figures_are_named(given, words):
    with pytest.raises(ValueError, match=words):
        Figure("x", "s", *given)


def test_values_too_large_to_average_say_so_and_leave_the_others_alone():
    figures = [Figure(name, "s", "lower", 1.0) for name in "kj"]
    base = {"k": dict.fromkeys(range(3), 1.5e308), "j": dict.fromkeys(range(3), 0.0)}
    arm = {"k": {0: 0.0, 1: 1e307, 2: 2e307}, "j": {0: 5.0, 1: 5.1, 2: 5.2}}
    huge, other = compare_figures(figures, base, arm)
    assert (huge.verdict, huge.reason, huge.p) == (INCONCLUSIVE, "values too large to average", 1.0)
    assert (huge.family_low, huge.family_high) == (-math.inf, math.inf)
    assert (other.verdict, other.family_verdict) == (WORSE, WORSE)


def three_arms(spread):
    """Return arm -> figure -> seed -> value: two rivals ahead of arm a by 12 and by 14."""
    noise = np.random.Generator(np.random.Philox(4)).normal(size=(3, 10)) * spread
    level = {"a": 30.0, "b": 18.0, "c": 16.0}
    return {arm: {"response": dict(enumerate(level[arm] + noise[i]))} for i, arm in enumerate(level)}


def test_two_arms_are_a_family_of_their_figures():
    values = three_arms(1.0)
    del values["c"]
    assert compare_arms([LOWER], values, "a") == {"b": compare_figures([LOWER], values["a"], values["b"])}


def test_several_arms_are_one_family():
    values = three_arms(1.8)
    together = compare_arms([LOWER], values, "a")
    alone = {arm: compare_figures([LOWER], values["a"], values[arm])[0] for arm in "bc"}
    assert list(together) == ["b", "c"]
    assert [together[arm][0].p_family for arm in "bc"] == holm([alone[arm].p for arm in "bc"])
    assert together["c"][0].p_family == 2 * alone["c"].p < alone["b"].p_family
    assert [together[arm][0].verdict for arm in "bc"] == [alone[arm].verdict for arm in "bc"]


def test_figures_that_are_not_judged_cost_the_arms_nothing():
    values = three_arms(1.8)
    figures = [LOWER, Figure("noise", "s", "lower", 1.0)]
    for seeds in values.values():
        seeds["noise"] = {seed: float(seed % 3) for seed in range(10)}
    judged = compare_arms(figures, values, "a", judged=("response",))
    assert [rows[0] for rows in judged.values()] == [rows[0] for rows in compare_arms([LOWER], values, "a").values()]
    assert [rows[1].p_family for rows in judged.values()] == [1.0, 1.0]
