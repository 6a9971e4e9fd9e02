"""The cascade timeline and resilience curves show what the log and the series hold."""

from __future__ import annotations

import numpy as np
import pytest

from twin.plot.cascade import (
    LANES,
    PLANNED,
    cascade_timeline,
    count_lanes,
    lost_hours,
    resilience_figure,
    resilience_plot,
)
from twin.plot.series import Curve
from twin.registry import BUILT_IN

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


def test_every_kind_of_event_that_is_told_has_a_lane_or_is_a_step_of_work():
    """A new kind must be put into a lane, or be named here as a step that is no loss and no help."""
    parts = [part for sort in ("model", "feed", "policy") for part in BUILT_IN.all(sort).values()]
    parts = [part for part in parts if part.__module__.startswith("twin.")]
    known = {kind.name: kind for part in parts for kind in (*part.events, *part.tells)}
    told = {name for name, kind in known.items() if not (kind.quiet or kind.scenario or name.endswith("_end"))}
    shown = {kind for kinds in LANES.values() for kind in kinds}
    assert told - shown == STEPS
    assert not shown - set(known)


STEPS = {
    *("flood_step", "coupling_repeats"),
    *("incident_declared", "mass_casualty_declared", "incident_closed", "move", "shift_change", "call_rings"),
    *("dispatch", "dispatcher_free", "unit_reroute", "aid_promised", "aid_failed", "call_triaged", "call_closed"),
    *("call_put_through", "call_preempted", "dispatch_failed", "move_failed", "patient_worsens", "unit_at_hospital"),
    *("unit_dispatched", "unit_diverted", "unit_free", "unit_moved", "unit_on_scene", "engine_sent"),
    *("engine_on_scene", "line_opened", "line_closed", "escalate", "procedure_begins", "procedure_closed"),
    *("task_told", "task_by_messenger", "task_acknowledged", "task_escalated", "task_done", "repair", "crew_look"),
    *("crew_shift", "restock", "repair_wanted", "repair_refused", "crew_sent", "crew_free", "order_held"),
    *("signal_mode", "gridlock_link", "link_flows", "link_slow", "water_rule", "water_control", "water_oscillates"),
    *("valve_refused", "scada_exception", "asset_alarm"),
}


def test_planned_events_without_a_lane_stand_in_one_of_their_own_where_nothing_caused_them():
    events = {"kind": np.array(["valve_set", "outage", "valve_set"])}
    parents = {"event": np.array([2]), "parent": np.array([1])}
    ax = cascade_timeline(events, parents, moments(3), planned={"valve_set", "outage"})
    assert [label.get_text() for label in ax.get_yticklabels()] == [PLANNED, "Power"]
    assert [len(group.get_offsets()) for group in ax.collections] == [1, 0, 1]
    assert "valve set" in {note.get_text() for note in ax.texts}
    assert count_lanes(events, parents, {"valve_set"}) == 2
    assert count_lanes(events, parents) == 1


def test_the_cause_of_a_dead_site_is_told_through_its_empty_battery():
    events = {"kind": np.array(["outage", "battery_empty", "site_dead"])}
    parents = {"event": np.array([1, 2]), "parent": np.array([0, 1])}
    assert sum(len(line.get_xdata()) == 2 for line in cascade_timeline(events, parents, moments(3)).lines) == 2


def test_events_of_one_instant_stand_in_a_quarter_of_an_hour():
    from matplotlib.dates import num2date

    ax = cascade_timeline(
        {"kind": np.array(["line_failure", "outage"])}, {"event": np.array([1]), "parent": np.array([0])},
        np.array([NIGHT, NIGHT]),
    )  # fmt: skip
    low, high = (num2date(edge) for edge in ax.get_xlim())
    assert (high - low).total_seconds() == pytest.approx(900, abs=1)
    assert [note.get_text() for note in ax.texts] == ["line failure, outage"]


@pytest.mark.parametrize("least", [0.86, 0.994, 0.4])
def test_the_labels_of_shares_are_what_they_stand_for(least):
    curve = Curve("A", moments(3), np.array([[1.0, least, 1.0]]))
    ax = resilience_plot([curve], "Customers with power")
    ax.figure.canvas.draw()
    for place, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True):
        assert float(label.get_text().rstrip(" %")) == pytest.approx(100 * place, abs=1e-6)
