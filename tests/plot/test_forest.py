"""Differences of arms with their intervals, and how figures are worded."""

from __future__ import annotations

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pytest

from twin import plot, wording
from twin.plot import forest
from twin.stats import Comparison, Figure


def texts(ax):
    return [text.get_text() for text in ax.texts] + [ax.get_title(loc="left")]


def comparison(difference, low, high, direction="lower", margin=10.0, verdict="better", unit="s"):
    return Comparison(
        Figure("response_mean", unit, direction, margin), 8, 1.0, 2.0, difference, low, high, 0.01, verdict
    )


@pytest.mark.parametrize(("direction", "sign"), [("lower", 1.0), ("higher", -1.0)])
def test_right_is_better_whatever_the_direction(direction, sign):
    middle, low, high = forest._scaled(comparison(-20.0, -30.0, -10.0, direction))
    assert middle == sign * 2.0
    assert sorted((low, high)) == [low, high]
    assert {abs(low), abs(high)} == {1.0, 3.0}


def test_a_figure_without_a_margin_ends_outside_the_band():
    assert forest._scaled(comparison(-20.0, -30.0, -10.0, margin=0.0))[2] == pytest.approx(3.0)


def test_a_forest_names_verdicts_and_survives_what_is_not_known():
    rows = [
        comparison(-20.0, -30.0, -10.0),
        comparison(0.0, 0.0, 0.0, verdict="same"),
        comparison(400.0, 300.0, 500.0, verdict="worse"),
        comparison(np.nan, -np.inf, np.inf, verdict="inconclusive"),
        comparison(5.0, -np.inf, np.inf, verdict="inconclusive"),
    ]
    with plot.style():
        made, ax = plot.figure(9, 4)
        plot.forest_plot(rows, ax, arms=("Now", "New"))
        plot.png(made)
    said = texts(ax)
    assert [text for text in said if text in ("better", "same", "worse", "inconclusive")] == [
        one.verdict for one in rows
    ]
    assert "−20.0 s" in said
    assert ax.get_title(loc="left").startswith("What New changes against Now")
    left, right = ax.get_xlim()
    assert -left == right <= 9.0


def test_several_arms_stand_below_each_figure_best_first():
    found = {
        "slow": [comparison(30.0, 20.0, 40.0, verdict="worse"), comparison(0.0, 0.0, 0.0, verdict="same")],
        "unknown": [comparison(np.nan, -np.inf, np.inf, verdict="inconclusive"), comparison(0.0, 0.0, 0.0)],
        "fast": [comparison(-30.0, -40.0, -20.0), comparison(5.0, -np.inf, np.inf, verdict="inconclusive")],
    }
    with plot.style():
        made, ax = plot.figure(9, 5)
        plot.arms_plot(found, ax, baseline="Now")
        plot.png(made)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["fast", "slow", "unknown"] * 2
    verdicts = [text for text in texts(ax) if text in forest.VERDICT_LOOK]
    assert verdicts == ["better", "worse", "inconclusive", "inconclusive", "same", "better"]
    assert sum(text == "Response mean" for text in texts(ax)) == 2
    assert ax.get_title(loc="left").startswith("What each arm changes against Now")


@pytest.mark.parametrize(("difference", "marker"), [(400.0, "<"), (-400.0, ">")])
def test_a_difference_beyond_the_axis_has_an_arrow_at_its_edge(difference, marker):
    """One replication gives no interval, and a lower value is better here."""
    with plot.style():
        _, ax = plot.figure(9, 4)
        plot.forest_plot([comparison(difference, -np.inf, np.inf, verdict="inconclusive")], ax)
    ends = [(line.get_marker(), line.get_xdata()[0]) for line in ax.lines if line.get_marker() in "<>"]
    assert [shown for shown, _ in ends] == [marker]
    assert 0.9 < abs(ends[0][1]) / ax.get_xlim()[1] < 1.0


def test_verdicts_differ_in_marker_as_well_as_colour():
    markers = [marker for _, marker in forest.VERDICT_LOOK.values()]
    assert len(set(markers)) == len(markers)


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (1234.5, False, "1,234"),
        (0.04321, False, "0.0432"),
        (-2.0, True, "−2.00"),
        (0.0, True, "0"),
        (np.inf, False, "–"),
    ],
)
def test_numbers_are_written_for_people(value, signed, text):
    assert wording.number(value, signed) == text


def test_a_share_is_shown_in_per_cent():
    assert wording.with_unit(0.25, Figure("late_share", "1", "lower")) == "25.0 %"
    assert wording.difference_with_unit(0.0168, Figure("late_share", "1", "lower")) == "+1.68 pp"
    assert wording.difference_with_unit(-3.0, Figure("response_mean", "s", "lower")) == "−3.00 s"
    assert wording.with_unit(np.nan, Figure("late_share", "1", "lower")) == "–"
