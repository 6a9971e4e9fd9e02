"""Every picture draws what it was given, says its units, and can be read without colours."""

from __future__ import annotations

import dataclasses
import io

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from tests.cities import line_city
from tests.synthetic_results import small_city
from twin import plot
from twin.plot import base, maps, services
from twin.plot.style import SKY, round_length

CITY = small_city()
LINKS, BUSES = CITY.rows("links"), CITY.rows("buses")
NOTE = plot.Caption("Flood night", "B: coverage", "2026-01-15 17:00 to 23:00 WITA")


@pytest.fixture
def ax():
    with plot.style():
        yield plot.figure(*maps.MAP_SIZE)[1]


def texts(ax):
    return [text.get_text() for text in ax.texts] + [ax.get_title(loc="left")]


def bar_label(ax):
    return next(other.get_xlabel() for other in ax.figure.axes if other is not ax)


def drawn(ax, zorder):
    """Return (lines, colours) of the line collection at a height of the picture."""
    found = [c for c in ax.collections if isinstance(c, LineCollection) and c.get_zorder() == zorder]
    return found[0].get_segments(), [to_hex(c) for c in found[0].get_colors()]


def line_of(drawn_line):
    """Return the link that a line is of: same way, a little to the side."""
    off = [np.abs(line - drawn_line).max() if len(line) == len(drawn_line) else np.inf for line in base.segments(CITY)]
    return int(np.argmin(off))


MAPS = {
    "city": lambda ax: plot.city_map(CITY, ax, NOTE),
    "link": lambda ax: plot.link_map(CITY, np.linspace(1, 4, LINKS), ax=ax, caption=NOTE),
    "depth": lambda ax: plot.link_map(CITY, np.linspace(0, 1, LINKS), plot.DEPTH, ax, NOTE),
    "difference": lambda ax: plot.difference_map(CITY, np.linspace(-1, 1, LINKS), "Minutes, B minus A", ax, NOTE),
    "power": lambda ax: plot.power_map(CITY, np.arange(BUSES) * 30.0, ax, NOTE),
    "energised": lambda ax: plot.power_map(CITY, np.arange(BUSES) > 2, ax, NOTE),
    "calls": lambda ax: plot.call_map(
        CITY,
        {"node": np.arange(4), "response": np.array([60.0, 700, np.nan, 900]), "late": np.array([0, 1, 1, 1])},
        ax,
        NOTE,
    ),
}


@pytest.mark.parametrize("name", MAPS)
def test_a_map_returns_its_axes_with_title_scale_bar_and_north(ax, name):
    assert MAPS[name](ax) is ax
    said = texts(ax)
    assert ax.get_title(loc="left")
    assert any("Flood night" in text and "WITA" in text and "B: coverage" in text for text in said)
    assert "N" in said
    assert any(text.endswith((" km", " m")) for text in said)
    assert ax.get_aspect() == 1.0
    assert ax.get_xlabel() == ""


@pytest.mark.parametrize(
    ("name", "unit"),
    [("depth", ", m"), ("power", "Minutes"), ("difference", "Minutes"), ("city", "per km²"), ("calls", "minutes")],
)
def test_a_colour_bar_states_the_unit(ax, name, unit):
    MAPS[name](ax)
    assert unit in bar_label(ax)


def test_without_axes_a_map_makes_its_own_figure():
    with plot.style():
        ax = plot.link_map(CITY, np.ones(LINKS))
    assert ax.figure in map(pyplot.figure, pyplot.get_fignums())
    pyplot.close("all")


def test_a_map_given_axes_leaves_pyplot_alone(ax):
    before = pyplot.get_fignums()
    MAPS["link"](ax)
    assert pyplot.get_fignums() == before


def test_a_value_of_the_wrong_length_is_refused(ax):
    with pytest.raises(ValueError, match=f"3 values for {LINKS} links"):
        plot.link_map(CITY, np.ones(3), ax=ax)
    with pytest.raises(ValueError, match=f"2 values for {BUSES} buses"):
        plot.power_map(CITY, np.ones(2), ax=ax)


def test_the_worst_link_is_drawn_last_in_the_darkest_colour(ax):
    value = np.ones(LINKS)
    value[[4, 9]] = 2.5, 9.0
    plot.link_map(CITY, value, ax=ax)
    lines, colours = drawn(ax, 4.0)
    assert [line_of(line) for line in lines] == [4, 9]
    assert colours == [plot.DELAY.colours[4], plot.DELAY.colours[5]]


def test_the_slowest_link_is_drawn_last_and_widest_on_a_map_of_speeds(ax):
    value = np.full(LINKS, 55.0)
    value[4] = 3.0
    plot.link_map(CITY, value, plot.SPEED, ax)
    lines, colours = drawn(ax, 4.0)
    assert line_of(lines[-1]) == 4
    assert colours[-1] == plot.SPEED.colours[0]
    made = next(c for c in ax.collections if isinstance(c, LineCollection) and c.get_zorder() == 4.0)
    assert made.get_linewidths()[-1] > made.get_linewidths()[-2]


@pytest.mark.parametrize("draw", [plot.link_map, lambda city, v, ax: plot.difference_map(city, v, "s", ax)])
def test_the_directions_of_a_street_lie_beside_each_other(ax, draw):
    links, segments = CITY["links"], base.segments(CITY)
    back = np.flatnonzero((links["from_node"] == links["to_node"][0]) & (links["to_node"] == links["from_node"][0]))[0]
    value = np.full(LINKS, np.nan)
    value[[0, back]] = 2.0, 3.0
    draw(CITY, value, ax=ax)
    first, last = drawn(ax, 4.0)[0]
    way = segments[0][-1] - segments[0][0]
    aside = [(line.mean(axis=0) - segments[0].mean(axis=0)) for line in (first, last)]
    left_of_way = [way[0] * move[1] - way[1] * move[0] for move in aside]
    assert left_of_way[0] > 0 > left_of_way[1]


def test_closed_streets_are_dashed_once_and_named(ax):
    value, closed = np.full(LINKS, 3.0), np.zeros(LINKS, dtype=bool)
    ends = np.sort([CITY["links"]["from_node"], CITY["links"]["to_node"]], axis=0)
    closed[(ends == ends[:, [4]]).all(axis=0)] = True
    assert closed.sum() == 2
    plot.link_map(CITY, value, ax=ax, closed=closed)
    assert len(drawn(ax, 4.3)[0]) == 1
    assert "Closed" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_lines_are_shifted_to_the_right_of_their_way():
    bent = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, -10.0]])
    back, other = base.beside([bent[::-1], bent], np.array([1.0, -2.0]))
    assert back == pytest.approx(np.array([[11.0, -10.0], [10 + 0.5**0.5, 0.5**0.5], [0.0, 1.0]]))
    assert other[0] == pytest.approx([0.0, 2.0])
    assert base.beside([], np.empty(0)) == []


def test_bar_and_legend_of_a_map_keep_off_each_other_in_any_figure():
    made, axes = pyplot.subplots(1, 2, figsize=(14, 8))
    for ax in axes:
        plot.link_map(CITY, np.linspace(1, 4, LINKS), ax=ax)
    made.draw_without_rendering()
    bars = [other for other in made.axes if other not in axes]
    for ax, bar in zip(axes, bars, strict=True):
        assert not ax.get_legend().get_window_extent().overlaps(bar.get_tightbbox())
    pyplot.close(made)


def test_unknown_and_quiet_links_stay_plain_streets(ax):
    value = np.full(LINKS, np.nan)
    value[0] = 1.05
    plot.link_map(CITY, value, ax=ax)
    assert drawn(ax, 4.0)[0] == []


def test_both_directions_of_a_street_are_drawn_once():
    assert len(base.one_per_street(CITY)) == LINKS // 2


def test_a_difference_is_blue_where_b_is_lower_and_orange_where_higher(ax):
    change = np.zeros(LINKS)
    change[[2, 5]] = -1.0, 0.9
    plot.difference_map(CITY, change, "s", ax)
    lines, (higher, lower) = drawn(ax, 4.0)
    assert [line_of(line) for line in lines] == [5, 2]
    assert to_rgb(lower)[2] > to_rgb(lower)[0]
    assert to_rgb(higher)[0] > to_rgb(higher)[2]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_classes_of_a_difference_are_symmetric_and_rise(values):
    scale = maps.difference_scale(np.array(values), "s", "B")
    edges = np.array(scale.edges)
    assert np.allclose(edges, -edges[::-1])
    assert (np.diff(edges) > 0).all()
    assert len(scale.colours) == len(edges) - 1


@pytest.mark.parametrize("scale", [plot.DELAY, plot.DEPTH, plot.MINUTES, plot.FLOW, plot.SPEED, services.RESPONSE])
def test_classes_differ_in_lightness_alone(scale):
    light = np.array([np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)) for colour in scale.colours])
    steps = np.diff(light)
    assert (steps < -0.01).all() or (steps > 0.01).all()
    assert len(scale.colours) == len(scale.edges) - 1


def test_a_bus_that_was_out_is_marked_and_its_feeder_too(ax):
    minutes = np.zeros(BUSES)
    minutes[3] = 90.0
    plot.power_map(CITY, minutes, ax)
    _, colours = drawn(ax, 5.0)
    assert colours.count(plot.MINUTES.colours[3]) == 1
    assert colours.count(SKY.lower()) == 3
    dots = [c for c in ax.collections if isinstance(c, PathCollection) and c.get_zorder() == 7.0]
    assert np.allclose(dots[0].get_offsets(), [[CITY["buses"]["x"][3], CITY["buses"]["y"][3]]])


def test_calls_are_told_apart_by_shape_and_counted(ax):
    MAPS["calls"](ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"In time for its priority (1)", "Late for its priority (2)", "Not reached at the end (1)"} <= set(labels)
    in_time, late = [c.get_offsets() for c in ax.collections if isinstance(c, PathCollection) and c.get_zorder() == 9]
    assert np.allclose(in_time, [[0, 0]])
    assert np.allclose(late, [[400, 0], [1200, 0]])


def test_on_the_map_of_water_the_river_and_low_ground_are_grey(ax):
    MAPS["depth"](ax)
    river = next(line for line in ax.lines if line.get_zorder() == 1.0)
    entries = dict(
        zip([t.get_text() for t in ax.get_legend().get_texts()], ax.get_legend().legend_handles, strict=True)
    )
    for colour in (river.get_color(), entries["River"].get_color(), entries["Low ground"].get_facecolor()):
        red, green, blue = to_rgb(colour)
        assert blue - red < 0.06
        assert blue - green < 0.06


def crowded_city():
    """Return a city whose station stands on the substation, with a long name at the right edge."""
    city = small_city()
    right = float(city["nodes"]["x"].max())
    tables = {name: {column: table[column] for column in table} for name, table in city.tables.items()}
    tables["stations"]["x"], tables["stations"]["y"] = np.array([0.0, right]), np.array([0.0, 800.0])
    tables["hospitals"] = {
        "id": np.array(["h0", "h1"]),
        "name": np.array(["Hospital of the far edge", "Hospital of the far edge too"]),
        "x": np.array([right, right]),
        "y": np.array([800.0, 830.0]),
    }
    return dataclasses.replace(city, tables=tables)


def test_no_mark_hides_another_and_the_legend_names_each_kind_once(ax):
    plot.city_map(crowded_city(), ax)
    ax.figure.draw_without_rendering()
    marks = [c for c in ax.collections if isinstance(c, PathCollection) and c.get_zorder() == 12]
    spots = np.concatenate([c.get_offset_transform().transform(c.get_offsets()) for c in marks]) * 72 / ax.figure.dpi
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert np.linalg.norm(spots[0] - spots[1:], axis=1).min() > 10.0
    assert len(labels) == len(set(labels))
    assert {"Substation", "Ambulance station", "Hospital"} <= set(labels)


def test_names_stay_inside_the_frame_and_off_each_other(ax):
    plot.city_map(crowded_city(), ax)
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text().startswith("Hospital of")]
    assert len(boxes) == 2
    assert not boxes[0].overlaps(boxes[1])
    assert all(ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1 for box in boxes)


def test_an_infeed_is_told_from_a_bus(ax):
    city = small_city()
    tables = {name: {column: table[column] for column in table} for name, table in city.tables.items()}
    tables["sources"] = {"id": np.array(["g0"]), "bus": np.array([2], dtype=np.int32)}
    plot.power_map(dataclasses.replace(city, tables=tables), np.zeros(BUSES), ax)
    (mark,) = [c for c in ax.collections if isinstance(c, PathCollection) and c.get_zorder() == 11]
    assert np.allclose(mark.get_offsets(), [[city["buses"]["x"][2], city["buses"]["y"][2]]])
    assert "Infeed from outside" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_city_without_shapes_classes_or_utilities_is_drawn():
    with plot.style():
        _, ax = plot.figure(5, 5)
        plot.city_map(line_city(), ax)
        plot.png(ax.figure)
    assert len(drawn(ax, 3.0)[0]) == 4


def test_names_with_dollars_and_braces_do_not_break_a_picture():
    city = small_city(title=r"Cost $x_{1$ of {city} $\frac$")
    with plot.style():
        made, ax = plot.figure(5, 6)
        plot.city_map(city, ax, plot.Caption(r"$\bad$", "{arm}", "$"))
        assert plot.png(made)


def test_a_long_caption_is_wrapped_and_keeps_every_word():
    assert plot.Caption("a" * 50, "b" * 30, "c").lines() == ["a" * 50, "b" * 30 + " · c"]
    long = plot.Caption("Storm over the city", "word " * 40, "2026-11-12 15:00 to 18:00 EET").lines()
    assert max(map(len, long)) <= 70
    assert " ".join(long).split().count("word") == 40
    assert long[-1].endswith("18:00 EET")
    assert plot.Caption("", "", "").lines() == []


def test_a_png_is_trimmed_and_has_a_palette():
    with plot.style():
        made, ax = plot.figure(7.2, 14)
        plot.city_map(CITY, ax)
        image = Image.open(io.BytesIO(plot.png(made)))
    assert image.mode == "P"
    assert image.height < 12 * 110
    border = np.asarray(image.convert("RGB"))[:, 0]
    assert (border == 255).all()


@pytest.mark.parametrize(("limit", "length"), [(1730.0, 1000.0), (640.0, 500.0), (2.0, 2.0), (99_999.0, 50_000.0)])
def test_a_scale_bar_has_a_round_length(limit, length):
    assert round_length(limit) == length


def test_calls_handed_on_are_told_apart_from_those_that_nobody_reached(ax):
    calls = {
        "node": np.array([0, 1, 1, 1]),
        "response": np.array([60.0, np.nan, np.nan, np.nan]),
        "late": np.zeros(4, dtype=bool),
        "end": np.array(["served", "transferred", "open", "transferred"]),
    }
    plot.call_map(CITY, calls, ax)
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "Not reached at the end (1)" in words
    assert "Handed on to others (2)" in words
    assert "3" in [text.get_text() for text in ax.texts]
    assert "1" not in [text.get_text() for text in ax.texts]


def test_a_city_without_inhabitants_is_not_tinted():
    city = small_city()
    tables = {name: dict(table) for name, table in city.tables.items()}
    tables["zones"]["population"] = np.zeros(4, dtype=np.int64)
    empty = dataclasses.replace(city, tables=tables)
    labels = [[ax.get_xlabel() for ax in plot.city_map(one).figure.axes] for one in (city, empty)]
    assert "Inhabitants per km²" in labels[0]
    assert "Inhabitants per km²" not in labels[1]
