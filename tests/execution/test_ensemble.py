"""How the ensemble benchmark counts: starts left out, runs under way in part."""

from __future__ import annotations

import pytest

from benchmarks.ensemble import _firsts, _span_per_run


def test_one_worker_takes_the_time_of_a_run():
    spans = [(0.0, 5.0), (5.0, 6.0), (6.0, 7.0), (7.0, 8.0)]
    firsts = _firsts(spans, 1)
    assert firsts == [(0.0, 5.0)]
    assert _span_per_run(spans, 5.0) == pytest.approx(1.0)


def test_two_workers_without_loss_halve_it():
    left = [(0.0, 4.0), (4.0, 6.0), (6.0, 8.0), (8.0, 10.0)]
    right = [(3.0, 5.0), (5.0, 7.0), (7.0, 9.0), (9.0, 10.0)]
    spans = sorted([*left, *right[:3], (9.0, 10.0)])
    assert _firsts(spans, 2) == [(0.0, 4.0), (3.0, 5.0)]
    assert _span_per_run(sorted([*left, *right[:3]]), 5.0) == pytest.approx(5.0 / 4.5)


def test_workers_that_hinder_each_other_take_longer():
    alone = [(float(n), n + 1.0) for n in range(10)]
    slowed = [(2.0 * n, 2.0 * n + 2.0) for n in range(5)]
    both = sorted(slowed + slowed)
    assert _span_per_run(alone, 1.0) / (2 * _span_per_run(both, 2.0)) == pytest.approx(0.5)
