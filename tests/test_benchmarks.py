"""What the statistical benchmarks count with, and how figures are kept."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks import report
from benchmarks.gate_power import _FIGURES, _plain_shares, _Shift, _suite, upper_bound
from twin.stats import SAME, WORSE


@pytest.mark.parametrize(("events", "trials"), [(0, 2000), (0, 10), (1, 1), (10, 10)])
def test_the_bound_of_no_and_of_all_events_by_hand(events, trials):
    expected = 1.0 if events == trials else 1 - 0.025 ** (1 / trials)
    assert upper_bound(events, trials) == pytest.approx(expected)


def test_the_bound_is_the_share_that_would_rarely_give_so_few():
    from scipy.stats import binom

    assert binom.cdf(7, 200, upper_bound(7, 200)) == pytest.approx(0.025)


def pool(spread):
    noise = np.random.Generator(np.random.Philox(1)).normal(size=(len(_FIGURES), 100))
    return {f.name: spread * f.margin * row for f, row in zip(_FIGURES, noise, strict=True)}


def test_a_quiet_pool_is_the_same_and_a_shift_of_two_margins_is_found():
    for figure in _FIGURES:
        found = _suite(pool(0.2), 1, 0, _Shift(figure, 2.0))
        assert {c.figure: c.family_verdict for c in found.comparisons} == dict.fromkeys(_FIGURES, SAME) | {
            figure: WORSE
        }


def test_a_noisy_pool_is_capped_and_counted_as_inconclusive():
    shares = _plain_shares([_suite(pool(20.0), 1, i, None) for i in range(5)])
    assert (shares["capped_share"], shares["inconclusive_share"], shares["same_share"]) == (1, 1, 0)


def test_kept_figures_say_when_and_on_what(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "_FIGURES", tmp_path)
    result = report.Report({"pcs": 0.97}, (report.Target("pcs", ">=", 0.95),)).as_dict("selection", 3)
    kept = json.loads(report.store(result, quick=True).read_text())
    assert kept["targets"][0]["met"]
    assert {"when", "machine", "code", "quick"} <= kept.keys()
