"""Ranking, tables and picture of a what-if, from figures written by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import matplotlib as mpl

mpl.use("Agg")

import pytest

from tests.whatif.quick import AT, live
from twin.contract import HOUR
from twin.stats import Figure
from twin.whatif.result import Branch, WhatIf

MEAN = Figure("response_mean", "s", "lower", 15.0)
SERVED = Figure("calls_served", "1", "higher", 1.0)


def asked(values, by="response_mean", **more):
    """Return a what-if of policies with (response_mean, calls_served) per future."""
    branches = [
        Branch(label, r, figures := {"response_mean": mean, "calls_served": served}, figures)
        for label, pairs in values.items()
        for r, (mean, served) in enumerate(pairs)
    ]
    return WhatIf(tuple(values), (MEAN, SERVED), by, tuple(branches), AT, "2026-01-15 18:00 WITA", 2 * HOUR, **more)


THREE = {
    "now": [(500.0, 10.0), (520.0, 12.0), (480.0, 11.0), (510.0, 9.0), (505.0, 10.0)],
    "quick": [(400.0, 8.0), (421.0, 11.0), (379.0, 9.0), (411.0, 8.0), (404.0, 9.0)],
    "alike": [(501.0, 10.0), (521.0, 12.0), (480.0, 11.0), (509.0, 9.0), (506.0, 11.0)],
}


def test_the_best_comes_first_in_the_direction_of_the_figure():
    assert [label for label, _ in asked(THREE).ranked()] == ["quick", "now", "alike"]
    assert asked(THREE, by="calls_served").best == "alike"


def test_verdicts_are_paired_with_the_present_policy():
    found = asked(THREE)
    assert {label: found.verdict(label) for label in found.choices} == {
        "now": "present", "quick": "better", "alike": "same"
    }  # fmt: skip
    assert found.judged("quick").difference == pytest.approx(-100.0)


def test_the_ranking_is_judged_for_all_policies_together():
    found = asked(THREE)
    alone, family = found.judged("alike").p, found.judged("alike").p_family
    assert family >= alone
    assert found.judged("quick").family_high > found.judged("quick").high


def test_a_future_without_a_value_is_left_out_for_all():
    gap = {**THREE, "quick": [(math.nan, 0.0), *THREE["quick"][1:]]}
    found = asked(gap)
    assert found.judged("quick").pairs == 4
    assert dict(found.ranked())["now"] == pytest.approx((520 + 480 + 510 + 505) / 4)


def test_the_table_has_a_row_per_policy_and_figure_and_the_frame_one_per_branch():
    table, frame = asked(THREE).table(), asked(THREE).frame()
    assert list(table["policy"].unique()) == ["quick", "alike"]
    assert len(table) == 4
    assert len(frame) == 3 * 5 * 2
    assert frame.query("policy == 'quick' and replication == 1 and kpi == 'response_mean'")["value"].item() == 421.0


def test_nothing_but_the_present_policy_is_a_result_too():
    found = asked({"now": THREE["now"]})
    assert found.best == "now"
    assert found.table().empty


def test_the_picture_shows_every_policy_with_interval_margin_and_units():
    from twin import plot

    with plot.style():
        _, ax = plot.figure(9.0, 4.0)
        assert asked(THREE, frozen=("traffic",)).plot(ax) is ax
    assert [t.get_text() for t in ax.get_yticklabels()] == ["quick", "now (present)", "alike"]
    assert "(s), left is better" in ax.get_xlabel()
    assert "frozen: traffic" in " ".join(t.get_text() for t in ax.texts)
    low, high = sorted(x for line in ax.lines for x in line.get_xdata() if len(line.get_xdata()) == 2 and x)[:2]
    assert low < -100 < high


def test_the_picture_needs_no_axes():
    from matplotlib import pyplot

    ax = asked(THREE).plot()
    assert ax.get_title(loc="left") == "Response mean: which policy from here on?"
    pyplot.close(ax.figure)


def test_notebooks_show_the_ranking():
    assert "quick" in asked(THREE)._repr_html_()
    assert "best quick" in repr(asked(THREE))


def test_calls_reached_before_the_branch_do_not_count():
    child = live().branch()
    reached = (child.state["call.on_scene"] >= 0) & (child.state["call.on_scene"] < AT)
    assert reached.any()
    child.assembly.by_name["emergency"].forget(child.view("emergency"), AT)
    assert math.isnan(child.kpis()["response_mean"])
    assert (child.state["call.rung"][reached] == -1).all()
    state = live().state
    waiting = (state["call.rung"] >= 0) & (state["call.on_scene"] < 0) & (state["call.closed"] < 0)
    assert 0 < child.kpis()["calls_open"] == waiting.sum() < live().kpis()["calls_open"]


def test_failed_branches_are_not_counted():
    found = asked(THREE)
    broken = replace(found, branches=(*found.branches[:-1], Branch("alike", 4, message="no")))
    assert len(broken.failed) == 1
    assert broken.judged("alike").pairs == 4
