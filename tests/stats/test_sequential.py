"""How many replications are enough: widths decide, verdicts never do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.stats import SAME, Figure, compare_figures
from twin.stats.sequential import Stopping, is_precise, next_stage, run_stages

RULE = Stopping(first=10, cap=60, step=2)


def judged(differences, margin=1.0):
    """Return the comparisons of figures whose differences are the rows given."""
    figures = [Figure(f"f{i}", "s", "lower", margin) for i in range(len(differences))]
    arm = {f"f{i}": dict(enumerate(map(float, row))) for i, row in enumerate(differences)}
    baseline = {name: dict.fromkeys(row, 0.0) for name, row in arm.items()}
    return compare_figures(figures, baseline, arm)


def draws(seed, *shape):
    return np.random.Generator(np.random.Philox(seed)).normal(size=shape)


def test_the_first_stage_comes_first():
    assert next_stage([], 0, RULE) == 10
    assert next_stage([], 4, RULE) == 6


def test_more_than_the_cap_is_enough():
    assert next_stage(judged(50 * draws(1, 1, 70)), 70, RULE) == 0


def test_no_difference_at_all_stops_after_the_first_stage():
    found = run_stages(lambda n: judged(np.zeros((3, n))), RULE)
    assert (found.replications, found.stages, found.precise) == (10, 1, True)
    assert {c.family_verdict for c in found.comparisons} == {SAME}


def test_a_noisy_figure_runs_into_the_cap():
    noise = 50 * draws(1, 1, 60)
    found = run_stages(lambda n: judged(noise[:, :n]), RULE)
    assert (found.replications, found.precise) == (60, False)


def test_it_stops_at_the_width_it_promises():
    noise = 1.2 * draws(2, 4, 200)
    found = run_stages(lambda n: judged(noise[:, :n]), Stopping(10, 200))
    assert found.precise
    assert max(c.half_width for c in found.comparisons) <= 0.5
    assert 20 < found.replications < 200


@given(shift=st.floats(-100, 100), seed=st.integers(0, 50))
def test_one_figure_stops_at_the_same_place_whatever_its_mean(shift, seed):
    noise = draws(seed, 1, 60)
    still = run_stages(lambda n: judged(noise[:, :n]), RULE)
    moved = run_stages(lambda n: judged(noise[:, :n] + shift), RULE)
    assert moved.replications == still.replications


@given(done=st.integers(10, 60), scale=st.floats(0.1, 30))
def test_a_stage_never_passes_the_cap_nor_more_than_doubles(done, scale):
    more = next_stage(judged(scale * draws(3, 2, done)), done, RULE)
    assert 0 <= more <= min(60 - done, max(done, 2))


def test_the_least_precise_figure_leads():
    noise = draws(4, 2, 10)
    alone = next_stage(judged(noise[:1]), 10, RULE)
    assert next_stage(judged(np.vstack([noise[:1], 1e-6 * noise[1:]])), 10, RULE) >= alone > 0


def test_figures_without_margin_or_value_are_not_waited_for():
    noise = draws(5, 1, 10)
    without_margin = judged(noise, margin=0.0)
    noise[0, 3] = np.nan
    without_value = judged(noise)
    assert is_precise(without_margin[0])
    assert is_precise(without_value[0])
    assert next_stage([*without_margin, *without_value], 10, RULE) == 0


@pytest.mark.parametrize(("values", "words"), [((1, 5), "first"), ((10, 9), "cap"), ((10, 20, 0), "step")])
def test_impossible_rules_are_named(values, words):
    with pytest.raises(ValueError, match=words):
        Stopping(*values)
