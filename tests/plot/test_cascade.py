"""The cascade timeline and resilience curves show what the log and the series hold."""

from __future__ import annotations

import numpy as np
import pytest

from twin.plot.cascade import LANES, cascade_timeline, lost_hours, resilience_figure, resilience_plot
from twin.plot.series import Curve

NIGHT = np.datetime64("2026-01-15T17:00")
KINDS = ["flood", "substation_trip", "outage", "pump_stopped", "hydrant_dry", "call_rings", "supply_back"]


def moments(count):
    return NIGHT + np.arange(count) * np.timedelta64(10, "m")


def drawn():
    events = {"kind": np.array(KINDS)}
    parents = {"event": np.array([1, 2, 3, 4, 6, 0]), "parent": np.array([0, 1, 2, 3, 2, -1])}
    return cascade_timeline(events, parents, moments(len(KINDS)))


def test_every_sector_with_an_event_has_a_lane_and_no_other():
    names = [label.get_text() for label in drawn().get_yticklabels()]
    assert names == ["Water", "Power", "Hazard"]


def test_losses_and_recoveries_are_drawn_once_each():
    loss, recovery = (group.get_offsets() for group in drawn().collections)
    assert len(loss) == 5
    assert len(recovery) == 1


def test_lines_lead_from_lane_to_lane_only():
    """Flood to trip and outage to pump cross lanes; trip to outage, pump to hydrant and outage to supply do not."""
    assert sum(len(line.get_xdata()) == 2 for line in drawn().lines) == 2


def test_a_strong_line_leads_from_the_first_cause_to_the_dry_hydrant():
    (chain,) = (line for line in drawn().lines if len(line.get_xdata()) > 2)
    assert np.asarray(chain.get_xdata()).tolist() == moments(len(KINDS))[[4, 3, 2, 1, 0]].tolist()
    labels = [text.get_text() for text in drawn().get_legend().get_texts()]
    assert labels[-1] == "chain of causes: hydrant dry"


def test_the_first_loss_of_each_kind_is_named():
    words = {word for note in drawn().texts for word in note.get_text().split(", ")}
    assert words == {"flood", "substation trip", "outage", "pump stopped", "hydrant dry"}


def test_no_two_names_of_a_lane_overlap():
    kinds = ["rain", "storm", "substation_wet", "substation_trip", "outage", "fire", "road_flooded", "call_late"]
    at = NIGHT + np.array([0, 1, 2, 3, 4, 20, 21, 60]) * np.timedelta64(1, "m")
    ax = cascade_timeline({"kind": np.array(kinds)}, {"event": np.zeros(0, int), "parent": np.zeros(0, int)}, at)
    ax.figure.canvas.draw()
    boxes = [note.get_window_extent() for note in ax.texts]
    assert len(boxes) < len(kinds)
    assert not any(one.overlaps(other) for row, one in enumerate(boxes) for other in boxes[:row])


def test_many_arms_differ_in_colour_or_dash_and_only_the_first_is_shaded():
    ax = resilience_plot([curve(f"arm{i}", 1.0, 0.1 * i, 1.0) for i in range(6)], "Customers with power")
    assert len(ax.collections) == 1
    looks = {(line.get_color(), str(line._dash_pattern), line.get_linestyle()) for line in ax.lines}
    assert len(looks) == 6
    assert ax.get_title(loc="left") == "Customers with power"


def test_no_kind_stands_in_two_lanes():
    kinds = [kind for shown in LANES.values() for kind in shown]
    assert len(kinds) == len(set(kinds))


def curve(arm, *shares):
    return Curve(arm, NIGHT + np.arange(len(shares)) * np.timedelta64(1, "h"), np.array([shares, shares], dtype=float))


def test_the_shaded_area_is_the_hours_of_full_service_that_are_lost():
    """Half of the service is missing from one sample to the next, an hour later: half an hour."""
    assert lost_hours(curve("A", 1.0, 0.5, 1.0)) == pytest.approx(0.5)
    ax = resilience_plot([curve("A", 1.0, 0.5, 1.0), curve("B", 1.0, 1.0, 1.0)], "Customers with power")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["A: 0.50 h", "B: 0.00 h", "the loss"]
    assert ax.get_legend().get_title().get_text() == "Lost, in hours\nof full service"
    assert ax.get_ylabel() == "share served"
    assert len(ax.collections) == 2


def test_a_sample_holds_until_the_next():
    assert lost_hours(curve("A", 0.5, 1.0, 1.0)) == pytest.approx(0.5)
    ax = resilience_plot([curve("A", 0.5, 1.0, 1.0)], "Customers with power")
    assert [line.get_drawstyle() for line in ax.lines] == ["steps-post"]


def test_the_legend_names_no_line_that_is_not_drawn():
    """A late call behind which nothing was lost has no chain, nor have hazards alone any line."""
    kinds = np.array(["mass_casualty", "site_failure", "call_rings", "call_late"])
    parents = {"event": np.array([2, 3]), "parent": np.array([0, 2])}
    ax = cascade_timeline({"kind": kinds}, parents, moments(4))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["loss", "recovery or help"]
    assert not ax.lines
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Response", "Hazard"]


def test_the_chain_is_told_of_the_first_end_that_has_one():
    kinds = np.array(["hydrant_dry", "outage", "call_late"])
    ax = cascade_timeline({"kind": kinds}, {"event": np.array([2]), "parent": np.array([1])}, moments(3))
    assert [text.get_text() for text in ax.get_legend().get_texts()][-1] == "chain of causes: call late"


def test_a_figure_has_a_panel_for_each_service():
    made = resilience_figure({"Power": [curve("A", 1.0, 0.5)], "Water": [curve("A", 1.0, 0.9)]})
    assert [ax.get_title(loc="left") for ax in made.axes] == ["Power", "Water"]
