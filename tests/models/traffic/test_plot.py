"""Pictures of traffic by itself draw what the log says, and say their units."""

from __future__ import annotations

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from twin import plot
from twin.models.traffic import Rules, simulate
from twin.plot.traffic import _scale, _ticks, fundamental_values, link_values

NODES = pd.DataFrame({"x": [0.0, 1000, 3000], "y": [0.0, 0, 0]}, index=["a", "b", "c"])
LINKS = pd.DataFrame(
    {"from": ["a", "b", "b"], "to": ["b", "c", "a"], "length": [1000.0, 2000, 1000], "speed": 20.0, "lanes": [1, 2, 1]},
    index=["ab", "bc", "ba"],
)
TRIPS = pd.DataFrame({"from": "a", "to": "c", "depart": np.arange(0, 100, 10.0)})
RESULT = simulate(LINKS, TRIPS, rules=Rules(nodes=NODES, driving_side="left"))


@pytest.fixture
def ax():
    with plot.style():
        yield plot.figure(7.2, 7.6)[1]


def bar_label(ax):
    return next(o.get_xlabel() or o.get_ylabel() for o in ax.figure.axes if o is not ax)


def test_values_of_links_by_hand():
    # ten vehicles, each 50 s on ab and 100 s on bc; all is over at 240 s
    values = link_values(RESULT, 0.0, 240.0)
    assert values["flow"] == pytest.approx([10 / 240 * 3600, 10 / 240 * 3600, 0])
    assert values["density"] == pytest.approx([500 / 240, 1000 / 240 / 2 / 2, 0])
    assert values["speed"][:2] == pytest.approx([72, 72])
    assert np.isnan(values["speed"][2])
    assert values["delay"][:2] == pytest.approx([0, 0])


def test_values_of_a_part_of_the_run_count_that_part_only():
    # from 0 to 25 s: three vehicles on ab, for 25, 15 and 5 s
    values = link_values(RESULT, 0.0, 25.0)
    assert values["density"][0] == pytest.approx(45 / 25)
    assert values["flow"][0] == pytest.approx(45 * 20 / 1000 / 25 * 3600)
    with pytest.raises(ValueError, match=r"end \(1\.0\) must be after begin \(2\.0\)"):
        link_values(RESULT, 2.0, 1.0)


def test_delay_is_the_time_beyond_free_flow():
    plan = pd.DataFrame({"link": ["ab"], "cycle": 1000.0, "start": 100.0, "green": 500.0})
    late = simulate(LINKS, TRIPS.iloc[:1], rules=Rules(signals=plan))
    assert link_values(late, 0, 1000)["delay"][:2] == pytest.approx([50, 0])


def test_the_fundamental_diagram_loses_no_metre_and_no_second():
    density, flow, time = fundamental_values(RESULT, 70.0)
    lane_km = 1 + 4 + 1
    # the last exit is at 240 s
    assert time.tolist() == [35, 105, 175, 225]
    width = np.array([70.0, 70, 70, 30])
    assert (density * lane_km * width).sum() == pytest.approx(10 * 150)
    assert (flow * lane_km * width / 3600).sum() == pytest.approx(10 * 3)


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [("flow", "per hour"), ("speed", "km/h"), ("density", "per km and lane"), ("delay", "seconds")],
)
def test_a_link_map_returns_its_axes_and_says_its_unit(ax, quantity, unit):
    assert RESULT.plot.links(quantity, ax=ax, caption=plot.Caption("Test")) is ax
    assert unit in bar_label(ax)
    said = [text.get_text() for text in ax.texts]
    assert "N" in said
    assert any(text.endswith((" km", " m")) for text in said)
    assert "Test · 0 to 4 min" in said


def test_a_map_draws_the_links_that_were_driven_on_their_side(ax):
    RESULT.plot.links("flow", ax=ax)
    plain, driven = [c for c in ax.collections if isinstance(c, LineCollection)][:2]
    assert len(plain.get_segments()) == 3
    assert len(driven.get_segments()) == 2
    # to the left of eastbound traffic is north
    assert plain.get_segments()[0][0][1] > 0 > plain.get_segments()[2][0][1]


def test_the_ways_along_a_corridor(ax):
    assert RESULT.plot.space_time(["ab", "bc"], ax=ax) is ax
    (ways,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    segments = ways.get_segments()
    assert len(segments) == 20
    assert [[0, 0], [pytest.approx(50 / 60), 1]] in [segment.tolist() for segment in segments]
    assert ax.get_xlim() == (0.0, pytest.approx(4.0))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Time, min", "Distance along the corridor, km")
    assert "link bc" in [text.get_text() for text in ax.texts]
    with pytest.raises(ValueError, match="link bc of the corridor does not lead to link ab"):
        RESULT.plot.space_time(["bc", "ab"])


def test_a_part_of_the_ways_along_a_corridor(ax):
    # from 0 to 25 s: three vehicles on ab
    RESULT.plot.space_time(["ab", "bc"], 0.0, 25.0, ax=ax)
    (ways,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert len(ways.get_segments()) == 3
    assert ax.get_xlim() == (0.0, pytest.approx(25 / 60))
    with pytest.raises(ValueError, match=r"end \(5\) must be after begin \(9\)"):
        RESULT.plot.space_time(["ab"], 9, 5)


def test_classes_widen_to_the_largest_value_and_long_delays_are_minutes():
    value, scale = _scale("delay", np.array([0.0, 20.0, 100.0, 450.0]))
    assert scale.edges == (0.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
    assert "seconds" in scale.label
    assert _ticks(scale, value)[-1] == "500"
    value, scale = _scale("delay", np.array([60.0, 3744.0]))
    assert value.tolist() == [1.0, 62.4]
    assert "minutes" in scale.label
    assert scale.rank(value).tolist() == [0, 5]


def test_a_map_of_a_time_when_nobody_drove_says_so(ax):
    RESULT.plot.links("flow", 1e6, 2e6, ax=ax)
    said = [text.get_text() for text in ax.texts]
    assert "no vehicles" in said
    assert "277.8 to 555.6 h" in said


def test_a_day_is_drawn_in_hours_with_small_points(ax):
    late = simulate(LINKS, TRIPS.assign(depart=np.linspace(0, 8e4, len(TRIPS))))
    late.plot.fundamental(300.0, ax=ax)
    points = next(c for c in ax.collections if not isinstance(c, LineCollection))
    assert bar_label(ax) == "Time, h"
    assert points.get_sizes()[0] < 20


def test_the_fundamental_diagram_has_a_point_an_interval(ax):
    assert RESULT.plot.fundamental(60.0, ax=ax) is ax
    points = next(c for c in ax.collections if not isinstance(c, LineCollection))
    assert len(points.get_offsets()) == 4
    assert "per km and lane" in ax.get_xlabel()
    assert "per hour and lane" in ax.get_ylabel()
    assert bar_label(ax) == "Time, min"


def test_pictures_without_axes_make_a_figure_and_empty_results_do_too():
    from matplotlib import pyplot

    nobody = simulate(LINKS, TRIPS.iloc[:0], until=1.0, rules=Rules(nodes=NODES))
    pictures = [nobody.plot.links("speed"), nobody.plot.fundamental(), nobody.plot.space_time(["ab"])]
    assert len({id(made.figure) for made in pictures}) == 3
    for made in pictures:
        made.figure.canvas.draw()
    shown, points, ways = (list(made.collections) for made in pictures)
    assert [len(c.get_segments()) for c in shown if isinstance(c, LineCollection)] == [3, 0]
    assert not any(len(c.get_offsets()) for c in points if not isinstance(c, LineCollection))
    assert not any(len(c.get_segments()) for c in ways if isinstance(c, LineCollection))
    assert all(made.get_title() or made.get_xlabel() for made in pictures[1:])
    pyplot.close("all")


def test_what_cannot_be_drawn_is_named():
    with pytest.raises(ValueError, match=r"quantity \('noise'\) must be one of flow, speed, density, delay"):
        RESULT.plot.links("noise")
    with pytest.raises(ValueError, match="the result has no positions"):
        simulate(LINKS, TRIPS).plot.links()
