"""Curves over time: bands, ticks, shaded stretches, legends."""

from __future__ import annotations

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pytest

from twin import plot
from twin.plot import series

CLOCK = np.datetime64("2026-01-15T17:00", "us") + np.arange(5) * np.timedelta64(30, "m")


def test_a_band_lies_between_the_extremes_and_holds_the_mean():
    values = np.random.default_rng(1).normal(size=(40, 5))
    middle, low, high = series._band(values)
    assert np.allclose(middle, values.mean(axis=0))
    assert (values.min(axis=0) < low).all()
    assert (low < middle).all()
    assert (middle < high).all()
    assert np.allclose(((values >= low) & (values <= high)).mean(axis=0), 0.8, atol=0.03)


def test_moments_without_any_value_are_gaps_without_a_warning(recwarn):
    values = np.array([[1.0, np.nan, 3.0], [1.0, np.nan, np.nan]])
    middle, *_ = series._band(values)
    assert np.array_equal(middle, [1.0, np.nan, 3.0], equal_nan=True)
    assert not recwarn


def test_a_story_shades_the_windows_in_every_panel_and_names_the_time_zone():
    curves = [plot.Curve(arm, CLOCK, np.ones((3, 5)) * k) for k, arm in enumerate("AB", start=1)]
    windows = [plot.Window("Flood", CLOCK[1], CLOCK[3]), plot.Window("Storm", CLOCK[1], CLOCK[1])]
    with plot.style():
        made = plot.figure(6, 5)[0]
        made.clear()
        axes = made.subplots(2, 1, sharex=True)
        plot.story_plot({"Calls": curves, "Speed": curves}, windows, list(axes), "WITA")
        plot.png(made)
    assert axes[1].get_xlabel() == "Local time (WITA)"
    assert [len(ax.patches) for ax in axes] == [1, 1]
    assert [[text.get_text() for text in ax.texts] for ax in axes] == [["Storm"], []]
    assert {t.get_text() for t in made.legends[0].get_texts()} == {"A", "B", "80 % of replications", "Flood"}
    assert axes[1].get_xticklabels()[0].get_text() == "17:00"


def ticks(values, name="Calls"):
    """Return the texts of the ticks, the limits and the notes of a panel with these values."""
    with plot.style():
        made, ax = plot.figure(6, 2)
        plot.series_plot([plot.Curve("A", CLOCK, np.array(values, dtype=float))], name, ax=ax)
        made.draw_without_rendering()
    low, high = ax.get_ylim()
    seen = [text.get_text() for text in ax.get_yticklabels() if low <= text.get_position()[1] <= high]
    return seen, (low, high), [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(("top", "said"), [(1, ["0", "1"]), (3, ["0", "1", "2", "3"])])
def test_small_counts_get_whole_ticks_from_zero(top, said):
    labels, limits, _ = ticks([[0, 0, top, 0, 0]] * 3)
    assert limits[0] == 0.0
    assert labels == said


def test_a_rare_count_is_drawn_up_to_one():
    labels, limits, _ = ticks([[0, 0, 1, 0, 0], *[[0] * 5] * 19])
    assert labels == ["0", "1"]
    assert limits[1] > 1.0


def test_shares_keep_their_decimals_and_thousands_their_comma():
    assert "0.3" in ticks([[0.1, 0.2, 0.4, 0.1, 0.3]])[0]
    assert "2,000" in ticks([[0, 10, 6000, 3000, 10]])[0]


def test_an_empty_panel_says_so():
    assert ticks([[0.0] * 5])[::2] == (["0"], ["none"])
    assert ticks([[np.nan] * 5])[::2] == ([], ["nothing measured"])


def test_every_arm_has_dashes_of_its_own():
    curves = [plot.Curve(arm, CLOCK, np.ones((1, 5))) for arm in "ABCDE"]
    with plot.style():
        ax = plot.series_plot(curves, "x")
    assert len({str(line._unscaled_dash_pattern) for line in ax.get_lines()}) == 5


def test_one_replication_has_no_band_in_the_legend():
    curves = [plot.Curve("A", CLOCK, np.ones((1, 5)))]
    made = series.story_figure({"Calls": curves}, [], "UTC")
    assert [text.get_text() for text in made.legends[0].get_texts()] == ["A"]


def test_bands_of_more_than_two_arms_are_left_out():
    curves = [plot.Curve(arm, CLOCK, np.array([[1.0] * 5, [3.0] * 5])) for arm in "ABC"]
    two, three = (series.story_figure({"Calls": curves[:count]}, [], "UTC") for count in (2, 3))
    assert [len(made.axes[0].collections) for made in (two, three)] == [2, 0]
    assert [text.get_text() for text in two.legends[0].get_texts()] == ["A", "B", "80 % of replications"]
    assert [text.get_text() for text in three.legends[0].get_texts()] == ["A", "B", "C"]
