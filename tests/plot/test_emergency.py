"""Pictures of a service: what they are made of, worked out by hand, and that they show it."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from tests.cities import line_city
from twin.models.emergency.looks import reach_times, unit_spans, unit_tracks, weekly_counts
from twin.plot.emergency import arrival_plot, gantt_plot, isochrone_map, trajectory_map, workload_plot

mpl.use("Agg")
HOUR = 3600


def log(*rows):
    """Return events: kind, call, value, unit, hour."""
    table = pd.DataFrame(rows, columns=["kind", "target", "value", "data", "hour"])
    return table.assign(time=(table["hour"] * HOUR * 1e6).astype(np.int64), id=range(len(table)))


EVENTS = log(
    ("unit_dispatched", 0, 1.0, 1, 1.0),
    ("unit_dispatched", 1, 0.0, 0, 1.5),
    ("unit_on_scene", 0, 600.0, 1, 2.0),
    ("call_preempted", 1, 0.0, 0, 2.5),
    ("unit_at_hospital", 0, 0.0, 1, 3.0),
    ("call_closed", 0, 1.0, 1, 4.0),
    ("unit_dispatched", 2, 0.0, 0, 4.5),
)


def spans():
    return unit_spans(EVENTS, until=5 * HOUR)


def test_spans_follow_each_unit_and_end_with_the_run():
    found = [(row.unit, row.state, row.begin / HOUR, row.end / HOUR) for row in spans().itertuples()]
    assert found == [
        (0, "to the call", 1.5, 2.5),
        (0, "to the call", 4.5, 5.0),
        (1, "to the call", 1.0, 2.0),
        (1, "on scene, to hospital", 2.0, 3.0),
        (1, "at hospital", 3.0, 4.0),
    ]


def test_a_unit_of_one_call_drives_out_to_hospital_and_home():
    calls = pd.DataFrame({"node": line_city()["nodes"]["id"][[3, 1, 1]]})
    ways = unit_tracks(line_city(), EVENTS, calls, 1)
    assert [(way[0, 0], way[-1, 0]) for way in ways] == [(0, 3000), (3000, 4000), (4000, 0)]


def test_reach_is_the_time_from_the_nearest_of_several_places():
    assert reach_times(line_city(), [0, 4]).tolist() == [0, 100, 200, 100, 0]
    assert reach_times(line_city(), [0], np.full(8, 7.0)).tolist() == [0, 7, 14, 21, 28]


def test_weeks_begin_on_monday():
    counts = weekly_counts(np.array(["2026-03-09T00:30", "2026-03-15T23:59"], dtype="datetime64[m]"))
    assert counts[0, 0] == counts[6, 23] == 1
    assert counts.sum() == 2


def test_bars_are_as_long_as_the_spans():
    bars = gantt_plot(spans()).patches
    assert sum(bar.get_width() for bar in bars) == pytest.approx(1.0 + 0.5 + 3.0)


def test_workload_is_the_share_of_the_time():
    ax = workload_plot(spans(), 5 * HOUR)
    tops = {}
    for bar in ax.patches:
        tops[round(bar.get_x() + bar.get_width() / 2)] = bar.get_y() + bar.get_height()
    assert tops == pytest.approx({0: 0.3, 1: 0.6})


def test_streets_nobody_reaches_are_named():
    times = np.array([0, 100, np.inf, np.inf, np.inf])
    labels = [text.get_text() for text in isochrone_map(line_city(), times).get_legend().get_texts()]
    assert "not reached" in labels
    assert "not reached" not in [
        text.get_text() for text in isochrone_map(line_city(), np.zeros(5)).get_legend().get_texts()
    ]


def test_every_unit_has_its_entry_and_every_hour_its_cell():
    tracks = {"unit 0": [np.zeros((2, 2))], "unit 1": [np.ones((3, 2))]}
    labels = [text.get_text() for text in trajectory_map(line_city(), tracks).get_legend().get_texts()]
    assert labels[:2] == ["unit 0", "unit 1"]
    assert arrival_plot(np.arange(168).reshape(7, 24)).images[0].get_array().shape == (7, 24)


def test_a_run_without_work_can_be_drawn():
    empty = unit_spans(EVENTS.iloc[:0], until=HOUR)
    assert not gantt_plot(empty).patches
    assert not workload_plot(empty, HOUR).patches
